use std::net::IpAddr;

/// What one operator is likely to hold: the /24 of an IPv4, the /48 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressBlock(u64);

impl AddressBlock {
    /// The block of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Self(u64::from_be_bytes([0, 4, 0, 0, 0, a, b, c]))
            }
            IpAddr::V6(ip) => {
                let [a, b, c, d, e, f, ..] = ip.octets();
                Self(u64::from_be_bytes([0, 6, a, b, c, d, e, f]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn blocks_join_neighbours_and_nobody_else() {
        let block = |text| AddressBlock::of(ip(text));
        assert_eq!(block("8.8.8.8"), block("8.8.8.9"));
        assert_eq!(block("8.8.8.8"), block("::ffff:8.8.8.8"));
        assert_ne!(block("8.8.8.8"), block("8.8.9.8"));
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_ne!(block("2001:db8:1::1"), block("2001:db8:2::1"));
    }
}
