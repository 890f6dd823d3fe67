use std::net::IpAddr;

/// Whether an address is one that others far away can reach, and not one of this machine or of a network of one's own.
/// Execution clients exempt the latter from their rules against many connections of one address.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => {
            !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_not_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for text in ["127.0.0.1", "10.1.1.1", "192.168.0.1", "::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1"] {
            assert!(!public(text), "{text}");
        }
        assert!(public("11.0.0.1") && public("2001:4860::8888"));
    }
}
