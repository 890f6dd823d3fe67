use std::sync::Arc;

use vipnode_types::{
    PoolId, PoolKey, PoolKeyChanges,
    wire::{POOL_CHANGES_HEADER, POOL_ID_HEADER, POOL_PROOF_HEADER},
};

/// What a pool with a key presents to agents: its ID, the proof of it, and the newest changes of its key.
///
/// Agents remember the ID. Without the proof, a machine that takes over the pool's name could present the same ID; without
/// the changes, nobody could replace a key without every agent's user.
#[derive(Debug)]
pub(crate) struct PoolIdentity {
    id: PoolId,
    key: Arc<PoolKey>,
    /// As text; `None` if the key was never changed.
    changes: Option<String>,
}

impl PoolIdentity {
    pub(crate) fn new(key: Arc<PoolKey>, changes: &PoolKeyChanges) -> Self {
        Self { id: key.id(), key, changes: (!changes.is_empty()).then(|| changes.to_string()) }
    }

    pub(crate) const fn id(&self) -> PoolId {
        self.id
    }

    pub(crate) fn key(&self) -> Arc<PoolKey> {
        Arc::clone(&self.key)
    }

    /// Returns the headers of a 101 response with this challenge. The proof costs one signature.
    pub(crate) fn headers(&self, challenge: &str) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![(POOL_ID_HEADER, self.id.to_string()), (POOL_PROOF_HEADER, self.key.prove(challenge).to_string())];
        headers.extend(self.changes.clone().map(|changes| (POOL_CHANGES_HEADER, changes)));
        headers
    }
}
