//! Flags of every command that works with a node.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use vipnode_agent::{AcceptedPool, limits::AgentLimits};
use vipnode_agent_core::{HostConfig, VersionPattern};
use vipnode_node::{NodeAccess, Trust, limits::NodeLimits};
use vipnode_types::{Account, Capability, Enode, MinVersion, NodeId, QuotedPrice};

use super::{
    JoinArgs, MetricsArgs, PayArgs, ProtocolArgs, TrustArgs,
    limit_flag::{self, LimitFlag},
    targets::{PoolOrHost, allowed, kept},
    whole_number::whole_number,
};
use crate::error::{CliError, CommandError};

/// The id of the argument without a name that names a pool or a host. Variables and files set `--pool`.
pub(crate) const TYPED_POOL: &str = "pool";
const NAMED_POOL: &str = "named_pool";

/// The pool and the node that an agent connects.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Connect to this pool, or to a host named by its enode.
    ///
    /// Give at most one pool. If you omit it, the agent uses the pool at ws://127.0.0.1:8080, if one responds there, unless
    /// you name hosts or pass --allow. A client stays connected to each host given as `enode://<id>@<host>:<port>`, with or
    /// without a pool.
    #[arg(value_name = "POOL|ENODE", help_heading = "Pool")]
    pub(crate) pool: Vec<PoolOrHost>,
    /// Connect to this pool; a single-word host name is allowed.
    ///
    /// Takes the same values as POOL, and also a single word such as "mypool", which POOL rejects because it could be a
    /// mistyped command. Can be repeated.
    #[arg(
        id = NAMED_POOL,
        long = "pool",
        value_name = "POOL|ENODE",
        value_parser = PoolOrHost::named,
        help_heading = "Pool",
        hide_short_help = true
    )]
    named_pool: Vec<PoolOrHost>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Read the node's key from this file.
    ///
    /// The agent reads the key once to sign a delegation. With --protocol 2, it reads the key at every start. [default:
    /// detected from the node]
    #[arg(long, value_name = "FILE", help_heading = "Identity", hide_short_help = true)]
    pub(crate) nodekey: Option<PathBuf>,
    /// Never admit, dial, or disconnect these nodes.
    ///
    /// Takes node IDs or enodes. Separate multiple values with commas. [default: the static and trusted peers in geth's
    /// config.toml, static-nodes.json, and trusted-nodes.json]
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
    pub(crate) peer_filter: PeerFilterArgs,
    #[command(flatten)]
    pub(crate) protocol: ProtocolArgs,
    /// Accept the pool with this ID in place of the remembered one.
    ///
    /// At the first use of a pool's URL, the agent remembers the pool's ID and refuses any other pool there. Pass the new ID
    /// if the pool's operator confirms that it changed, or "none" if the pool should have no ID from now on. At a loopback
    /// URL, the ID is not remembered.
    #[arg(long, value_name = "ID|none", help_heading = "Pool", hide_short_help = true)]
    pub(crate) accept_pool_key: Option<AcceptedPool>,
    /// Let the pool make the node dial private addresses.
    ///
    /// Without it, a pool at a public address can make the node dial only public IP addresses, and a pool at a private
    /// address only public and private ones, so that it cannot probe your network or machine. Only a pool on the same
    /// machine can make the node dial host names or addresses of the machine itself. Hosts that you pass as enodes are
    /// always dialed.
    #[arg(long, help_heading = "Pool", hide_short_help = true)]
    pub(crate) dial_private: bool,
    /// Secret of a closed pool.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
}

impl ConnectionArgs {
    /// Returns the pools and hosts that the user named.
    pub(crate) fn named(&self) -> impl Iterator<Item = &PoolOrHost> {
        self.pool.iter().chain(&self.named_pool)
    }
}

