use vipnode_types::{Enode, EnodeHost, PeerCommand};

use super::{dial_only, trust_by_enode, trust_by_id};
use crate::{NodeFamily, PlannedCall};

/// The calls of a command, in the order of the family. `added` is the address with which the same node was
/// last added.
pub(super) fn calls(family: NodeFamily, command: &PeerCommand, added: Option<&Enode>) -> Vec<PlannedCall> {
    match family {
        NodeFamily::Trusting => trust_by_id::calls(command, added),
        NodeFamily::TrustingByAddress => trust_by_enode::calls(command, added),
        NodeFamily::Maintaining => dial_only::calls(command, added),
    }
}

/// Whether a client can dial this enode.
pub(super) fn has_address(peer: &Enode) -> bool {
    peer.host != EnodeHost::None && peer.port != 0
}

pub(super) fn call(method: &'static str, peer: &Enode) -> PlannedCall {
    PlannedCall { method, peer: peer.clone() }
}

/// A node that moved is removed first: an id that is added again with another address is ignored.
pub(super) fn moved(peer: &Enode, added: Option<&Enode>) -> impl Iterator<Item = PlannedCall> + use<> {
    added.filter(|old| *old != peer).map(|old| call("admin_removePeer", old)).into_iter()
}
