use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A block of addresses that one operator is likely to hold: the /24 of an IPv4 address, the /48 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AddressBlock(u64);

/// Addresses that one provider is likely to hold: the /16 of an IPv4, the /32 of an IPv6 address. A /32 has 65,536
/// blocks of /48, so a limit by [`AddressBlock`] alone would not stop its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WideBlock(u64);

impl AddressBlock {
    /// Stands for every address if blocks are not distinguished. No address is in it.
    pub const ALL: Self = Self(0);

    /// Returns the block of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Self(u64::from_be_bytes([0, 4, a, b, c, 0, 0, 0]))
            }
            IpAddr::V6(ip) => {
                let [a, b, c, d, e, f, ..] = ip.octets();
                Self(u64::from_be_bytes([0, 6, a, b, c, d, e, f]))
            }
        }
    }

    /// As a number that a store keeps.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// From [`Self::to_bits`].
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The wide block around it.
    #[must_use]
    pub const fn wide(self) -> WideBlock {
        let [zero, version, a, b, c, d, ..] = self.0.to_be_bytes();
        let (c, d) = if version == 4 { (0, 0) } else { (c, d) };
        WideBlock(u64::from_be_bytes([zero, version, a, b, c, d, 0, 0]))
    }
}

/// As a network, such as 192.0.2.0/24.
impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, version, a, b, c, d, e, g] = self.0.to_be_bytes();
        match version {
            4 => write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0)),
            6 => write!(f, "{}/48", Ipv6Addr::from([a, b, c, d, e, g, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
            _ => f.write_str("all"),
        }
    }
}

impl WideBlock {
    /// The wide block of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        AddressBlock::of(ip).wide()
    }

    /// A short mark that distinguishes two wide blocks, for uses to which a rare mistake does no harm.
    pub(crate) const fn mark(self) -> u32 {
        let [_, version, a, b, c, d, ..] = self.0.to_be_bytes();
        u32::from_be_bytes([a ^ version, b, c, d])
    }

    /// As a number that a store keeps.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// From [`Self::to_bits`].
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_has_the_addresses_with_its_prefix_and_no_others() {
        let block = |text| AddressBlock::of(ip(text));
        assert_eq!(block("8.8.8.8"), block("8.8.8.9"));
        assert_eq!(block("8.8.8.8"), block("::ffff:8.8.8.8"));
        assert_ne!(block("8.8.8.8"), block("8.8.9.8"));
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_ne!(block("2001:db8:1::1"), block("2001:db8:2::1"));
    }

    #[test]
    fn a_block_reads_as_a_network() {
        let block = |text| AddressBlock::of(ip(text)).to_string();
        assert_eq!((&*block("198.51.100.7"), &*block("2001:db8:1:2::1")), ("198.51.100.0/24", "2001:db8:1::/48"));
        assert_eq!(AddressBlock::ALL.to_string(), "all");
    }

    #[test]
    fn wide_blocks_join_a_16_or_a_32_and_nobody_else() {
        let block = |text| WideBlock::of(ip(text));
        assert_eq!(block("8.8.8.8"), block("8.8.9.8"));
        assert_ne!(block("8.8.8.8"), block("8.9.8.8"));
        assert_eq!(block("2001:db8:1::1"), block("2001:db8:ffff::1"));
        assert_ne!(block("2001:db8::1"), block("2001:db9::1"));
        assert_ne!(block("8.8.8.8"), block("808:808::1"), "another protocol");
        assert_eq!(WideBlock::from_bits(block("8.8.8.8").to_bits()), block("8.8.1.1"));
    }
}