/// How an agent runs. Flattened last, so that the help ends with these headings.
#[derive(Debug, Args)]
pub(crate) struct RuntimeArgs {
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Set a limit, such as node_call=10s.
    ///
    /// Can be repeated.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Advanced", hide_short_help = true)]
    pub(crate) limit: Vec<LimitFlag>,
    /// Print all limits with their values and effects, then exit.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) print_limits: bool,
    /// Show the calls to the node without making them.
    ///
    /// Does not contact the pool. `vipnode doctor` ignores this flag; it never changes the node.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) dry_run: bool,
}

impl RuntimeArgs {
    /// Returns the limits as they were set.
    pub(crate) fn limits(&self) -> Result<AgentLimits, CommandError> {
        let mut limits = AgentLimits::default();
        limit_flag::set(&mut limits, &self.limit, "agent")?;
        if limits.pool.pool_silence <= limits.pool.pool_ping {
            return Err(CommandError::SilenceBeforePing);
        }
        Ok(limits)
    }
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Connect to the node's admin RPC at this IPC path or URL.
    ///
    /// Takes the path of an IPC file, or an http://, https://, ws://, or wss:// URL that exposes the admin API.
    /// [default: detected from the arguments of running execution clients and from default paths]
    #[arg(long, value_name = "PATH|URL", help_heading = "Node")]
    pub(crate) rpc: Option<String>,
    /// Store keys, delegations, and journals in this directory.
    ///
    /// [default: ~/.local/state/vipnode]
    #[arg(long, value_name = "DIR", help_heading = "Identity", hide_short_help = true)]
    pub(crate) state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

impl NodeArgs {
    /// How the node may be reached, with these limits of its calls.
    pub(crate) fn access(&self, limits: NodeLimits) -> Result<NodeAccess, CliError> {
        Ok(NodeAccess { trust: self.trust()?, limits })
    }

    /// Which connections to the node and to the pool are allowed.
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        self.trust.trust()
    }
}

/// Which peers an agent accepts on the other side of a lease.
#[derive(Debug, Args)]
pub(crate) struct PeerFilterArgs {
    /// Reject peers older than a release, given as NAME/VERSION.
    ///
    /// For example, geth/1.17.0 rejects geth 1.16. Any release of other execution clients is accepted. Separate
    /// multiple values with commas.
    #[arg(long, value_name = "NAME/VERSION", value_delimiter = ',', help_heading = "Node", hide_short_help = true)]
    pub(crate) min_client_version: Vec<MinVersion>,
    /// Reject peers whose execution client matches this regex.
    #[arg(long, value_name = "REGEX", help_heading = "Node", hide_short_help = true)]
    pub(crate) reject_client: Option<VersionPattern>,
}

/// What a host sells and reserves.
#[derive(Debug, Args)]
pub(crate) struct HostingArgs {
    /// Sell this many peer slots.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = whole_number::<0, { u32::MAX }>, help_heading = "Hosting")]
    pub(crate) slots: u32,
    /// Reserve this many slots for the node's own peers.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = whole_number::<0, { u32::MAX }>, help_heading = "Hosting")]
    pub(crate) reserve: u32,
    /// Match the node's --maxpeers value (nodes do not report it over RPC).
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = whole_number::<0, { u32::MAX }>, help_heading = "Hosting")]
    pub(crate) node_max_peers: u32,
    /// Admit these nodes (IDs or enodes), with or without a pool.
    ///
    /// Separate multiple values with commas. Each node uses one peer slot in addition to the slots for sale.
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = allowed, help_heading = "Hosting", hide_short_help = true)]
    pub(crate) allow: Vec<Enode>,
    /// Register this Ethereum address to receive earnings.
    #[arg(long, value_name = "ADDRESS", help_heading = "Payment")]
    pub(crate) payout: Option<Account>,
    /// Offer no slots for less than this, after the pool's fee.
    ///
    /// For example "0.50 USDC/month" or "100 gwei/minute".
    #[arg(long, value_name = "PRICE", help_heading = "Payment", hide_short_help = true)]
    pub(crate) min_price: Option<QuotedPrice>,
    /// Do not serve clients on a free trial.
    ///
    /// A pool that charges for slots can offer new clients a free trial, for which hosts earn nothing.
    #[arg(long, help_heading = "Payment", hide_short_help = true)]
    pub(crate) no_trials: bool,
    /// Offer no slots while the newest block is older than this.
    ///
    /// Pass "off" for a private chain that does not produce blocks.
    #[arg(long, default_value = "10m", value_name = "TIME|off", value_parser = head_age, help_heading = "Hosting", hide_short_help = true)]
    pub(crate) max_head_age: HeadAge,
}

