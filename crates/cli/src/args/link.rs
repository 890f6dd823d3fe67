//! Flags of `vipnode link`.

use std::path::PathBuf;

use clap::Args;
use vipnode_types::{AgentPublic, Delegation};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vipnode link                   where you can read the key: finds node and key

In three steps, where another user or another machine has the key:
  vipnode link --request                        as the agent's user
  sudo vipnode link --agent 02… --nodekey FILE  where the key is readable
  vipnode link --delegation eyJ…                as the agent's user")]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) step: Step,
    /// Read the node's key from this file.
    ///
    /// [default: found next to the node]
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub(crate) nodekey: Option<PathBuf>,
}

/// Where the agent's user may not read the key, or it is on another machine: which of the three steps.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Step {
    /// Print the command to run where the node's key is.
    #[arg(long, help_heading = "Identity")]
    pub(crate) request: bool,
    /// Sign for this agent and print the command to run there.
    #[arg(long, value_name = "KEY", help_heading = "Identity")]
    pub(crate) agent: Option<AgentPublic>,
    /// Store this delegation for the local agent.
    #[arg(long, value_name = "TEXT", help_heading = "Identity")]
    pub(crate) delegation: Option<Delegation>,
}
