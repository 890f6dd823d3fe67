//! Backups of the pool's database, and what a restored one lacks.

use vipnode_pool_core::{RestoreRow, Row};
use vipnode_store::{MemoryStore, Store};
use vipnode_types::Ms;

use super::Simulation;
use crate::{
    EPOCH_MS,
    checks::{Promise, ledger::AcknowledgedOrders},
};

/// A backup of the pool's database.
#[derive(Debug)]
pub(crate) struct Backup {
    store: MemoryStore,
    /// When it was made, in virtual ms.
    made: u64,
    /// What the operator was acknowledged until then.
    acknowledged: AcknowledgedOrders,
}

impl Simulation {
    /// The operator backs up the database, now and then.
    pub(super) fn back_up(&mut self) {
        if self.scenario.credit.restores && self.rng.chance(300) {
            let (store, acknowledged) = (self.pool.store().clone(), self.operator.acknowledged.clone());
            self.pool.backup = Some(Backup { store, made: self.now, acknowledged });
            self.log(|| "the operator backs up the database".to_owned());
        }
    }

    /// Kills the pool, and starts it in `down_ms` with the last backup, if there is one. Its leases have numbers beyond those that
    /// were used.
    pub(super) fn restore_backup(&mut self, down_ms: u64) {
        if self.pool.core.is_none() || self.pool.backup.is_none() {
            return;
        }
        self.pool_crashes(down_ms, true);
        let Some(Backup { mut store, made, acknowledged }) = self.pool.backup.take() else { return };
        self.log(|| "the operator restores the backup".to_owned());
        let beyond = (EPOCH_MS + self.now).saturating_mul(1_000);
        let restore = RestoreRow { at: Ms::new(EPOCH_MS + self.now), is_settled: false };
        let applied = store.apply(&[Row::NextLease(beyond), Row::Restore(restore)]);
        self.require(applied.map(drop).map_err(|error| Promise::Durability.violation(error)));
        *self.pool.store() = store;
        self.checker.prices().restored(made);
        self.operator.restored(acknowledged);
    }
}
