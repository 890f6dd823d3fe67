use std::panic::{AssertUnwindSafe, catch_unwind};

use vipnode_pool_core::{MeteredRow, Row};

use crate::{MemoryStore, Store, StoreError, conformance};

#[test]
fn keeps_the_contract() {
    conformance::run(MemoryStore::new, |store| store);
}

/// What a store may do wrong; the suite has to see each.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
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
    fault: Fault,
}

impl Store for Broken {
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        match self.fault {
            Fault::KeepsHalfABatch => rows.iter().try_fold(0, |_, row| self.inner.apply(std::slice::from_ref(row))),
            Fault::ForgetsPresences => self.without(rows, |row| matches!(row, Row::Presence(_))),
            Fault::ForgetsDeletes => self.without(rows, |row| matches!(row, Row::Delete(_))),
            Fault::TakesAnotherValue => self.inner.apply(rows).or(Ok(u64::MAX)),
            Fault::SequenceStands => self.inner.apply(rows).map(|_| 1),
            Fault::None | Fault::ForgetsOnReopening | Fault::LosesTheJournalsTail => self.inner.apply(rows),
        }
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.inner.load(each)
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredRow)) -> Result<(), StoreError> {
        let limit = if self.fault == Fault::LosesTheJournalsTail && from > 0 { 0 } else { limit };
        self.inner.metered(from, limit, each)
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
    let passes = |fault| {
        let fresh = || Broken { inner: MemoryStore::new(), fault };
        let reopen = |store| if fault == Fault::ForgetsOnReopening { fresh() } else { store };
        catch_unwind(AssertUnwindSafe(|| conformance::run(fresh, reopen))).is_ok()
    };
    assert!(passes(Fault::None));
    for fault in [
        Fault::KeepsHalfABatch,
        Fault::ForgetsPresences,
        Fault::ForgetsDeletes,
        Fault::TakesAnotherValue,
        Fault::SequenceStands,
        Fault::ForgetsOnReopening,
        Fault::LosesTheJournalsTail,
    ] {
        assert!(!passes(fault), "{fault:?} went unseen");
    }
}
