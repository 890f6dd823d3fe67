use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::value::RawValue;
use tokio::time::Instant;
use vipnode_types::{Enode, NodeId, PeerFact};

use crate::{
    PlannedCall,
    limits::{MAX_DIALED, REDIAL},
};

/// Dials again for clients that dial once and forget.
///
/// Nethermind before May 2026 (its pull request 11489) returns the enode as a string from `admin_addPeer`, and dials
/// once; every other client returns a boolean and keeps the peer. The last peer that was added is dialed again for as
/// long as it is wanted.
#[derive(Debug, Default)]
pub(super) struct Redial(Mutex<BTreeMap<NodeId, (Enode, Instant)>>);

impl Redial {
    /// Records the node's answer to a call.
    pub(super) fn record(&self, call: &PlannedCall, answer: &RawValue) {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match call.method {
            "admin_addPeer" if answer.get().starts_with('"') => {
                if wanted.len() >= MAX_DIALED && !wanted.contains_key(&call.peer.id) {
                    wanted.pop_first();
                }
                wanted.insert(call.peer.id, (call.peer.clone(), Instant::now()));
            }
            "admin_removePeer" => {
                wanted.remove(&call.peer.id);
            }
            _ => {}
        }
    }

    /// The peers to dial again, given the connected ones.
    pub(super) fn due(&self, peers: &[PeerFact]) -> Vec<Enode> {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, mut due) = (Instant::now(), Vec::new());
        for (id, (enode, dialed)) in wanted.iter_mut() {
            if now.duration_since(*dialed) >= REDIAL && !peers.iter().any(|peer| peer.id == *id) {
                *dialed = now;
                due.push(enode.clone());
            }
        }
        due
    }
}
