use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches, the narrowest first.
///
/// An IPv6 address that contains an IPv4 address has the scope of that one: a translator (NAT64, 6to4) delivers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressScope {
    /// One machine.
    Loopback,
    /// One link: `169.254.0.0/16`, `fe80::/10`.
    Link,
    /// A private network: the private ranges of IPv4, the addresses that providers share among customers (CGNAT,
    /// `100.64.0.0/10`), those for protocols and tests within one network (`192.0.0.0/24`, `198.18.0.0/15`), the unique local
    /// and site-local addresses of IPv6, and local NAT64 (`64:ff9b:1::/48`).
    Private,
    /// Reachable from the whole Internet.
    Public,
}

impl AddressScope {
    /// Returns the scope of an address; `None` if it is not the address of one machine (unspecified, broadcast, multicast,
    /// reserved, discarded). See the IANA registries of special-purpose addresses.
    #[must_use]
    pub fn of(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Option<Self> {
        Some(match ip.octets() {
            // 0.0.0.0/8 is "this network": Linux connects to 0.0.0.0 as to itself. From 224 on: multicast, reserved, broadcast.
            [0 | 224.., ..] => return None,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::Link,
            [10, ..] | [100, 64..=127, ..] | [172, 16..=31, ..] => Self::Private,
            [192, 168, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Self::Private,
            _ => Self::Public,
        })
    }

    fn of_v6(ip: Ipv6Addr) -> Option<Self> {
        let inner = |high: u16, low: u16| Self::of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
        Some(match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // Compatible (deprecated), mapped, translated, NAT64.
            [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
            | [0, 0, 0, 0, 0xffff, 0, high, low]
            | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => return inner(high, low),
            // 6to4.
            [0x2002, high, low, ..] => return inner(high, low),
            [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::Link,
            // Multicast, discarded, Teredo (its relays are gone).
            [0xff00..=0xffff, ..] | [0x100, 0, 0, 0, ..] | [0x2001, 0, ..] => return None,
            _ => Self::Public,
        })
    }

    /// Whether addresses of this scope mean the same machine to a node that is observed in another scope: in the same or a
    /// narrower one. Those of a link never do, because they need the name of an interface.
    #[must_use]
    pub fn is_reachable_from(self, observed: Self) -> bool {
        self != Self::Link && observed <= self
    }
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
            (
                "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1 ::127.0.0.1 ::ffff:0:7f00:1 64:ff9b::7f00:1 2002:7f00:1::",
                Some(AddressScope::Loopback),
            ),
            ("169.254.169.254 fe80::1 64:ff9b::a9fe:a9fe", Some(AddressScope::Link)),
            (
                "10.0.0.1 172.16.0.1 172.31.9.9 192.168.1.1 100.64.0.1 100.127.255.255 192.0.0.8 198.18.0.1 198.19.9.9 fc00::1 fd00::1",
                Some(AddressScope::Private),
            ),
            ("fec0::1 64:ff9b::a00:1 64:ff9b:1::a00:1 2002:a00:1::1", Some(AddressScope::Private)),
            (
                "8.8.8.8 100.63.0.1 100.128.0.1 172.32.0.1 192.0.1.1 198.20.0.1 223.9.9.9 2001:db8::1 2a00::1",
                Some(AddressScope::Public),
            ),
            ("64:ff9b::808:808 2002:808:808::1", Some(AddressScope::Public)),
            ("0.0.0.0 0.1.2.3 255.255.255.255 224.0.0.1 240.0.0.1 :: ::2 ff02::1 100::1 2001:0:1::1", None),
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
