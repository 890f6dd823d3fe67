use std::net::{IpAddr, SocketAddr};

use vipnode_types::RpcUrl;

/// How a request reached the pool: the two ends of its connection, if the pool knows them.
///
/// A URL that names no host but an address leads to different pools on different machines. Without this check, a pool on
/// another machine could pass on a signature that was made for a pool at `ws://127.0.0.1:8080`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The caller's own connection, or one that the header of a named balancer describes.
    Direct {
        /// The address that the caller connected to.
        local: SocketAddr,
        /// The caller's address.
        remote: IpAddr,
    },
    /// Through a proxy that `--proxy` names, and that names its client: the pool does not know which address the caller connected to.
    Proxied,
    /// From an unknown caller: through a proxy on this machine that `--proxy` does not name, or from a proxy that it names but
    /// that does not name its client. The pool does not know the caller's address either, so it does not use addresses that
    /// the caller claims. It treats the request as that of a stranger at the proxy's address.
    Hidden,
}

impl Arrival {
    /// Whether the URL names the address at which this request arrived. Every machine has the same loopback addresses, so
    /// both ends must be on this machine for them.
    pub(crate) fn is_at(&self, url: &RpcUrl) -> bool {
        let Self::Direct { local, remote } = self else { return false };
        if url.port() != local.port() {
            return false;
        }
        let ip = local.ip().to_canonical();
        if url.is_local() {
            return ip.is_loopback() && remote.to_canonical().is_loopback();
        }
        url.host().parse::<IpAddr>().is_ok_and(|host| host.to_canonical() == ip)
    }

    /// Whether the request comes from this machine, from whom it claims to come.
    pub(crate) fn is_from_this_machine(&self) -> bool {
        matches!(self, Self::Direct { local, remote } if local.ip().to_canonical().is_loopback()
            && remote.to_canonical().is_loopback())
    }

    /// Returns the address and port at which this request arrived.
    pub(crate) const fn local(&self) -> Option<SocketAddr> {
        match self {
            Self::Direct { local, .. } => Some(*local),
            Self::Proxied | Self::Hidden => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_an_address_counts_only_where_the_request_arrived_at_it() {
        let direct = |local: &str, remote: &str| Arrival::Direct {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
        };
        let is_at = |arrival: &Arrival, url: &str| arrival.is_at(&url.parse().unwrap());
        let here = direct("127.0.0.1:8080", "127.0.0.1");
        for url in ["ws://127.0.0.1:8080", "http://localhost:8080/rpc", "ws://[::1]:8080/", "ws://127.9.9.9:8080"] {
            assert!(is_at(&here, url), "{url}");
        }
        for url in ["ws://127.0.0.1:8081", "ws://127.0.0.1", "ws://10.0.0.1:8080", "ws://pool.example:8080"] {
            assert!(!is_at(&here, url), "{url}");
        }
        let lan = direct("10.0.0.1:8080", "10.0.0.9");
        assert!(is_at(&lan, "ws://10.0.0.1:8080") && is_at(&lan, "ws://[::ffff:10.0.0.1]:8080"));
        assert!(!is_at(&lan, "ws://10.0.0.2:8080") && !is_at(&lan, "ws://127.0.0.1:8080"));
        assert!(
            is_at(&direct("[::ffff:10.0.0.1]:8080", "10.0.0.9"), "ws://10.0.0.1:8080"),
            "a socket of both families"
        );
        assert!(!is_at(&direct("127.0.0.1:8080", "10.0.0.9"), "ws://127.0.0.1:8080"), "not both ends");
        for proxied in [Arrival::Proxied, Arrival::Hidden] {
            assert!(!is_at(&proxied, "ws://127.0.0.1:8080"));
        }
    }
}
