//! In which order geth is told what, as its sources and trials on loopback showed.

use vipnode_types::Enode;

use crate::{PeerCommand, PlannedCall};

/// The calls of a command. `added` is the address with which the same node was last dialled.
pub(super) fn calls(command: &PeerCommand, added: Option<&Enode>) -> Vec<PlannedCall> {
    let call = |method, peer: &Enode| PlannedCall { method, peer: peer.clone() };
    match command {
        PeerCommand::Admit(peer) => vec![call("admin_addTrustedPeer", peer)],
        PeerCommand::Dial(peer) => {
            let mut calls = Vec::with_capacity(2);
            // Adding an id again with another address is ignored.
            if let Some(old) = added.filter(|old| *old != peer) {
                calls.push(call("admin_removePeer", old));
            }
            calls.push(call("admin_addPeer", peer));
            calls
        }
        PeerCommand::Drop(peer) => vec![call("admin_removePeer", peer)],
        // The other way round the peer, still trusted, could be back in between.
        PeerCommand::Evict(peer) => {
            vec![call("admin_removeTrustedPeer", peer), call("admin_removePeer", peer)]
        }
        PeerCommand::Untrust(peer) => vec![call("admin_removeTrustedPeer", peer)],
    }
}

/// The node that a command is about.
pub(super) const fn peer_of(command: &PeerCommand) -> &Enode {
    let (PeerCommand::Admit(peer)
    | PeerCommand::Dial(peer)
    | PeerCommand::Drop(peer)
    | PeerCommand::Evict(peer)
    | PeerCommand::Untrust(peer)) = command;
    peer
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    fn methods(command: &PeerCommand, added: Option<&Enode>) -> Vec<&'static str> {
        calls(command, added).into_iter().map(|call| call.method).collect()
    }

    #[test]
    fn untrust_comes_before_remove() {
        let peer = Enode::id_only(NodeId::new([1; 64]));
        assert_eq!(methods(&PeerCommand::Evict(peer), None), ["admin_removeTrustedPeer", "admin_removePeer"]);
    }

    #[test]
    fn a_new_address_is_added_after_the_old_one_is_removed() {
        let old = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 1);
        let new = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 2].into(), 1);
        let dial = PeerCommand::Dial(new.clone());
        assert_eq!(methods(&dial, None), ["admin_addPeer"]);
        assert_eq!(methods(&dial, Some(&new)), ["admin_addPeer"]);
        assert_eq!(methods(&dial, Some(&old)), ["admin_removePeer", "admin_addPeer"]);
        assert_eq!(calls(&dial, Some(&old)).first().map(|call| &call.peer), Some(&old));
    }
}
