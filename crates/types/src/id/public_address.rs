use std::net::IpAddr;

/// Whether an address is public: not loopback, private, link-local or unspecified. Execution clients exempt the others
/// from their limits on connections from one address.
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
