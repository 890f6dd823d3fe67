use std::net::{IpAddr, Ipv4Addr};

/// How far an address reaches, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressScope {
    /// One machine.
    Loopback,
    /// One link: `169.254.0.0/16`, `fe80::/10`.
    Link,
    /// A private network: the private ranges of IPv4, the addresses that providers share among customers (CGNAT,
    /// `100.64.0.0/10`), and the unique local addresses of IPv6.
    Private,
    /// The Internet.
    Public,
}

impl AddressScope {
    /// Returns the scope of an address; `None` if it is not the address of one machine (unspecified, broadcast, multicast).
    #[must_use]
    pub fn of(ip: IpAddr) -> Option<Self> {
        Some(match ip.to_canonical() {
            // 0.0.0.0/8 is "this network": Linux connects to 0.0.0.0 as to itself.
            IpAddr::V4(ip) if ip.octets()[0] == 0 || ip.is_broadcast() || ip.is_multicast() => return None,
            IpAddr::V4(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V4(ip) if ip.is_link_local() => Self::Link,
            IpAddr::V4(ip) if ip.is_private() || is_shared(ip) => Self::Private,
            IpAddr::V6(ip) if ip.is_unspecified() || ip.is_multicast() => return None,
            IpAddr::V6(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::Link,
            IpAddr::V6(ip) if ip.is_unique_local() => Self::Private,
            IpAddr::V4(_) | IpAddr::V6(_) => Self::Public,
        })
    }

    /// Whether addresses of this scope mean the same machine to a node that is observed in another scope: in the same or a
    /// narrower one. Those of a link never do, because they need the name of an interface.
    #[must_use]
    pub fn is_reachable_from(self, observed: Self) -> bool {
        self != Self::Link && observed <= self
    }
}

/// Addresses that a provider shares among its customers (CGNAT).
const fn is_shared(ip: Ipv4Addr) -> bool {
    let [a, b, _, _] = ip.octets();
    a == 100 && b & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Option<AddressScope> {
        AddressScope::of(text.parse().unwrap())
    }

    #[test]
    fn each_address_has_the_scope_of_its_range() {
        for (texts, expected) in [
            ("127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1", Some(AddressScope::Loopback)),
            ("169.254.169.254 fe80::1", Some(AddressScope::Link)),
            ("10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 100.127.255.255 fd00::1", Some(AddressScope::Private)),
            ("8.8.8.8 100.63.0.1 100.128.0.1 172.32.0.1 2001:db8::1", Some(AddressScope::Public)),
            ("0.0.0.0 0.1.2.3 255.255.255.255 224.0.0.1 :: ff02::1", None),
        ] {
            for text in texts.split_whitespace() {
                assert_eq!(scope(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn an_address_is_reachable_from_its_own_scope_and_narrower_ones() {
        use AddressScope::{Link, Loopback, Private, Public};
        for from in [Loopback, Link, Private, Public] {
            let reached: Vec<_> =
                [Loopback, Link, Private, Public].into_iter().filter(|to| to.is_reachable_from(from)).collect();
            let expected = match from {
                Loopback => &[Loopback, Private, Public][..],
                Link | Private => &[Private, Public],
                Public => &[Public],
            };
            assert_eq!(reached, expected, "{from:?}");
        }
    }
}
