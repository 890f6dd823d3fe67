//! Flags for the protocol between an agent and its pool. Most are the original's, with the original's meaning.

use std::time::Duration;

use clap::Args;
use vipnode_agent_core::Advertise;
use vipnode_types::{Enode, EnodeHost, NodeId};

use crate::error::TargetError;

#[derive(Debug, Args)]
pub(crate) struct ProtocolArgs {
    /// Use this version of the pool protocol.
    ///
    /// Use version 2 for a pool of the original vipnode. In version 2 the node key signs every call, so the agent reads
    /// the key at every start.
    #[arg(long, default_value_t = 3, value_name = "2|3", value_parser = clap::value_parser!(u8).range(2..=3), help_heading = "Pool", hide_short_help = true)]
    pub(crate) protocol: u8,
    /// Also allow an older agent to connect this node over protocol 2.
    #[arg(long, help_heading = "Pool", hide_short_help = true)]
    pub(crate) allow_protocol_2: bool,
    /// Advertise this enode instead of the one the node reports.
    #[arg(long, value_name = "ENODE", value_parser = own_enode, help_heading = "Node", hide_short_help = true)]
    pub(crate) enode: Option<Enode>,
    /// Advertise this host instead of the one the node reports.
    ///
    /// The port does not change. Other agents dial a private address only if they reach the pool at a private address, and a
    /// host name only if the pool is on their own machine, unless they run with --dial-private.
    #[arg(long = "enode.host", value_name = "HOST", value_parser = enode_host, conflicts_with = "enode", help_heading = "Node", hide_short_help = true)]
    pub(crate) enode_host: Option<EnodeHost>,
    /// Set how often to report over protocol 2.
    ///
    /// Must be more than 5s and less than 120s. [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = update_interval, help_heading = "Pool", hide_short_help = true)]
    pub(crate) update_interval: Option<Duration>,
    /// Disconnect every peer that has no lease.
    ///
    /// Static and trusted peers in the node's own settings stay connected. While the pool is unreachable, the last list of
    /// leases applies. A disconnected peer can reconnect. To see the node flags that prevent this, run `vipnode doctor
    /// --strict-peers`.
    #[arg(long, help_heading = "Node", hide_short_help = true)]
    pub(crate) strict_peers: bool,
}

impl ProtocolArgs {
    /// Returns the address that other nodes are given to dial.
    pub(crate) fn advertise(&self) -> Advertise {
        match (&self.enode, &self.enode_host) {
            (Some(enode), _) => Advertise::Enode(enode.clone()),
            (None, Some(host)) => Advertise::Host(host.clone()),
            (None, None) => Advertise::Node,
        }
    }
}

/// How often the original's agents report.
pub(crate) const UPDATE_INTERVAL: Duration = Duration::from_secs(60);

/// Reads an interval; the limits and their reasons are the original's.
fn update_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 60s or 1m"))?;
    if interval <= Duration::from_secs(5) {
        return Err("too often: updates would flood the pool; pass more than 5s, such as 60s".to_owned());
    }
    if interval >= Duration::from_secs(120) {
        return Err(
            "too seldom: a pool of the original considers a node offline after 120 s of silence; pass less, such as 60s"
                .to_owned()
        );
    }
    Ok(interval)
}

/// Reads the enode for others to dial. Without an address, nobody could.
fn own_enode(text: &str) -> Result<Enode, TargetError> {
    let enode = Enode::typed(text)?;
    if enode.host == EnodeHost::None { Err(TargetError::BareId) } else { Ok(enode) }
}

/// The host of an enode: an address, IPv6 with brackets or without (fault D34, docs/faults.md), or a name.
fn enode_host(text: &str) -> Result<EnodeHost, String> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
        return Ok(EnodeHost::Ip(ip));
    }
    let read: Result<Enode, _> =
        Enode { host: EnodeHost::Dns(text.into()), port: 1, ..Enode::id_only(NodeId::new([0; 64])) }
            .to_string()
            .parse();
    read.map(|enode| enode.host).map_err(|_not_one| {
        "not a valid address or host name; omit the port, which always comes from the node".to_owned()
    })
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
    fn an_enode_that_nobody_can_dial_is_not_advertised() {
        let id = "0a".repeat(64);
        for bare in [id.clone(), format!("0x{id}"), format!("enode://{id}")] {
            assert!(matches!(own_enode(&bare), Err(TargetError::BareId)), "{bare}");
        }
        let enode = format!("enode://{id}@203.0.113.7:30303");
        assert_eq!(own_enode(&enode).map(|enode| enode.to_string()).ok(), Some(enode));
    }

    #[test]
    fn each_fault_of_the_interval_has_its_reason() {
        assert!(update_interval("5s").unwrap_err().contains("flood"));
        assert!(update_interval("120s").unwrap_err().contains("offline"));
        assert!(update_interval("often").unwrap_err().contains("pass 60s"));
        assert_eq!(update_interval("5001ms"), Ok(Duration::from_millis(5_001)));
        assert_eq!(update_interval("119s"), Ok(Duration::from_secs(119)));
    }
}
