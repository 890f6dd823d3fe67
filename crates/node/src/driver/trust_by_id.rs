//! The order of calls for geth, its forks, and Erigon, from their sources and from tests on loopback.

use vipnode_types::{Enode, PeerCommand};

use super::call_order::{call, moved};
use crate::PlannedCall;

/// Returns the calls of a command. `added` is the address with which the same node was last dialed.
pub(super) fn calls(command: &PeerCommand, added: Option<&Enode>) -> Vec<PlannedCall> {
    match command {
        // The ID alone is enough for trust, whatever address the node dials from.
        PeerCommand::Admit(peer) => vec![call("admin_addTrustedPeer", &Enode::id_only(peer.id))],
        PeerCommand::Dial(peer) => moved(peer, added).chain([call("admin_addPeer", peer)]).collect(),
        PeerCommand::Drop(peer) => vec![call("admin_removePeer", peer)],
        // In the opposite order the peer, still trusted, could reconnect in between.
        PeerCommand::Evict(peer) => {
            let peer = Enode::id_only(peer.id);
            vec![call("admin_removeTrustedPeer", &peer), call("admin_removePeer", &peer)]
        }
        PeerCommand::Untrust(peer) => vec![call("admin_removeTrustedPeer", &Enode::id_only(peer.id))],
    }
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
