//! The order of calls for Besu and other clients that cannot trust a peer (Erigon before February 2026).
//!
//! Besu has only `admin_addPeer` and `admin_removePeer`. Besu keeps an added peer connected, beyond the peer limit and
//! in both directions; only the same enode removes the peer from that list (hyperledger/besu,
//! `ethereum/p2p/src/main/java/org/hyperledger/besu/ethereum/p2p/network/DefaultP2PNetwork.java`,
//! `addMaintainedConnectionPeer` and `removeMaintainedConnectionPeer`). Therefore, a host admits a client by dialing
//! it.

use vipnode_types::{Enode, PeerCommand};

use super::call_order::{call, moved};
use crate::PlannedCall;

/// The calls of a command. `added` is the enode with which the same node was last added.
pub(super) fn calls(command: &PeerCommand, added: Option<&Enode>) -> Vec<PlannedCall> {
    match command {
        PeerCommand::Admit(peer) | PeerCommand::Dial(peer) => {
            moved(peer, added).chain([call("admin_addPeer", peer)]).collect()
        }
        // Nothing else frees a slot past the limit, and a connection that existed before comes back by itself if there
        // is room.
        PeerCommand::Drop(peer) | PeerCommand::Evict(peer) | PeerCommand::Untrust(peer) => {
            vec![call("admin_removePeer", added.unwrap_or(peer))]
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    #[test]
    fn a_peer_is_removed_by_the_very_enode_that_was_added() {
        let added = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 1);
        let other = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 2);
        for command in
            [PeerCommand::Evict(other.clone()), PeerCommand::Drop(other.clone()), PeerCommand::Untrust(other)]
        {
            assert_eq!(calls(&command, Some(&added)), [call("admin_removePeer", &added)]);
        }
    }

    #[test]
    fn admitting_is_dialing() {
        let peer = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 1);
        assert_eq!(calls(&PeerCommand::Admit(peer.clone()), None), [call("admin_addPeer", &peer)]);
    }
}
