//! Flags of everything that stands beside a node.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use vipnode_agent_core::{HostConfig, VersionPattern};
use vipnode_node::Trust;
use vipnode_types::{Account, Capability, Enode, MinVersion, Price};

use super::{
    JoinArgs, MetricsArgs, Speaking, TrustArgs,
    peered::{PoolOrHost, allowed},
};
use crate::error::Failure;

/// The pool and the node that an agent stands between.
#[derive(Debug, Args)]
pub(crate) struct Between {
    /// The pool, for example ws://127.0.0.1:8080 [default: a pool that answers there]. For a client also hosts, as
    /// `enode://<id>@<host>:<port>`: it stays connected to them, with a pool or without.
    #[arg(value_name = "POOL|ENODE")]
    pub(crate) pool: Vec<PoolOrHost>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Key file of the node, read once to sign a delegation, or at each start with --protocol 2 [default: found
    /// beside the node].
    #[arg(long, value_name = "FILE")]
    pub(crate) nodekey: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choosing: Choosing,
    #[command(flatten)]
    pub(crate) speaking: Speaking,
    /// Secret of a closed pool.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Show each call to the node that would be made, and make none. The pool is not contacted.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The node's admin RPC: path of its IPC file, http://, https://, ws:// or wss:// [default: found by the
    /// arguments of running clients and at their usual places].
    #[arg(long, value_name = "PATH|URL")]
    pub(crate) rpc: Option<String>,
    /// Where agents keep their key, delegation and journal [default: ~/.local/state/vipnode].
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

impl NodeArgs {
    /// Whom connections to the node and to the pool may be to.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        self.trust.trust()
    }
}

/// Whom an agent takes on the other side of a lease.
#[derive(Debug, Args)]
pub(crate) struct Choosing {
    /// Oldest release of a client that is taken as a peer; clients of other names are taken in any. Several with
    /// commas.
    #[arg(long, value_name = "NAME/VERSION", value_delimiter = ',')]
    pub(crate) min_client_version: Vec<MinVersion>,
    /// Take no peer whose client version this regular expression finds.
    #[arg(long, value_name = "REGEX")]
    pub(crate) reject_client: Option<VersionPattern>,
}

/// What a host sells and keeps.
#[derive(Debug, Args)]
pub(crate) struct Selling {
    /// Places to sell.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) slots: u32,
    /// Places kept for the node's own peers.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) reserve: u32,
    /// --maxpeers of the node, which no RPC tells.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(crate) node_max_peers: u32,
    /// Let this node in, with a pool or without: its id or its enode. Several with commas. Each takes a place beside
    /// those that are sold.
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = allowed)]
    pub(crate) allow: Vec<Enode>,
    /// Who earns: an Ethereum address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) payout: Option<Account>,
    /// Offer nothing while the newest block is older; "off" for a private chain that stands still.
    #[arg(long, default_value = "10m", value_name = "TIME|off", value_parser = head_age)]
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

/// What a client wants.
#[derive(Debug, Args)]
pub(crate) struct Seeking {
    /// Hosts to keep.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) min_peers: u32,
    /// The dearest place to take, a minute: "100 gwei" [default: any].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) max_price: Option<Price>,
    /// What a host has to serve, like snap/1, or les of any version; several with commas. A light node needs les
    /// anyway.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
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
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode client ws://127.0.0.1:8080 --min-peers 5\n  \
                        vipnode client enode://<id>@host.example:30303")]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode agent ws://10.0.0.1:8080 --insecure --join-secret-file /etc/vipnode/secret"
)]
pub(crate) struct AgentArgs {
    #[command(flatten)]
    pub(crate) between: Between,
    #[command(flatten)]
    pub(crate) selling: Selling,
    #[command(flatten)]
    pub(crate) seeking: Seeking,
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
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}: write 10m, 90s, 1h or off"))?;
    Ok(HeadAge(Some(age)))
}
