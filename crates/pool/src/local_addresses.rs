use std::net::{IpAddr, Ipv4Addr};

use vipnode_rpc::own_addresses;

/// The most addresses that are listed: a machine with containers can have thousands.
const LISTED: usize = 8;

/// Returns the addresses at which agents reach a socket bound to this address, IPv4 first, and of those the address of the
/// default route first and those of container networks last. For an unspecified address those
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
    let routed = own_addresses();
    let mut ranked: Vec<(bool, AddressRank, IpAddr)> = interfaces
        .iter()
        .map(|interface| (interface.ip(), AddressRank::of(&interface.name, interface.ip(), &routed)))
        // A socket bound to 0.0.0.0 does not accept IPv6; one bound to [::] accepts both.
        .filter(|(ip, _)| is_reached(*ip) && (ip.is_ipv4() || bound.is_ipv6()))
        .map(|(ip, rank)| (ip.is_ipv6(), rank, ip))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.truncate(LISTED);
    let mut found: Vec<IpAddr> = ranked.into_iter().map(|(_, _, ip)| ip).collect();
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found
}

/// How likely other machines reach an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AddressRank {
    /// This machine uses it for connections beyond its networks.
    Routed,
    Other,
    /// Of loopback, or of a network of containers or virtual machines.
    Inside,
}

impl AddressRank {
    fn of(interface: &str, ip: IpAddr, routed: &[IpAddr]) -> Self {
        let inside = ["lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "podman", "lxc"];
        if routed.contains(&ip) {
            Self::Routed
        } else if inside.iter().any(|name| interface.starts_with(name)) {
            Self::Inside
        } else {
            Self::Other
        }
    }
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
    fn the_default_route_comes_first_and_containers_last() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let routed = [ip("192.168.1.5")];
        let mut found = [("docker0", "172.17.0.1"), ("lo", "11.0.0.1"), ("eth1", "10.0.0.1"), ("eth0", "192.168.1.5")]
            .map(|(name, address)| (AddressRank::of(name, ip(address), &routed), ip(address)));
        found.sort_unstable();
        assert_eq!(found.map(|(_, ip)| ip.to_string()), ["192.168.1.5", "10.0.0.1", "11.0.0.1", "172.17.0.1"]);
    }

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
