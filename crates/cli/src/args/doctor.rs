use clap::{Args, ValueEnum};

use super::AgentArgs;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode doctor --role host wss://pool.example\n\n\
                        Exit codes: 0 ready, 1 not ready, 2 the checks could not run")]
pub(crate) struct DoctorArgs {
    /// Check the setup for this role.
    #[arg(
        long,
        value_name = "agent|host|client",
        default_value = "agent",
        hide_possible_values = true,
        help_heading = "Node"
    )]
    pub(crate) role: RoleName,
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

/// A role of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Both.
    Agent,
    /// Sells peer slots.
    Host,
    /// Looks for hosts.
    Client,
}
