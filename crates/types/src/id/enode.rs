use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use crate::{NodeId, NodeIdError, errors, text_form::serde_as_text};

/// The address at which a node can be dialed: `enode://<id>@<host>:<port>?discport=<port>`.
///
/// ```
/// use vipnode_types::Enode;
///
/// let text = format!("enode://{}@[2001:db8::1]:30303", "ab".repeat(64));
/// let enode: Enode = text.parse()?;
/// assert_eq!((enode.ip(), enode.port), ("2001:db8::1".parse().ok(), 30_303));
/// assert_eq!(enode.to_string(), text);
/// # Ok::<(), vipnode_types::EnodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Enode {
    /// The node's ID.
    pub id: NodeId,
    /// The host part; [`EnodeHost::None`] suffices to trust or to remove a node.
    pub host: EnodeHost,
    /// TCP port of devp2p; 0 where the host is [`EnodeHost::None`].
    pub port: u16,
    /// UDP port of discovery where it differs, 0 where discovery is off.
    pub disc_port: Option<u16>,
}

/// The host part of an [`Enode`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EnodeHost {
    /// `enode://<id>` alone.
    None,
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A DNS name, which the reader has to resolve.
    Dns(Box<str>),
}

errors! {
    /// Why a text is not an [`Enode`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum EnodeError {
        /// The text does not begin with `enode://`.
        Scheme: local, "an enode starts with enode:// (this looks like an ENR or a bare node ID)",
            hint "Write it as enode://ID@HOST:PORT. To print a node's enode, run `geth attach --exec admin.nodeInfo.enode`.";
        /// The part before the @ is not a node ID.
        Id {
            /// What is wrong with it.
            why: NodeIdError,
        }: local, "the enode is not valid: {why}", hint_of why;
        /// The host is mistyped, or an IPv6 address is not in brackets.
        Host: local, "the host in the enode is not a valid IP address or DNS name",
            hint "Write it as enode://ID@HOST:PORT, with an IPv6 address in brackets.";
        /// The port is missing, mistyped, or out of range.
        Port: local, "the port in the enode is not a number from 1 to 65535",
            hint "Write it as enode://ID@HOST:PORT.";
        /// The node was started without a listening port.
        PortZero: local, "the port in the enode is 0, which means that the node does not accept connections",
            hint "Start the node with a p2p port, such as geth --port 30303, and print its enode again.";
        /// The enode contains a link-local IPv6 address with the name of a network interface.
        Zone: local, "the address in the enode has a zone ID (after the %), which is valid on one machine only",
            hint "Use an address without a zone ID that other machines can reach.";
        /// The `discport` in the query is not a port.
        Query: local, "the discport in the enode is not a number from 0 to 65535",
            hint "Write it as enode://ID@HOST:PORT?discport=PORT, or remove everything from the ? on.";
        /// The text is longer than any real enode.
        Length: local, "an enode can have at most 512 characters",
            hint "Write it as enode://ID@HOST:PORT.";
    }
}

impl From<NodeIdError> for EnodeError {
    fn from(why: NodeIdError) -> Self {
        Self::Id { why }
    }
}

const MAX_TEXT: usize = 512;

impl Enode {
    /// An enode that names a node without saying where it is.
    #[must_use]
    pub const fn id_only(id: NodeId) -> Self {
        Self { id, host: EnodeHost::None, port: 0, disc_port: None }
    }

    /// The enode of a node at an address.
    #[must_use]
    pub const fn at(id: NodeId, ip: IpAddr, port: u16) -> Self {
        Self { id, host: EnodeHost::Ip(ip), port, disc_port: None }
    }

    /// The address, where the host part is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self.host {
            EnodeHost::Ip(ip) => Some(ip),
            EnodeHost::None | EnodeHost::Dns(_) => None,
        }
    }

    /// The same node at another address.
    #[must_use]
    pub fn with_ip(&self, ip: IpAddr) -> Self {
        Self { host: EnodeHost::Ip(ip), ..self.clone() }
    }
}

impl FromStr for Enode {
    type Err = EnodeError;

    fn from_str(text: &str) -> Result<Self, EnodeError> {
        if text.len() > MAX_TEXT {
            return Err(EnodeError::Length);
        }
        let rest = text.strip_prefix("enode://").ok_or(EnodeError::Scheme)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let disc_port = query.map(parse_query).transpose()?.flatten();
        let Some((id, address)) = rest.split_once('@') else {
            return Ok(Self { disc_port, ..Self::id_only(rest.parse()?) });
        };
        let id = id.parse()?;
        let (host, port) = address.rsplit_once(':').ok_or(EnodeError::Port)?;
        let host = parse_host(host)?;
        let port = match parse_port(port) {
            Some(0) => return Err(EnodeError::PortZero),
            Some(port) => port,
            None => return Err(EnodeError::Port),
        };
        Ok(Self { id, host, port, disc_port })
    }
}

