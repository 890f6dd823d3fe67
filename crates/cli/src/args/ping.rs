use std::path::PathBuf;

use clap::Args;

use super::{TrustArgs, status::node_prefix};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode ping       test the node of each local agent\n  \
                        vipnode ping 1f3a  test the path to a host or client\n\n\
                        Exit codes:\n  0  every step works\n  1  a step fails, or no agent is running\n  2  the command failed")]
pub(crate) struct PingArgs {
    /// Test the path to this node.
    ///
    /// Takes the ID of an agent's own node or of a leased peer, or its first characters. [default: the nodes of all local agents]
    #[arg(value_name = "NODE", value_parser = node_prefix, help_heading = "Node")]
    pub(crate) node: Option<String>,
    /// Look for agents in this state directory.
    ///
    /// [default: ~/.local/state/vipnode and the directories of the packaged services]
    #[arg(long, value_name = "DIR", help_heading = "Node")]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}
