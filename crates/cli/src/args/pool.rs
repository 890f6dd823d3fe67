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
#[command(
    after_help = "Examples:\n  vipnode pool --tls-host pool.example.org         a public pool at wss://pool.example.org\n  \
                        vipnode pool --members members.txt        only these node ids, one a line"
)]
pub(crate) struct PoolArgs {
    /// Where to listen [default: 127.0.0.1:8080; with --tls-host 0.0.0.0:443].
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
    /// A URL under which agents reach this pool; what they sign names it. May be given several times.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Vec<String>,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Admit only these nodes: a file with a node id a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) members: Option<PathBuf>,
    /// Admit only agents that know a secret.
    #[command(flatten)]
    pub(crate) join: JoinArgs,
    /// Shown to every agent that joins; {{.NodeID}} in it stands for the agent's node.
    #[arg(long, alias = "contract.welcome", value_name = "TEXT")]
    pub(crate) welcome: Option<Welcome>,
    /// What a place costs a minute: "100 gwei". Metered; nothing is collected in this version.
    #[arg(long, alias = "contract.price", default_value = "0", value_name = "AMOUNT")]
    pub(crate) price: Price,
    /// How often agents report, 1s to 119s. A lease whose side dies is metered up to its last report.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = report_interval)]
    pub(crate) report_interval: Duration,
    /// Take nodes of one network only: mainnet, sepolia, holesky, hoodi, or a network id.
    #[arg(long, value_name = "NETWORK")]
    pub(crate) restrict_network: Option<Network>,
    /// Hosts that one request of protocol 2 is given at most [default: 16].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) max_request_hosts: Option<u32>,
    /// Who may see the pool's status: public, members (on the WebSocket of an agent that connected) or off.
    #[arg(long, value_name = "WHO", default_value = "public")]
    pub(crate) status: StatusAudience,
    /// A web page that may call this pool, such as `https://pages.example`, or *. May be given several times.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<AllowedOrigin>,
    /// A proxy before this pool, by address or network (10.0.0.0/8). On its connections an agent's address comes
    /// from a header; nobody else's header counts. May be given several times.
    #[arg(long, value_name = "ADDRESS", value_parser = proxy)]
    pub(crate) proxy: Vec<IpNet>,
    /// The header in which the proxy says who came to it: x-forwarded-for, forwarded or x-real-ip.
    #[arg(long, value_name = "HEADER", default_value = "x-forwarded-for", requires = "proxy")]
    pub(crate) proxy_header: ProxyHeader,
    /// Set a limit, such as calls_a_second=50. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) limit: Vec<LimitFlag>,
    /// Print every limit, what it is set to and what happens there, and end.
    #[arg(long)]
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
    net.map_err(|_| "an address such as 10.0.0.1 or 2001:db8::1, or a network such as 10.0.0.0/8".to_owned())
}

/// A15. Below a second reports are load and no news; an agent silent for 180 s is down.
fn report_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: write 60s or 1m"))?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(119)).contains(&interval);
    if fits { Ok(interval) } else { Err("from 1s to 119s, since an agent silent for 180 s is down".to_owned()) }
}