/// Parameters other than `discport` are ignored: forks of clients add some (`raftport` of Quorum).
fn parse_query(query: &str) -> Result<Option<u16>, EnodeError> {
    let port = query.split('&').find_map(|parameter| parameter.strip_prefix("discport="));
    port.map(|port| parse_port(port).ok_or(EnodeError::Query)).transpose()
}

/// Digits only: `u16::from_str` would take a plus sign.
fn parse_port(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn parse_host(host: &str) -> Result<EnodeHost, EnodeError> {
    if host.contains('%') {
        return Err(EnodeError::Zone);
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let ip: Ipv6Addr = inner.parse().map_err(|_| EnodeError::Host)?;
        return Ok(EnodeHost::Ip(IpAddr::V6(ip)));
    }
    if let Ok(ip) = host.parse::<std::net::Ipv4Addr>() {
        return Ok(EnodeHost::Ip(IpAddr::V4(ip)));
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if host.len() > 253 || numeric || !name.split('.').all(label) {
        return Err(EnodeError::Host);
    }
    Ok(EnodeHost::Dns(host.into()))
}

impl fmt::Display for Enode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enode://{}", self.id)?;
        match &self.host {
            EnodeHost::None => {}
            EnodeHost::Ip(IpAddr::V4(ip)) => write!(f, "@{ip}:{}", self.port)?,
            EnodeHost::Ip(IpAddr::V6(ip)) => write!(f, "@[{ip}]:{}", self.port)?,
            EnodeHost::Dns(name) => write!(f, "@{name}:{}", self.port)?,
        }
        match self.disc_port {
            Some(port) => write!(f, "?discport={port}"),
            None => Ok(()),
        }
    }
}

serde_as_text!(Enode);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> String {
        "0a".repeat(64)
    }

    #[test]
    fn reads_what_clients_write() {
        for place in [
            "@127.0.0.1:30303",
            "@10.3.58.6:30303?discport=30301",
            "@[::1]:30303",
            "@bootnode.example.org:1",
            "",
            "@1.2.3.4:30303?discport=0",
        ] {
            let text = format!("enode://{}{place}", id());
            assert_eq!(text.parse::<Enode>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parameters_of_forks_are_ignored() {
        for (query, disc_port) in [
            ("?discport=0&raftport=50400", Some(0)),
            ("?raftport=50400", None),
            ("?x&discport=7", Some(7)),
            ("?", None),
        ] {
            let enode: Enode = format!("enode://{}@10.0.0.1:30303{query}", id()).parse().unwrap();
            assert_eq!((enode.port, enode.disc_port), (30_303, disc_port), "{query}");
        }
    }

    #[test]
    fn refuses_the_rest_with_a_reason() {
        let with = |place: &str| format!("enode://{}{place}", id()).parse::<Enode>();
        assert_eq!("enr:-abc".parse::<Enode>(), Err(EnodeError::Scheme));
        assert_eq!(with("@127.0.0.1"), Err(EnodeError::Port));
        assert_eq!(with("@127.0.0.1:0"), Err(EnodeError::PortZero));
        assert_eq!(with("@[fe80::1%eth0]:30303"), Err(EnodeError::Zone));
        assert_eq!(with("@127.0.0.1:+1"), Err(EnodeError::Port));
        assert_eq!(with("@127.0.0.1:65536"), Err(EnodeError::Port));
        assert_eq!(with("@::1:30303"), Err(EnodeError::Host));
        assert_eq!(with("@1.2.3:30303"), Err(EnodeError::Host));
        assert_eq!(with("@a b:30303"), Err(EnodeError::Host));
        assert_eq!(with("@a:1?x=1&discport=x"), Err(EnodeError::Query));
        assert!(matches!("enode://00@a:1".parse::<Enode>(), Err(EnodeError::Id { .. })));
    }

    #[test]
    fn d34_ipv6_keeps_its_brackets() {
        let enode = Enode::at(NodeId::new([1; 64]), "2001:db8::1".parse().unwrap(), 30303);
        assert!(enode.to_string().ends_with("@[2001:db8::1]:30303"));
    }

    proptest! {
        #[test]
        fn parses_what_it_prints(key in any::<[u8; 32]>(), ip in any::<IpAddr>(), port in 1u16.., disc in any::<Option<u16>>()) {
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&key);
            let enode = Enode { disc_port: disc, ..Enode::at(NodeId::new(bytes), ip, port) };
            prop_assert_eq!(enode.to_string().parse::<Enode>().unwrap(), enode);
        }

        #[test]
        fn never_panics(text in ".{0,300}") {
            if let Ok(enode) = format!("enode://{text}").parse::<Enode>() {
                prop_assert_eq!(enode.to_string().parse::<Enode>(), Ok(enode));
            }
        }
    }
}
