//! Flags of `vipnode link`.

use std::path::PathBuf;

use clap::Args;
use vipnode_types::{AgentPublic, Delegation};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Where the key may be read, here:
  vipnode link                                     the node and its key are found
  sudo -u geth vipnode link --nodekey FILE --state-dir DIR

Where the key is on another machine, in three steps:
  vipnode link --request                           here: prints the next command
  vipnode link --agent 02… --nodekey FILE          there: prints the last one
  vipnode link --delegation eyJ…                   here: keeps it")]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) step: Step,
    /// Key file of the node, read once [default: found beside the node].
    #[arg(long, value_name = "FILE")]
    pub(crate) nodekey: Option<PathBuf>,
}

/// Where key and agent are on different machines: which of the three steps.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Step {
    /// Print the command to be run where the node's key is.
    #[arg(long)]
    pub(crate) request: bool,
    /// Sign for this agent of another machine, and print the command to be run there.
    #[arg(long, value_name = "KEY")]
    pub(crate) agent: Option<AgentPublic>,
    /// Keep what was signed on another machine.
    #[arg(long, value_name = "TEXT")]
    pub(crate) delegation: Option<Delegation>,
}
