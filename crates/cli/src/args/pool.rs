//! Flags of the pool.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use vipnode_pool::{AllowedOrigin, Network, ProxyHeader, StatusAudience, Welcome};
use vipnode_types::{Asset, PaymentMode, PaymentModeError, RpcUrl, TypedError as _, WHOLE_BPS};

use super::{
    JoinArgs, PoolChainArgs, PoolCommand, TlsArgs, WrittenPrice, listen_address::listen_address,
    original_pool::OriginalPool, whole_number::whole_number,
};
use crate::args::{asset_flag, chain_flag::ChainFlag, limit_flag::LimitFlag};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "Examples:\n  vipnode pool --tls-host pool.example.org  serve wss://pool.example.org\n  \
                        vipnode pool --members members.txt        admit only these node IDs")]
pub(crate) struct PoolArgs {
    /// Without a command: run a pool.
    #[command(subcommand)]
    pub(crate) command: Option<PoolCommand>,
    /// Listen on this address.
    ///
    /// A port without an address listens on the loopback interface only. [default: 127.0.0.1:8080, or 0.0.0.0:443 with
    /// --tls-host]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address, help_heading = "Pool")]
    bind: Option<SocketAddr>,
    /// Accept calls signed for this public URL of the pool.
    ///
    /// Agents sign the URL that they use to reach the pool. This flag is not needed if agents use an address that the
    /// pool itself listens on or a name in its certificate. It is needed if agents use any other name, a proxy, a
    /// published container port, or a URL with a path. Can be repeated.
    #[arg(long, value_name = "URL", value_parser = public_url, help_heading = "Pool", hide_short_help = true)]
    pub(crate) public_url: Vec<RpcUrl>,
    /// Store the pool's key, leases, and other state here.
    ///
    /// The key is created at the first start. Agents remember its public half, the pool's ID, and refuse a different
    /// pool at the same URL. The database, pool.db, contains nodes, leases, and what was metered, so leases survive a
    /// restart. Bans and drains are stored here too. [default: ~/.local/share/vipnode/pool]
    #[arg(long, value_name = "DIR", help_heading = "Pool")]
    pub(crate) datadir: Option<PathBuf>,
    /// Create a new key if the one in the data directory is lost.
    ///
    /// Agents that remember the pool's ID refuse the new one until their users pass --accept-pool-key. Without this
    /// flag, a pool whose directory has a database but no key does not start. An existing key is kept.
    #[arg(long, help_heading = "Pool", hide_short_help = true)]
    pub(crate) new_pool_key: bool,
    /// Keep the pool's state in a database (sqlite) or in memory.
    ///
    /// With memory, the pool has no ID, and leases, bans, and what was metered are lost when it stops.
    #[arg(
        long,
        value_name = "sqlite|memory",
        default_value = "sqlite",
        hide_possible_values = true,
        help_heading = "Pool",
        hide_short_help = true
    )]
    pub(crate) store: StoreName,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Admit only the nodes in this file (one node ID or enode per line).
    #[arg(long, value_name = "FILE", help_heading = "Pool")]
    pub(crate) members: Option<PathBuf>,
    /// Admit only agents that know a secret.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    /// Show this text to every agent that joins.
    ///
    /// {{.NodeID}} is replaced with the ID of the agent's node.
    #[arg(long, alias = "contract.welcome", value_name = "TEXT", help_heading = "Pool", hide_short_help = true)]
    pub(crate) welcome: Option<Welcome>,
    /// Charge this much for a slot, such as "100 gwei/minute".
    ///
    /// The period is ms, second, minute, hour, day, week, or month (30 days), a short form such as min, h, or d, or a
    /// multiple such as 6h. A price in ether without a period, such as "100 gwei", is per minute; only 0 needs no unit.
    /// The units are those of --asset. With --payment none, leases are metered, but nothing is owed.
    #[arg(long, alias = "contract.price", default_value = "0", value_name = "PRICE", help_heading = "Payment")]
    pub(crate) price: WrittenPrice,
    /// Set how clients pay: none, credit that the operator records, or x402.
    ///
    /// With credit, a client is served as long as the account that is linked to its node has funds. The operator
    /// records payments with `vipnode pool admin credit`.
    ///
    /// With x402, clients deposit a token into payment channels on a chain (--chain.rpc, --chain.token, --chain.receiver), and
    /// their agents sign vouchers for what they spend. The operator collects the payments with `vipnode pool admin claim`.
    ///
    /// With both, the operator pays hosts what `vipnode pool admin payouts` lists. Starting the pool with a different
    /// value ends all leases.
    #[arg(long, value_name = "none|credit|x402", default_value = "none", value_parser = payment, help_heading = "Payment", hide_short_help = true)]
    pub(crate) payment: PaymentMode,
    #[command(flatten)]
    pub(crate) deposits: PoolChainArgs,
    /// Keep this share of what clients pay, in basis points (0.01%).
    #[arg(long, value_name = "N", default_value = "0", value_parser = fee_bps, help_heading = "Payment", hide_short_help = true)]
    pub(crate) fee_bps: u16,
    /// Serve a new client for free for this long, or "off".
    ///
    /// At most 24h, with one host. Hosts can opt out (--no-trials), and paying clients have priority. If the client can pay
    /// when the trial ends, its lease continues at the pool's price. Requires --payment credit or x402, and a
    /// price.
    #[arg(long, default_value = "30m", value_name = "TIME|off", value_parser = trial_length, help_heading = "Payment", hide_short_help = true)]
    pub(crate) trial: TrialLength,
    /// Charge in this asset, such as USDC:6.
    ///
    /// The value is a symbol and the number of decimals of its largest unit. ETH:18 also has the units from wei to ether. The
    /// asset cannot be changed once the pool has had a price or recorded an amount.
    #[arg(
        long,
        default_value = "ETH:18",
        value_name = "SYMBOL:DECIMALS",
        value_parser = asset_flag::asset,
        help_heading = "Payment",
        hide_short_help = true
    )]
    pub(crate) asset: Asset,
    /// Set how often agents report (1s to 119s).
    ///
    /// If one side of a lease goes offline, the lease is metered up to that side's last report.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = report_interval, help_heading = "Pool", hide_short_help = true)]
    pub(crate) report_interval: Duration,
    /// Accept only nodes on this network.
    ///
    /// Takes mainnet, sepolia, holesky, hoodi, or a network ID.
    #[arg(long, value_name = "NETWORK", help_heading = "Pool", hide_short_help = true)]
    pub(crate) restrict_network: Option<Network>,
    /// Accept only this genesis block for a chain ID.
    ///
    /// Takes ID=GENESIS, such as 1337=0x…, with the hash of block 0. A node that has another genesis block for this ID is
    /// rejected. Protocol 2 agents, which send only the ID, are matched with nodes of this chain. Without this flag, they
    /// are matched with the genesis block whose proven hosts are spread over the largest number of wide address blocks
    /// (/16 or /32). Can be repeated.
    #[arg(long, value_name = "ID=GENESIS", help_heading = "Pool", hide_short_help = true)]
    pub(crate) chain: Vec<ChainFlag>,
    /// Return at most this many hosts per protocol 2 request.
    ///
    /// [default: 16]
    #[arg(long, value_name = "N", value_parser = whole_number::<1, 1_000>, help_heading = "Pool", hide_short_help = true)]
    pub(crate) max_request_hosts: Option<u32>,
    /// Set who can read the pool's status: public, members, or off.
    ///
    /// Members query it over the WebSocket of a connected agent.
    #[arg(long, value_name = "WHO", default_value = "public", help_heading = "Pool", hide_short_help = true)]
    pub(crate) status: StatusAudience,
    /// Allow web pages from this origin to call the pool.
    ///
    /// Calls from all other pages are rejected, except pages at the pool's own URLs. Takes an origin such as
    /// `https://pages.example`, or *. Can be repeated.
    #[arg(long, value_name = "ORIGIN", help_heading = "Advanced", hide_short_help = true)]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// Trust this reverse proxy to report client addresses.
    ///
    /// Takes an address, or a network such as 10.0.0.0/8. The header (--proxy-header) is ignored on connections from any
    /// other address.
    /// Can be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = proxy, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) proxy: Vec<IpNet>,
    /// Read client addresses from this proxy header.
    ///
    /// Takes x-forwarded-for, forwarded, or x-real-ip.
    #[arg(
        long,
        value_name = "HEADER",
        default_value = "x-forwarded-for",
        requires = "proxy",
        help_heading = "Advanced",
        hide_short_help = true
    )]
    pub(crate) proxy_header: ProxyHeader,
    /// Expect the PROXY protocol (v1 or v2) from this load balancer.
    ///
    /// Use it for load balancers that forward TCP connections and send the client's address first. Takes an address or
    /// a network. Can be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = proxy, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) proxy_protocol: Vec<IpNet>,
    /// Write a line of statistics this often (0s: never).
    ///
    /// The line counts hosts, clients, leases, requests, and refusals by reason. On a terminal, a line at the bottom shows the
    /// statistics instead.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = stats_interval, help_heading = "Output", hide_short_help = true)]
    pub(crate) stats_interval: Duration,
    /// Set a limit, such as calls_a_second=50.
    ///
    /// Can be repeated.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Advanced", hide_short_help = true)]
    pub(crate) limit: Vec<LimitFlag>,
    /// Check the settings and the files that they name, then exit.
    ///
    /// Reads the members, the join secret, the certificate, and the keys in the data directory, but does not start a
    /// pool. The exit code is 2 if one of them cannot be used.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) check_config: bool,
    /// Start even if the clock is far from the latest time in the database.
    ///
    /// Without this flag, the pool does not start if the clock is more than 24 hours behind or 90 days ahead, because
    /// the time of each lease depends on it. If the clock is behind, pool time continues from the latest time in the
    /// database.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) accept_clock: bool,
    /// Print all limits with their values and effects, then exit.
    #[arg(long, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) print_limits: bool,
    #[command(flatten)]
    pub(crate) original: OriginalPool,
}

