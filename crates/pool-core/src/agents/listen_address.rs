use std::net::IpAddr;

use vipnode_types::{Enode, EnodeHost, NodeId};

/// Where a node claims to listen. It takes 24 bytes, because each node has one: a name, which few nodes claim, has an allocation
/// of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListenAddress {
    /// It claims no address.
    Nowhere(ListenPorts),
    /// An IP address.
    Ip(IpAddr, ListenPorts),
    /// A DNS name.
    Name(Box<(Box<str>, ListenPorts)>),
}

/// The ports of a [`ListenAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenPorts {
    port: u16,
    disc_port: Option<u16>,
}

impl ListenAddress {
    pub(crate) fn of(enode: &Enode) -> Self {
        let ports = ListenPorts { port: enode.port, disc_port: enode.disc_port };
        match &enode.host {
            EnodeHost::None => Self::Nowhere(ports),
            EnodeHost::Ip(ip) => Self::Ip(*ip, ports),
            EnodeHost::Dns(name) => Self::Name(Box::new((name.clone(), ports))),
        }
    }

    /// The enode of the node that claims it.
    pub(in crate::agents) fn enode(&self, id: NodeId) -> Enode {
        let host = match self {
            Self::Nowhere(_) => EnodeHost::None,
            Self::Ip(ip, _) => EnodeHost::Ip(*ip),
            Self::Name(name) => EnodeHost::Dns(name.0.clone()),
        };
        let ListenPorts { port, disc_port } = self.ports();
        Enode { id, host, port, disc_port }
    }

    /// The port of devp2p over TCP; 0 for none.
    pub(in crate::agents) fn port(&self) -> u16 {
        self.ports().port
    }

    fn ports(&self) -> ListenPorts {
        match self {
            Self::Nowhere(ports) | Self::Ip(_, ports) => *ports,
            Self::Name(name) => name.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_every_enode_in_24_bytes() {
        let id = NodeId::new([3; 64]);
        let hosts = [
            EnodeHost::None,
            EnodeHost::Ip("8.8.8.8".parse().unwrap()),
            EnodeHost::Ip("2001:db8::1".parse().unwrap()),
            EnodeHost::Dns("node.example".into()),
        ];
        for (host, disc_port) in hosts.into_iter().flat_map(|host| [None, Some(0)].map(|port| (host.clone(), port))) {
            let enode = Enode { id, host, port: 30_303, disc_port };
            let kept = ListenAddress::of(&enode);
            assert_eq!((kept.port(), kept.enode(id)), (30_303, enode));
        }
        assert_eq!(size_of::<Option<ListenAddress>>(), 24);
    }
}
