//! Flags of the pool.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use ipnet::IpNet;
use vipnode_pool::{AllowedOrigin, Network, ProxyHeader, StatusAudience, Welcome};
use vipnode_types::Price;

use super::{JoinArgs, TlsArgs, original_pool::OriginalPool};
use crate::args::limit_flag::LimitFlag;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode pool --tls-host pool.example.org  run wss://pool.example.org\n  \
                        vipnode pool --members members.txt        admit only these node ids")]
pub(crate) struct PoolArgs {
    /// Listen on this address.
    ///
    /// [default: 127.0.0.1:8080, or 0.0.0.0:443 with --tls-host]
    #[arg(long, value_name = "ADDRESS", help_heading = "Pool")]
    bind: Option<SocketAddr>,
    /// Accept calls that agents signed for this URL of the pool.
    ///
    /// Agents sign the URL under which they reach the pool. May be given several times.
    #[arg(long, value_name = "URL", help_heading = "Pool")]
    pub(crate) public_url: Vec<String>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Admit only the node ids in this file, one per line.
    #[arg(long, value_name = "FILE", help_heading = "Pool")]
    pub(crate) members: Option<PathBuf>,
    /// Admit only agents that know a secret.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    /// Show this text to every agent that joins.
    ///
    /// {{.NodeID}} in it stands for the id of the agent's node.
    #[arg(long, alias = "contract.welcome", value_name = "TEXT", help_heading = "Pool", hide_short_help = true)]
    pub(crate) welcome: Option<Welcome>,
    /// Charge this much per slot and minute: "100 gwei".
    ///
    /// Leases are metered; this version collects nothing.
    #[arg(long, alias = "contract.price", default_value = "0", value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) price: Price,
    /// Have agents report this often (1s to 119s).
    ///
    /// When one side of a lease dies, the lease is metered up to the last report of that side.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = report_interval, help_heading = "Pool", hide_short_help = true)]
    pub(crate) report_interval: Duration,
    /// Accept nodes of this network only.
    ///
    /// Takes mainnet, sepolia, holesky, hoodi, or a network id.
    #[arg(long, value_name = "NETWORK", help_heading = "Pool")]
    pub(crate) restrict_network: Option<Network>,
    /// Return at most this many hosts per protocol 2 request.
    ///
    /// [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "Pool", hide_short_help = true)]
    pub(crate) max_request_hosts: Option<u32>,
    /// Show the pool's status to these: public, members or off.
    ///
    /// Members ask on the WebSocket of a connected agent.
    #[arg(long, value_name = "WHO", default_value = "public", help_heading = "Pool", hide_short_help = true)]
    pub(crate) status: StatusAudience,
    /// Allow web pages of this origin to call the pool.
    ///
    /// Takes an origin such as `https://pages.example`, or *. May be given several times.
    #[arg(long, value_name = "ORIGIN", help_heading = "Advanced", hide_short_help = true)]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// Trust this reverse proxy to report client addresses.
    ///
    /// Takes an address, or a network such as 10.0.0.0/8. The header of any other sender is ignored. May be given
    /// several times.
    #[arg(long, value_name = "ADDRESS", value_parser = proxy, help_heading = "Advanced", hide_short_help = true)]
    pub(crate) proxy: Vec<IpNet>,
    /// Read client addresses from this header of the proxy.
    ///
    /// Takes x-forwarded-for, forwarded or x-real-ip.
    #[arg(
        long,
        value_name = "HEADER",
        default_value = "x-forwarded-for",
        requires = "proxy",
        help_heading = "Advanced",
        hide_short_help = true
    )]
    pub(crate) proxy_header: ProxyHeader,
    /// Set a limit, such as calls_a_second=50.
    ///
    /// May be given several times.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Advanced", hide_short_help = true)]
    pub(crate) limit: Vec<LimitFlag>,
    /// Print all limits with their values and effects, then exit.
    #[arg(long, help_heading = "Advanced")]
    pub(crate) print_limits: bool,
    #[command(flatten)]
    pub(crate) original: OriginalPool,
}

impl PoolArgs {
    /// Where to listen.
    pub(crate) fn bind(&self) -> SocketAddr {
        let usual = if self.tls.by_acme() { ([0, 0, 0, 0], 443) } else { ([127, 0, 0, 1], 8080) };
        self.bind.unwrap_or_else(|| SocketAddr::from(usual))
    }
}

/// An address alone is a network of one.
fn proxy(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| "pass an address such as 10.0.0.1 or 2001:db8::1, or a network such as 10.0.0.0/8".to_owned())
}

/// More than one report per second is load without news; an agent that is silent for 180 s is down.
fn report_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 60s or 1m"))?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(119)).contains(&interval);
    if fits {
        Ok(interval)
    } else {
        Err("pass 1s to 119s: the pool considers an agent that is silent for 180 s down".to_owned())
    }
}