/// Where a pool keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreName {
    /// A database in the data directory; `persist` in the original.
    #[value(alias = "persist")]
    Sqlite,
    /// Nothing is kept: the state ends with the process.
    Memory,
}

impl PoolArgs {
    /// Returns the address to listen on.
    pub(crate) fn bind(&self) -> SocketAddr {
        let usual = if self.tls.by_acme() { ([0, 0, 0, 0], 443) } else { ([127, 0, 0, 1], 8080) };
        self.bind.unwrap_or_else(|| SocketAddr::from(usual))
    }
}

/// Parses a URL with its scheme: the pool cannot know whether a proxy in front of it uses TLS.
fn public_url(text: &str) -> Result<RpcUrl, String> {
    let hint = |hint: Option<String>| hint.map_or_else(String::new, |hint| format!(". {hint}"));
    let url = text.parse::<RpcUrl>().map_err(|error| format!("{error}{}", hint(error.hint())))?;
    let host = url.host();
    if host.contains('*') || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_unspecified()) {
        return Err(format!("agents cannot connect to {host}: pass the host name or address of this pool"));
    }
    Ok(url)
}

/// Parses the time between two lines of statistics. More than one a second would fill a log.
fn stats_interval(text: &str) -> Result<Duration, String> {
    let every = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 60s, or 0s for never"))?;
    if every.is_zero() || every >= Duration::from_secs(1) {
        Ok(every)
    } else {
        Err("pass 1s or more, or 0s for never".to_owned())
    }
}

