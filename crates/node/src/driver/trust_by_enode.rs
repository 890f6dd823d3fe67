//! The order of calls for reth and Nethermind. Both have geth's calls and need to know a peer's address before they can
//! trust it:
//!
//! - reth forgets trust only of a peer that is in its table (paradigmxyz/reth, `crates/net/network/src/peers.rs`,
//!   `remove_peer_from_trusted_set`), and `admin_addTrustedPeer` alone, with an id, does not put it there
//!   (`crates/rpc/rpc/src/admin.rs`, `add_trusted_peer`). Added first, and trusted with its whole enode, it can be
//!   forgotten again. `admin_removePeer` does nothing to a peer that is trusted.
//! - Nethermind parses the parameter as a whole enode and puts the peer into its pool, from where it is dialed
//!   (NethermindEth/nethermind, `src/Nethermind/Nethermind.JsonRpc/Modules/Admin/AdminRpcModule.cs`,
//!   `admin_addTrustedPeer`).

use vipnode_types::{Enode, PeerCommand};

use super::call_order::{call, has_address, moved};
use crate::PlannedCall;

/// The calls of a command. `added` is the address with which the same node was last added.
pub(super) fn calls(command: &PeerCommand, added: Option<&Enode>) -> Vec<PlannedCall> {
    match command {
        PeerCommand::Admit(peer) if has_address(peer) => {
            let add = [call("admin_addPeer", peer), call("admin_addTrustedPeer", peer)];
            moved(peer, added).chain(add).collect()
        }
        // reth accepts an ID alone and trusts it until it restarts, or until the peer has connected.
        PeerCommand::Admit(peer) => vec![call("admin_addTrustedPeer", peer)],
        PeerCommand::Dial(peer) => moved(peer, added).chain([call("admin_addPeer", peer)]).collect(),
        PeerCommand::Drop(peer) => vec![call("admin_removePeer", added.unwrap_or(peer))],
        PeerCommand::Evict(peer) => {
            let peer = added.unwrap_or(peer);
            vec![call("admin_removeTrustedPeer", peer), call("admin_removePeer", peer)]
        }
        PeerCommand::Untrust(peer) => vec![call("admin_removeTrustedPeer", added.unwrap_or(peer))],
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
    fn a_peer_is_added_before_it_is_trusted_with_its_whole_enode() {
        let peer = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 1);
        let calls = calls(&PeerCommand::Admit(peer.clone()), None);
        assert_eq!(calls.iter().map(|call| call.method).collect::<Vec<_>>(), ["admin_addPeer", "admin_addTrustedPeer"]);
        assert!(calls.iter().all(|call| call.peer == peer));
    }

    #[test]
    fn removing_a_trusted_peer_does_nothing_so_trust_goes_first() {
        let peer = Enode::at(NodeId::new([1; 64]), [127, 0, 0, 1].into(), 1);
        let id = Enode::id_only(peer.id);
        assert_eq!(methods(&PeerCommand::Evict(peer.clone()), None), ["admin_removeTrustedPeer", "admin_removePeer"]);
        assert_eq!(methods(&PeerCommand::Admit(id.clone()), None), ["admin_addTrustedPeer"]);
        let evict = calls(&PeerCommand::Evict(id), Some(&peer));
        assert!(evict.iter().all(|call| call.peer == peer), "with the enode that was added: {evict:?}");
    }
}
