use std::net::IpAddr;

use vipnode_types::{AddressScope, Enode, EnodeHost};

/// Why the node is not made to dial an enode that a pool sent.
///
/// A pool, or an agent that lies to it, must not turn the node into a probe of the networks that the node is in. So an
/// address that names no single machine beyond this link (unspecified, broadcast, multicast, link-local) is never dialed, a
/// private one only if the pool itself was reached at one, and this machine's own only if the pool was reached there, or the
/// user allowed it (`--dial-private`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undialable {
    /// Its enode is an ID only.
    NoAddress,
    /// Its address names no single machine beyond this link.
    NoMachine(IpAddr),
    /// The address reaches less far than the pool's own, and the pool may not have it dialed.
    Private,
}

/// Returns why the node is not made to dial an enode that a pool sent; `None` if it is. `from` is the narrowest scope of
/// addresses that the pool may have it dial.
pub(crate) fn undialable(enode: &Enode, from: AddressScope) -> Option<Undialable> {
    let scope = match &enode.host {
        _ if enode.port == 0 => None,
        EnodeHost::None => None,
        // The node resolves the name, perhaps to its own machine.
        EnodeHost::Dns(_) => Some(AddressScope::Loopback),
        EnodeHost::Ip(ip) => AddressScope::of(*ip),
    };
    match scope {
        None | Some(AddressScope::Link) => {
            Some(enode.ip().filter(|_| enode.port != 0).map_or(Undialable::NoAddress, Undialable::NoMachine))
        }
        Some(scope) => (scope < from).then_some(Undialable::Private),
    }
}

/// Returns the narrowest scope of addresses that a pool that was reached at this address may have the node dial. A pool on the
/// same link is at a private address: no link-local address is ever dialed.
pub(crate) fn dialed_from(pool: IpAddr) -> AddressScope {
    match AddressScope::of(pool) {
        Some(AddressScope::Link) => AddressScope::Private,
        Some(scope) => scope,
        None => AddressScope::Public,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    use AddressScope::{Loopback, Private, Public};

    fn at(ip: &str, from: AddressScope) -> Option<Undialable> {
        undialable(&Enode::at(NodeId::new([7; 64]), ip.parse().unwrap(), 30303), from)
    }

    #[test]
    fn addresses_that_name_no_single_machine_are_never_dialed() {
        for ip in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "169.254.169.254", "::", "ff02::1", "fe80::1"]
        {
            assert_eq!(at(ip, Loopback), Some(Undialable::NoMachine(ip.parse().unwrap())), "{ip}");
        }
        for ip in ["::ffff:169.254.169.254", "::ffff:0.0.0.0"] {
            assert_eq!(at(ip, Loopback), Some(Undialable::NoMachine(ip.parse().unwrap())), "{ip}");
        }
        let id_only = Enode::id_only(NodeId::new([7; 64]));
        assert_eq!(undialable(&id_only, Loopback), Some(Undialable::NoAddress));
    }

    #[test]
    fn an_address_is_dialed_only_for_a_pool_that_is_as_near() {
        let refused = Some(Undialable::Private);
        for ip in
            ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fd00::1", "::ffff:10.0.0.1"]
        {
            assert_eq!([Public, Private, Loopback].map(|from| at(ip, from)), [refused, None, None], "{ip}");
        }
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!([Public, Private, Loopback].map(|from| at(ip, from)), [refused, refused, None], "{ip}");
        }
        for ip in ["203.0.113.9", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert_eq!([Public, Private, Loopback].map(|from| at(ip, from)), [None; 3], "{ip}");
        }
        let named =
            Enode { host: EnodeHost::Dns("host.example".into()), ..Enode::at(NodeId::new([7; 64]), [1; 4].into(), 1) };
        let dialed = [Public, Private, Loopback].map(|from| undialable(&named, from));
        assert_eq!(dialed, [refused, refused, None], "a name may lead to the node's own machine");
        let from = ["203.0.113.1", "10.0.0.1", "fe80::1", "127.0.0.1", "224.0.0.1"]
            .map(|pool| dialed_from(pool.parse().unwrap()));
        assert_eq!(from, [Public, Private, Private, Loopback, Public]);
    }
}
