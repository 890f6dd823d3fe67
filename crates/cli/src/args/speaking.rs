//! Flags of how an agent speaks to its pool. Most are the original's, with the original's meaning.

use std::time::Duration;

use clap::Args;
use vipnode_types::{Enode, EnodeHost, NodeId};

#[derive(Debug, Args)]
pub(crate) struct Speaking {
    /// 2 for a pool of the original vipnode: the node's key then signs every call, so it has to be readable at
    /// each start.
    #[arg(long, default_value_t = 3, value_name = "2|3", value_parser = clap::value_parser!(u8).range(2..=3))]
    pub(crate) protocol: u8,
    /// Over protocol 3: let the pool take this node over protocol 2 as well, for an old agent beside this one.
    #[arg(long)]
    pub(crate) allow_protocol_2: bool,
    /// Where others dial the node, if that is not what it says of itself.
    #[arg(long, value_name = "ENODE")]
    pub(crate) enode: Option<Enode>,
    /// The host where others dial the node; the port stays.
    #[arg(long = "enode.host", value_name = "HOST", value_parser = enode_host, conflicts_with = "enode")]
    pub(crate) enode_host: Option<EnodeHost>,
    /// Over protocol 2: how often to report, more than 5s and less than 120s [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = update_interval)]
    pub(crate) update_interval: Option<Duration>,
    /// Disconnect every peer that is on no lease, but those that the node keeps by its own settings. Keeps the last list
    /// while the pool is away. Who is disconnected may come back: `vipnode doctor` says what closes the node.
    #[arg(long)]
    pub(crate) strict_peers: bool,
}

/// How often the original's agents report.
pub(crate) const UPDATE_INTERVAL: Duration = Duration::from_secs(60);

/// A15, with the original's reasons.
fn update_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: write 60s or 1m"))?;
    if interval <= Duration::from_secs(5) {
        return Err("too often: a pool is not to be flooded with updates; give more than 5s, like 60s".to_owned());
    }
    if interval >= Duration::from_secs(120) {
        return Err(
            "too rarely: the pool takes a node that is silent for 120 s for gone; give less, like 60s".to_owned()
        );
    }
    Ok(interval)
}

/// The host of an enode: an address, IPv6 with brackets or without (D34), or a name.
fn enode_host(text: &str) -> Result<EnodeHost, String> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
        return Ok(EnodeHost::Ip(ip));
    }
    let read: Result<Enode, _> =
        Enode { host: EnodeHost::Dns(text.into()), port: 1, ..Enode::id_only(NodeId::new([0; 64])) }
            .to_string()
            .parse();
    read.map(|enode| enode.host)
        .map_err(|_not_one| "it is no address and no name; the port stays the node's own".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d34_a_host_is_an_address_or_a_name_and_never_a_port() {
        for (text, host) in [("1.2.3.4", "1.2.3.4"), ("[2001:db8::1]", "2001:db8::1"), ("2001:db8::1", "2001:db8::1")] {
            assert_eq!(enode_host(text), Ok(EnodeHost::Ip(host.parse().unwrap())));
        }
        assert_eq!(enode_host("node.example"), Ok(EnodeHost::Dns("node.example".into())));
        for bad in ["", "1.2.3.4:30303", "a b", "a@b", "enode://x"] {
            assert!(enode_host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn each_fault_of_the_interval_has_its_reason() {
        assert!(update_interval("5s").unwrap_err().contains("flooded"));
        assert!(update_interval("120s").unwrap_err().contains("gone"));
        assert!(update_interval("often").unwrap_err().contains("write 60s"));
        assert_eq!(update_interval("5001ms"), Ok(Duration::from_millis(5_001)));
        assert_eq!(update_interval("119s"), Ok(Duration::from_secs(119)));
    }
}
