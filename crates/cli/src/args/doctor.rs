use clap::{Args, ValueEnum};

use super::AgentArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode doctor                           before `vipnode agent`\n  \
                        vipnode doctor --role host wss://pool.example --slots 20\n\n\
                        Exit code: 0 all is well, 1 something keeps the role from working, 2 the look itself failed")]
pub(crate) struct DoctorArgs {
    /// What the node is to be.
    #[arg(long, value_name = "agent|host|client", default_value = "agent", hide_possible_values = true)]
    pub(crate) role: RoleName,
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

/// A role of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Both.
    Agent,
    /// Sells places.
    Host,
    /// Seeks hosts.
    Client,
}
