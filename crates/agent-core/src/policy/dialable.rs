use std::net::IpAddr;

use vipnode_types::{AddressScope, Enode, EnodeHost};

/// Why the node is not made to dial an enode that a pool sent.
///
/// A pool, or an agent that lies to it, must not turn the node into a probe of the networks that the node is in. So an
/// address that names no single machine beyond this link (unspecified, broadcast, multicast, link-local) is never dialed, and
/// a private one only if the pool itself was reached at one, or the user allowed it (`--dial-private`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undialable {
    /// Its enode is an ID only.
    NoAddress,
    /// Its address names no single machine beyond this link.
    NoMachine(IpAddr),
    /// The address is private, and the pool may not have it dialed.
    Private,
}

/// Returns why the node is not made to dial an enode that a pool sent; `None` if it is.
pub(crate) fn undialable(enode: &Enode, dials_private: bool) -> Option<Undialable> {
    let scope = match &enode.host {
        _ if enode.port == 0 => None,
        EnodeHost::None => None,
        // The node resolves the name, perhaps to a private address.
        EnodeHost::Dns(_) => Some(AddressScope::Private),
        EnodeHost::Ip(ip) => AddressScope::of(*ip),
    };
    match scope {
        None | Some(AddressScope::Link) => {
            Some(enode.ip().filter(|_| enode.port != 0).map_or(Undialable::NoAddress, Undialable::NoMachine))
        }
        Some(AddressScope::Loopback | AddressScope::Private) if !dials_private => Some(Undialable::Private),
        Some(AddressScope::Loopback | AddressScope::Private | AddressScope::Public) => None,
    }
}

/// Whether a pool that was reached at this address may have the node dial private ones.
pub(crate) fn is_private(pool: IpAddr) -> bool {
    AddressScope::of(pool).is_some_and(|scope| scope < AddressScope::Public)
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    fn at(ip: &str, dials_private: bool) -> Option<Undialable> {
        undialable(&Enode::at(NodeId::new([7; 64]), ip.parse().unwrap(), 30303), dials_private)
    }

    #[test]
    fn addresses_that_name_no_single_machine_are_never_dialed() {
        for ip in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "169.254.169.254", "::", "ff02::1", "fe80::1"]
        {
            assert_eq!(at(ip, true), Some(Undialable::NoMachine(ip.parse().unwrap())), "{ip}");
        }
        for ip in ["::ffff:169.254.169.254", "::ffff:0.0.0.0"] {
            assert_eq!(at(ip, true), Some(Undialable::NoMachine(ip.parse().unwrap())), "{ip}");
        }
        let id_only = Enode::id_only(NodeId::new([7; 64]));
        assert_eq!(undialable(&id_only, true), Some(Undialable::NoAddress));
    }

    #[test]
    fn private_addresses_are_dialed_only_where_that_is_allowed() {
        for ip in
            ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "::1", "fd00::1"]
        {
            assert_eq!((at(ip, false), at(ip, true)), (Some(Undialable::Private), None), "{ip}");
        }
        assert_eq!(at("::ffff:10.0.0.1", false), Some(Undialable::Private));
        for ip in ["203.0.113.9", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert_eq!(at(ip, false), None, "{ip}");
        }
        let named =
            Enode { host: EnodeHost::Dns("host.example".into()), ..Enode::at(NodeId::new([7; 64]), [1; 4].into(), 1) };
        assert_eq!((undialable(&named, false), undialable(&named, true)), (Some(Undialable::Private), None));
    }
}
