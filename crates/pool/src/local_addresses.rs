use std::net::{IpAddr, Ipv4Addr};

/// The most addresses that are listed: a machine with containers can have thousands.
const LISTED: usize = 8;

/// Returns the addresses at which agents reach a socket bound to this address, IPv4 first. For an unspecified address those
/// are the machine's, without loopback and link-local ones; a machine that has none is reached at its loopback address only.
#[must_use]
pub fn addresses_at(bound: IpAddr) -> Vec<IpAddr> {
    if !bound.is_unspecified() {
        return vec![bound];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list the addresses of this machine");
        Vec::new()
    });
    let mut found: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(|ip| is_reached(*ip)).collect();
    // A socket bound to 0.0.0.0 does not accept IPv6; one bound to [::] accepts both.
    found.retain(|ip| ip.is_ipv4() || bound.is_ipv6());
    found.sort_unstable();
    found.dedup();
    found.truncate(LISTED);
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found
}

fn is_reached(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !link_local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_others_can_reach_are_listed() {
        for (ip, reached) in [("10.0.0.1", true), ("fd00::1", true), ("127.0.0.1", false), ("fe80::1", false)] {
            assert_eq!(is_reached(ip.parse().unwrap()), reached, "{ip}");
        }
        let found = addresses_at(Ipv4Addr::UNSPECIFIED.into());
        assert!(!found.is_empty() && found.len() <= LISTED && found.iter().all(IpAddr::is_ipv4), "{found:?}");
        assert_eq!(addresses_at(Ipv4Addr::LOCALHOST.into()), [Ipv4Addr::LOCALHOST]);
    }
}
