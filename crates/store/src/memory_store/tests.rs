use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row};

use crate::{MemoryStore, ReadLimits, Store, StoreError, StoreReader, conformance};

#[test]
fn keeps_the_contract() {
    conformance::run(MemoryStore::new, |store| store);
}

/// A defect of a store; the suite has to detect each.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Defect {
    None,
    KeepsHalfABatch,
    ForgetsPresences,
    ForgetsDeletes,
    TakesAnotherValue,
    SequenceStands,
    ForgetsOnReopening,
    LosesTheJournalsTail,
}

#[derive(Debug)]
struct Broken {
    inner: MemoryStore,
    defect: Defect,
}

impl Store for Broken {
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        match self.defect {
            Defect::KeepsHalfABatch => rows.iter().try_fold(0, |_, row| self.inner.apply(std::slice::from_ref(row))),
            Defect::ForgetsPresences => self.without(rows, |row| matches!(row, Row::LastReport(_))),
            Defect::ForgetsDeletes => self.without(rows, |row| matches!(row, Row::Delete(_))),
            Defect::TakesAnotherValue => self.inner.apply(rows).or(Ok(u64::MAX)),
            Defect::SequenceStands => self.inner.apply(rows).map(|_| 1),
            Defect::None | Defect::ForgetsOnReopening | Defect::LosesTheJournalsTail => self.inner.apply(rows),
        }
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.inner.load(each)
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        let limit = if self.defect == Defect::LosesTheJournalsTail && from > 0 { 0 } else { limit };
        self.inner.metered(from, limit, each)
    }

    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError> {
        self.inner.entries(from, limit, each)
    }

    fn reader(&self, limits: ReadLimits) -> Result<Arc<dyn StoreReader>, StoreError> {
        self.inner.reader(limits)
    }
}

impl Broken {
    fn without(&mut self, rows: &[Row], gone: impl Fn(&Row) -> bool) -> Result<u64, StoreError> {
        let rows: Vec<_> = rows.iter().filter(|row| !gone(row)).cloned().collect();
        self.inner.apply(&rows)
    }
}

#[test]
fn the_suite_sees_a_broken_store() {
    let passes = |defect| {
        let fresh = || Broken { inner: MemoryStore::new(), defect };
        let reopen = |store| if defect == Defect::ForgetsOnReopening { fresh() } else { store };
        catch_unwind(AssertUnwindSafe(|| conformance::run(fresh, reopen))).is_ok()
    };
    assert!(passes(Defect::None));
    for defect in [
        Defect::KeepsHalfABatch,
        Defect::ForgetsPresences,
        Defect::ForgetsDeletes,
        Defect::TakesAnotherValue,
        Defect::SequenceStands,
        Defect::ForgetsOnReopening,
        Defect::LosesTheJournalsTail,
    ] {
        assert!(!passes(defect), "{defect:?} went unseen");
    }
}
