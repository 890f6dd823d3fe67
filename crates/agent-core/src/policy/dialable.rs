use std::net::IpAddr;

use vipnode_types::{Enode, EnodeHost};

/// Whether a node may be made to dial an enode that a pool sent. An address that names no single machine beyond this link
/// (unspecified, broadcast, multicast, link-local) is never dialed: it would make the node a probe of its own network.
pub(crate) fn is_dialable(enode: &Enode) -> bool {
    let reachable = match &enode.host {
        EnodeHost::None => false,
        EnodeHost::Dns(_) => true,
        EnodeHost::Ip(ip) => names_one_machine(*ip),
    };
    reachable && enode.port != 0
}

const fn names_one_machine(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            // 0.0.0.0/8 is "this network": Linux connects to 0.0.0.0 as to itself.
            !(ip.octets()[0] == 0 || ip.is_broadcast() || ip.is_multicast() || ip.is_link_local())
        }
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local()),
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    #[test]
    fn addresses_that_name_no_single_machine_are_never_dialed() {
        let dialed = |ip: &str| is_dialable(&Enode::at(NodeId::new([7; 64]), ip.parse().unwrap(), 30303));
        for ip in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "169.254.169.254", "::", "ff02::1", "fe80::1"]
        {
            assert!(!dialed(ip), "{ip}");
        }
        assert!(!dialed("::ffff:169.254.169.254") && !dialed("::ffff:0.0.0.0"));
        for ip in ["127.0.0.1", "10.0.0.1", "203.0.113.9", "::1", "fd00::1", "2001:db8::1"] {
            assert!(dialed(ip), "{ip}");
        }
        assert!(!is_dialable(&Enode::id_only(NodeId::new([7; 64]))));
    }
}