impl HostingArgs {
    pub(crate) fn host_config(&self) -> HostConfig {
        HostConfig {
            slots: self.slots,
            reserve: self.reserve,
            node_max_peers: self.node_max_peers,
            payout: self.payout,
            min_price: self.min_price.clone(),
            no_trials: self.no_trials,
            max_head_age_s: self.max_head_age.0.map(|age| age.as_secs()),
        }
    }
}

/// What a client looks for.
#[derive(Debug, Args)]
pub(crate) struct HostSelectionArgs {
    /// Stay connected to this many hosts.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = whole_number::<1, 64>, help_heading = "Client")]
    pub(crate) min_peers: u32,
    /// Pay at most this much for a slot, such as "100 gwei/minute".
    ///
    /// [default: the first price above zero that the pool announces]
    #[arg(long, value_name = "PRICE", help_heading = "Payment")]
    pub(crate) max_price: Option<QuotedPrice>,
    #[command(flatten)]
    pub(crate) pay: PayArgs,
    /// Require hosts to serve these capabilities, such as snap/1.
    ///
    /// A name without a version, such as les, matches any version. Separate multiple values with commas. A light node
    /// always requires les.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',', help_heading = "Client", hide_short_help = true)]
    pub(crate) need: Vec<Capability>,
}

/// A host takes one pool and no hosts.
fn host_pool(pool: clap::Arg) -> clap::Arg {
    pool.value_name("POOL").action(clap::ArgAction::Set).num_args(1).help("Connect to this pool").long_help(
        "Connect to this pool.\n\nIf you omit it, the agent uses the pool at ws://127.0.0.1:8080, if one responds there. \
         With --allow, no pool is needed.",
    )
}

#[derive(Debug, Args)]
#[command(
    override_usage = "vipnode host [OPTIONS] [POOL]",
    mut_arg(TYPED_POOL, host_pool),
    mut_arg(NAMED_POOL, |arg| arg.value_name("POOL")),
    after_help = "Examples:\n  vipnode host ws://127.0.0.1:8080 --slots 20 --payout 0x…\n  \
                  vipnode host --allow <NODE-ID>  admit a client without a pool"
)]
pub(crate) struct HostArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) hosting: HostingArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode client ws://127.0.0.1:8080 --min-peers 5\n  \
                        vipnode client enode://<id>@host.example:30303")]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) host_selection: HostSelectionArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode agent wss://pool.example --min-peers 5")]
pub(crate) struct AgentArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) hosting: HostingArgs,
    #[command(flatten)]
    pub(crate) host_selection: HostSelectionArgs,
    #[command(flatten)]
    pub(crate) runtime: RuntimeArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode release --rpc ~/.ethereum/geth.ipc\n\nExit codes:\n  0  no changes remain\n  \
                        1  changes remain on another node\n  \
                        2  the changes to this node could not be undone, or its journal is damaged"
)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Show the calls to the node without making them.
    #[arg(long, help_heading = "Advanced")]
    pub(crate) dry_run: bool,
}

/// The maximum age of the newest block; `None` is "off".
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadAge(pub(crate) Option<Duration>);

fn head_age(text: &str) -> Result<HeadAge, String> {
    if text == "off" {
        return Ok(HeadAge(None));
    }
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 10m, 90s, 1h or off"))?;
    Ok(HeadAge(Some(age)))
}
