use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use vipnode_types::{Direction, Enode, NodeId, PeerFact};

use crate::{
    PlannedCall,
    limits::{LATE_DIAL, MAX_DIALED},
};

/// Removes peers again that a node was dialing while it was asked to remove them.
///
/// geth does not cancel a dial in progress: the peer is no longer kept but connects all the same. This happens if the
/// other side closed the connection a moment before, because geth dials a kept peer again at once.
#[derive(Debug, Default)]
pub(super) struct LateDials(Mutex<BTreeMap<NodeId, (Enode, Instant)>>);

impl LateDials {
    /// Records a call, and whether the driver had the node dial that peer before. A peer that it never dialed can only
    /// be dialed for someone else, and that dial is not ours to undo.
    pub(super) fn record(&self, call: &PlannedCall, dialed: bool) {
        let mut removed = self.lock();
        match call.method {
            "admin_removePeer" if dialed => {
                if removed.len() >= MAX_DIALED && !removed.contains_key(&call.peer.id) {
                    removed.pop_first();
                }
                removed.insert(call.peer.id, (call.peer.clone(), Instant::now()));
            }
            "admin_addPeer" | "admin_addTrustedPeer" => {
                removed.remove(&call.peer.id);
            }
            _ => {}
        }
    }

    /// Returns the peers among these that the node dialed all the same.
    pub(super) fn came(&self, peers: &[PeerFact]) -> Vec<Enode> {
        let mut removed = self.lock();
        let now = Instant::now();
        removed.retain(|_, (_, at)| now.duration_since(*at) < LATE_DIAL);
        let dialed = peers.iter().filter(|peer| peer.direction == Direction::Outbound);
        dialed.filter_map(|peer| removed.get(&peer.id)).map(|(enode, _)| enode.clone()).collect()
    }

    /// Whether a peer was removed within this time.
    pub(super) fn any_within(&self, time: Duration) -> bool {
        let now = Instant::now();
        self.lock().values().any(|(_, at)| now.duration_since(*at) < time)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, (Enode, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(direction: Direction) -> PeerFact {
        let id = NodeId::new([1; 64]);
        PeerFact {
            id,
            ready: true,
            direction,
            trusted: Some(false),
            is_static: Some(false),
            remote: None,
            client_version: String::new(),
            caps: Vec::new(),
        }
    }

    fn call(method: &'static str) -> PlannedCall {
        PlannedCall { method, peer: Enode::id_only(NodeId::new([1; 64])) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_dialed_during_its_removal_is_removed_again_for_a_while() {
        let late = LateDials::default();
        assert!(late.came(&[peer(Direction::Outbound)]).is_empty(), "the node's own");
        late.record(&call("admin_removePeer"), true);
        assert!(late.any_within(Duration::from_millis(1)));
        assert!(late.came(&[peer(Direction::Inbound)]).is_empty(), "it came by itself");
        assert_eq!(late.came(&[peer(Direction::Outbound)]).len(), 1);
        tokio::time::advance(LATE_DIAL).await;
        assert!(late.came(&[peer(Direction::Outbound)]).is_empty(), "no dial takes so long");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_never_dialed_for_us_is_left_alone() {
        let late = LateDials::default();
        late.record(&call("admin_removePeer"), false);
        assert!(late.came(&[peer(Direction::Outbound)]).is_empty() && !late.any_within(LATE_DIAL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_wanted_again_stays() {
        for wanted in ["admin_addPeer", "admin_addTrustedPeer"] {
            let late = LateDials::default();
            late.record(&call("admin_removePeer"), true);
            late.record(&call(wanted), false);
            assert!(late.came(&[peer(Direction::Outbound)]).is_empty() && !late.any_within(LATE_DIAL));
        }
    }
}
