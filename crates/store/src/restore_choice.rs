use vipnode_types::{PoolId, PoolKeyChanges};

/// What a restore may replace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreChoice {
    /// Replace a database that is there, which is kept under another name.
    pub force: bool,
    /// Accept the backup of another pool, or of one that charges in another asset.
    pub other_pool: bool,
    /// The ID of the pool whose key is in the directory, and the newest changes of its key.
    pub pool: Option<(PoolId, PoolKeyChanges)>,
}

impl RestoreChoice {
    /// Whether a pool that had an ID is the one that has `now`, perhaps after a change of its key.
    #[must_use]
    pub fn is_same(&self, before: &PoolId, now: &PoolId) -> bool {
        before == now || self.pool.as_ref().is_some_and(|(_, changes)| changes.lead(before, now))
    }
}
