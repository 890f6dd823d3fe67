use std::path::Path;

use vipnode_types::Ms;

use super::{PrunePlan, SqliteStore};
use crate::{Store as _, StoreError};

/// What was folded in the journals of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldedDatabase {
    /// Billing periods that are now part of another one.
    pub periods: u64,
}

/// Entries that are looked at in one transaction while no pool runs.
const STEP: usize = 10_000;

impl FoldedDatabase {
    /// Folds the billing periods of days that were over at a time, in the journals of a pool that does not run. See
    /// [`FoldStep`](crate::FoldStep).
    ///
    /// # Errors
    /// See [`Self::check`] and [`StoreError`].
    pub fn fold(dir: &Path, before: Ms) -> Result<Self, StoreError> {
        Self::check(dir)?;
        let mut store = SqliteStore::open(dir)?;
        let (mut folded, mut after) = (Self { periods: 0 }, 0);
        loop {
            let step = store.fold(before, after, STEP)?;
            after = step.position;
            folded.periods = folded.periods.saturating_add(step.folded);
            if step.is_done {
                return Ok(folded);
            }
        }
    }

    /// Checks a database in which periods are to be folded; a pool may run.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Unverified`] if the check finds a problem.
    pub fn check(dir: &Path) -> Result<(), StoreError> {
        PrunePlan::check(dir).map(drop)
    }
}