/// Parses a network; an address alone is a network of one.
fn proxy(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| "pass an address such as 10.0.0.1 or 2001:db8::1, or a network such as 10.0.0.0/8".to_owned())
}

/// Reads how clients pay; the error lists the modes.
fn payment(text: &str) -> Result<PaymentMode, String> {
    text.parse().map_err(|error: PaymentModeError| format!("{error}. {}", error.hint().unwrap_or_default()))
}

/// How long a trial is, in milliseconds; 0 for "off".
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrialLength(pub(crate) u64);

fn trial_length(text: &str) -> Result<TrialLength, String> {
    if text == "off" {
        return Ok(TrialLength(0));
    }
    let length = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 30m, 2h or off"))?;
    if length > Duration::from_secs(24 * 60 * 60) {
        return Err("pass at most 24h".to_owned());
    }
    Ok(TrialLength(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)))
}

/// Reads a fee of at most the whole.
pub(super) fn fee_bps(text: &str) -> Result<u16, String> {
    let fee = text.parse().ok().filter(|fee| *fee <= WHOLE_BPS);
    fee.ok_or_else(|| format!("expected a whole number from 0 to {WHOLE_BPS}"))
}

/// Parses an interval. More than one report per second adds load without news; after 180 s of silence an agent is
/// offline.
fn report_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 60s or 1m"))?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(119)).contains(&interval);
    if fits {
        Ok(interval)
    } else {
        Err("pass 1s to 119s: the pool considers an agent offline after 180 s of silence".to_owned())
    }
}
