use std::sync::{Arc, Condvar, Mutex};

use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row};
use vipnode_store::{MemoryStore, PruneOrder, PruneStep, ReadLimits, Store, StoreError, StoreReader};

/// A store in memory that outlives its pool, and that a test can hold, break and heal.
#[derive(Clone, Default)]
pub(crate) struct TestStore(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<MemoryStore>,
    mood: Mutex<Mood>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// Writing takes until this ends.
    Held,
    /// Writing takes half a second.
    Slow,
    /// Writing fails.
    Failing,
    /// Writing panics.
    Panicking,
    /// Writing and reading fail.
    Dead,
}

impl TestStore {
    pub(crate) fn set(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
        self.0.changed.notify_all();
    }

    pub(crate) fn boxed(&self) -> Box<dyn Store + Send> {
        Box::new(self.clone())
    }

    fn mood(&self) -> Mood {
        let mood = self.0.changed.wait_while(self.0.mood.lock().unwrap(), |mood| *mood == Mood::Held).unwrap();
        *mood
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable { why: "the disk is full".to_owned() }
}

impl Store for TestStore {
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        match self.mood() {
            Mood::Well | Mood::Held => self.0.inner.lock().unwrap().apply(rows),
            Mood::Slow => {
                std::thread::sleep(std::time::Duration::from_millis(500));
                self.0.inner.lock().unwrap().apply(rows)
            }
            Mood::Failing | Mood::Dead => Err(broken()),
            Mood::Panicking => panic!("as the test wants it"),
        }
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        if *self.0.mood.lock().unwrap() == Mood::Dead {
            return Err(broken());
        }
        self.0.inner.lock().unwrap().load(each)
    }

    fn prune(&mut self, order: PruneOrder, position: u64, most: usize) -> Result<PruneStep, StoreError> {
        self.0.inner.lock().unwrap().prune(order, position, most)
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        self.0.inner.lock().unwrap().metered(from, limit, each)
    }

    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError> {
        self.0.inner.lock().unwrap().entries(from, limit, each)
    }

    fn reader(&self, limits: ReadLimits) -> Result<Arc<dyn StoreReader>, StoreError> {
        self.0.inner.lock().unwrap().reader(limits)
    }
}
