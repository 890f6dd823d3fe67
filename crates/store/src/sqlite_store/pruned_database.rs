use std::path::{Path, PathBuf};

use vipnode_types::Ms;

use super::{PruneOrder, PrunePlan, PruneStep, SqliteStore, sqlite_error::store_error};
use crate::StoreError;

/// What was removed from the journals of a database, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedDatabase {
    /// Entries of the ledger.
    pub entries: u64,
    /// Billing periods.
    pub periods: u64,
    /// The file that has them, one a line; `None` if nothing was removed.
    pub file: Option<PathBuf>,
    /// The number of the last entry that was removed, now or before.
    pub last_entry: u64,
}

/// Entries that are removed in one transaction while no pool runs.
const STEP: usize = 10_000;

impl PrunedDatabase {
    /// Removes what ended before a time from the journals of a pool that does not run, once it is in a new file. The sums of each
    /// account before its first remaining entry stay as its opening, with its unpaid costs. The newest entry stays.
    ///
    /// # Errors
    /// See [`PrunePlan::write`] and [`StoreError`].
    pub fn prune(dir: &Path, before: Ms, to: &Path) -> Result<Self, StoreError> {
        drop(PrunePlan::check(dir)?);
        let store = SqliteStore::open(dir)?;
        let plan = PrunePlan::write_from(&store.connection, dir, before, to)?;
        Self::carry_out_in(dir, store, plan)
    }

    /// Removes what is left of a plan from the journals of a pool that does not run.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn finish(dir: &Path, plan: PrunePlan) -> Result<Self, StoreError> {
        Self::carry_out_in(dir, SqliteStore::open(dir)?, plan)
    }

    fn carry_out_in(dir: &Path, mut store: SqliteStore, plan: PrunePlan) -> Result<Self, StoreError> {
        let pruned = Self::carry_out(&mut store, plan, STEP)?;
        PrunePlan::forget(dir)?;
        Ok(pruned)
    }

    /// Removes what is in the file of a plan, step by step.
    pub(super) fn carry_out(store: &mut SqliteStore, plan: PrunePlan, most: usize) -> Result<Self, StoreError> {
        let PrunePlan { order, file } = plan;
        let mut pruned = Self { entries: 0, periods: 0, file, last_entry: order.last_entry };
        let mut position = 0;
        while pruned.file.is_some() {
            let step = store.prune_step(order, position, most)?;
            position = step.position;
            pruned.entries = pruned.entries.saturating_add(step.entries);
            pruned.periods = pruned.periods.saturating_add(step.periods);
            if step.is_done {
                break;
            }
        }
        Ok(pruned)
    }
}

impl SqliteStore {
    pub(super) fn prune_step(
        &mut self,
        order: PruneOrder,
        position: u64,
        most: usize,
    ) -> Result<PruneStep, StoreError> {
        crate::Store::tidy(self);
        let step = PruneStep::make(&mut self.connection, order, position, most);
        let step = step.map_err(|error| store_error(&error, &self.file))?;
        self.is_tidy = false;
        Ok(step)
    }
}
