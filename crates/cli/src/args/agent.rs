//! Flags of every command that works with a node.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use vipnode_agent_core::{HostConfig, VersionPattern};
use vipnode_node::Trust;
use vipnode_types::{Account, Capability, Enode, MinVersion, NodeId, Price};

use super::{
    JoinArgs, MetricsArgs, Speaking, TrustArgs,
    peered::{PoolOrHost, allowed, kept},
};
use crate::error::CliError;

/// The pool and the node that an agent connects.
#[derive(Debug, Args)]
pub(crate) struct Between {
    /// Connect to this pool, or to a host named by its enode.
    ///
    /// Without it the agent uses a pool that answers at ws://127.0.0.1:8080. A client stays connected to each host
    /// given as `enode://<id>@<host>:<port>`, with or without a pool.
    #[arg(value_name = "POOL|ENODE", help_heading = "Pool")]
    pub(crate) pool: Vec<PoolOrHost>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Read the node's key from this file.
    ///
    /// The key signs a delegation once; with --protocol 2 it is read at each start. [default: found next to the node]
    #[arg(long, value_name = "FILE", help_heading = "Identity", hide_short_help = true)]
    pub(crate) nodekey: Option<PathBuf>,
    /// Never admit, dial or disconnect these peers of the node.
    ///
    /// Takes ids or enodes; separate several with commas. [default: the static and trusted peers in geth's config.toml,
    /// static-nodes.json and trusted-nodes.json]
    #[arg(
        long,
        value_name = "NODE",
        value_delimiter = ',',
        value_parser = kept,
        help_heading = "Node",
        hide_short_help = true
    )]
    pub(crate) keep: Vec<NodeId>,
    #[command(flatten)]
    pub(crate) choosing: Choosing,
    #[command(flatten)]
    pub(crate) speaking: Speaking,
    /// Secret of a closed pool.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
}

/// How an agent runs. Flattened last, so that help ends with these headings.
#[derive(Debug, Args)]
pub(crate) struct Running {
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Show the calls to the node without making them.
    ///
    /// The pool is not contacted.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Connect to this admin RPC: an IPC file or a URL.
    ///
    /// Takes the path of an IPC file, or an http://, https://, ws:// or wss:// URL with the admin API. [default: found
    /// from the arguments of running clients and at their usual paths]
    #[arg(long, value_name = "PATH|URL", help_heading = "Node")]
    pub(crate) rpc: Option<String>,
    /// Keep keys, delegations and journals in this directory.
    ///
    /// [default: ~/.local/state/vipnode]
    #[arg(long, value_name = "DIR", help_heading = "Identity", hide_short_help = true)]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

impl NodeArgs {
    /// Which connections to the node and to the pool are allowed.
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        self.trust.trust()
    }
}

/// Which peers an agent accepts on the other side of a lease.
#[derive(Debug, Args)]
pub(crate) struct Choosing {
    /// Reject peers that run an older release, such as geth/1.13.0.
    ///
    /// Clients of other names are accepted in any release. Separate several with commas.
    #[arg(long, value_name = "NAME/VERSION", value_delimiter = ',', help_heading = "Node", hide_short_help = true)]
    pub(crate) min_client_version: Vec<MinVersion>,
    /// Reject peers whose client version matches this pattern.
    ///
    /// The pattern is a regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Node", hide_short_help = true)]
    pub(crate) reject_client: Option<VersionPattern>,
}

/// What a host sells and reserves.
#[derive(Debug, Args)]
pub(crate) struct Selling {
    /// Sell this many peer slots.
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Hosting")]
    pub(crate) slots: u32,
    /// Reserve slots for the node's own peers.
    #[arg(long, default_value_t = 16, value_name = "N", help_heading = "Hosting")]
    pub(crate) reserve: u32,
    /// The node's --maxpeers value (not available over RPC).
    #[arg(long, default_value_t = 50, value_name = "N", help_heading = "Hosting")]
    pub(crate) node_max_peers: u32,
    /// Admit these nodes by id or enode, with or without a pool.
    ///
    /// Separate several with commas. Each takes a peer slot in addition to those for sale.
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = allowed, help_heading = "Hosting", hide_short_help = true)]
    pub(crate) allow: Vec<Enode>,
    /// Register this Ethereum address for earnings.
    #[arg(long, value_name = "ADDRESS", help_heading = "Payment")]
    pub(crate) payout: Option<Account>,
    /// Offer no slots while the newest block is older than this.
    ///
    /// "off" is for a private chain that produces no blocks.
    #[arg(long, default_value = "10m", value_name = "TIME|off", value_parser = head_age, help_heading = "Hosting", hide_short_help = true)]
    pub(crate) max_head_age: HeadAge,
}

impl Selling {
    pub(crate) fn host_config(&self) -> HostConfig {
        HostConfig {
            slots: self.slots,
            reserve: self.reserve,
            node_max_peers: self.node_max_peers,
            payout: self.payout,
            max_head_age_s: self.max_head_age.0.map(|age| age.as_secs()),
        }
    }
}

/// What a client looks for.
#[derive(Debug, Args)]
pub(crate) struct Seeking {
    /// Stay connected to this many hosts.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Client")]
    pub(crate) min_peers: u32,
    /// Pay at most this per slot and minute: "100 gwei".
    ///
    /// [default: any price]
    #[arg(long, value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) max_price: Option<Price>,
    /// Require hosts to serve these capabilities, such as snap/1.
    ///
    /// Without a version, as in les, any version is accepted. Separate several with commas. A light node requires les
    /// in any case.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',', help_heading = "Client", hide_short_help = true)]
    pub(crate) need: Vec<Capability>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode host ws://127.0.0.1:8080 --slots 20 --payout 0x…\n  \
                        vipnode host --allow <id of a client>          without a pool")]
pub(crate) struct HostArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) selling: Selling,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode client ws://127.0.0.1:8080 --min-peers 5\n  \
                        vipnode client enode://<id>@host.example:30303")]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode agent wss://pool.example --min-peers 5")]
pub(crate) struct AgentArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) selling: Selling,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode release --rpc ~/.ethereum/geth.ipc")]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

/// How old the newest block may be; `None` inside is "off".
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadAge(pub(crate) Option<Duration>);

fn head_age(text: &str) -> Result<HeadAge, String> {
    if text == "off" {
        return Ok(HeadAge(None));
    }
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 10m, 90s, 1h or off"))?;
    Ok(HeadAge(Some(age)))
}
