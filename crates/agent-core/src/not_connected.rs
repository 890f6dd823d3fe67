use vipnode_types::{LeaseId, NodeId, PeerFact, wire::Side};

use crate::{Action, AgentCore, Notice, lease::Lease, limits};

/// Why a host that let the node in was never connected, as far as this side can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotConnected {
    /// It came, and the connection was given up before a protocol ran: another genesis block or other forks, or no
    /// common version of `eth`.
    NoCommonProtocol,
    /// It never showed, and the node dials as many peers as it may, so that it has not dialled this one.
    NoDialSlot {
        /// Peers that the node dialled.
        dialled: u32,
    },
    /// It never showed.
    Silent,
}

impl NotConnected {
    /// Two of a kind are told once.
    const fn kind(self) -> u8 {
        match self {
            Self::NoCommonProtocol => 0,
            Self::NoDialSlot { .. } => 1,
            Self::Silent => 2,
        }
    }
}

impl AgentCore {
    /// A peer in the list without a protocol that runs is about to be thrown out, or just begins.
    pub(crate) fn see_doomed(&mut self, peers: &[PeerFact]) {
        for lease in self.leases.iter_mut().filter(|lease| awaited(lease)) {
            lease.doomed |= peers.iter().any(|peer| peer.id == lease.peer.id && !peer.ready);
        }
    }

    /// The node says that a peer went that was never seen to run a protocol.
    pub(crate) fn came_and_went(&mut self, peer: NodeId) {
        for lease in self.leases.iter_mut().filter(|lease| awaited(lease) && lease.peer.id == peer) {
            lease.doomed = true;
        }
    }

    /// Tells why a host is given up, each reason once until a host is connected.
    pub(crate) fn say_not_connected(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id).filter(|lease| !lease.ever_up) else { return };
        let (host, cause) = (lease.peer.id, self.why_not_connected(lease));
        if self.not_connected_said.insert(cause.kind()) {
            out.push(Action::Notice(Notice::HostNotConnected { lease: id, host, cause }));
        }
    }

    /// Why a host is not connected, as far as this side can see.
    pub(crate) fn why_not_connected(&self, lease: &Lease) -> NotConnected {
        let dialled = self.node.dialled;
        let max_peers = self.config.host.as_ref().map_or(limits::NODE_MAX_PEERS, |host| host.node_max_peers);
        if lease.doomed {
            NotConnected::NoCommonProtocol
        } else if dialled >= (max_peers / limits::DIAL_RATIO).max(1) {
            NotConnected::NoDialSlot { dialled }
        } else {
            NotConnected::Silent
        }
    }
}

fn awaited(lease: &Lease) -> bool {
    lease.side == Side::Client && lease.runs() && lease.up.is_none()
}
