//! Flags of `vipnode link`.

use std::path::PathBuf;

use clap::Args;
use vipnode_types::{AgentPublic, Delegation};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # If you can read the node key (the command locates it)
  vipnode link

If only another user or another machine can read the key, use three steps:
  vipnode link --request                        as the agent's user
  sudo vipnode link --agent 02… --nodekey FILE  where the key is readable
  vipnode link --delegation eyJ…                as the agent's user")]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) step: LinkStep,
    /// Read the node's key from this file.
    ///
    /// [default: detected from the node]
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub(crate) nodekey: Option<PathBuf>,
}

/// One of the three steps that are needed if the agent's user cannot read the key.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct LinkStep {
    /// Print the command to run where the node key is readable.
    #[arg(long, help_heading = "Identity")]
    pub(crate) request: bool,
    /// Sign a delegation to this agent and print the command that stores it.
    #[arg(long, value_name = "KEY", help_heading = "Identity")]
    pub(crate) agent: Option<AgentPublic>,
    /// Store this delegation for the local agent.
    #[arg(long, value_name = "TEXT", help_heading = "Identity")]
    pub(crate) delegation: Option<Delegation>,
}
