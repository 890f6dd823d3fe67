//! Flags of `vipnode link`.

use std::path::PathBuf;

use clap::Args;
use vipnode_types::{AgentPublic, Delegation};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vipnode link                                     where you may read the key: node and key are found

Where only another user may read it, or it is on another machine, in three steps:
  vipnode link --request                           as the agent's user: prints the next command
  sudo vipnode link --agent 02… --nodekey FILE     who may read it: prints the last one, keeps nothing
  vipnode link --delegation eyJ…                   as the agent's user: keeps it")]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) step: Step,
    /// Key file of the node, read once [default: found beside the node].
    #[arg(long, value_name = "FILE")]
    pub(crate) nodekey: Option<PathBuf>,
}

/// Where the agent's user may not read the key, or it is on another machine: which of the three steps.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Step {
    /// Print the command to be run where the node's key is.
    #[arg(long)]
    pub(crate) request: bool,
    /// Sign for this agent, of another user or machine, and print the command to be run there.
    #[arg(long, value_name = "KEY")]
    pub(crate) agent: Option<AgentPublic>,
    /// Keep what was signed for this agent.
    #[arg(long, value_name = "TEXT")]
    pub(crate) delegation: Option<Delegation>,
}
