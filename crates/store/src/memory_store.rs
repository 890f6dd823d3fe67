//! A store in memory, and what reads it. Contains no rule of its own: the contract is that of `Store`.

mod content;
mod memory_ledger;
mod memory_reader;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row};

use self::{content::MemoryContent, memory_reader::MemoryReader};
use crate::{ReadLimits, Store, StoreError, StoreReader, read_permits::DurableSeq};

/// A store in memory, lost with its process: for the simulator, for tests, and for a pool that can afford to lose its
/// state.
#[derive(Debug, Default)]
pub struct MemoryStore(Arc<SharedContent>);

/// The content, shared with the readers.
#[derive(Debug, Default)]
struct SharedContent {
    /// Copied when it is written while a snapshot uses it.
    content: Mutex<Arc<MemoryContent>>,
    durable: DurableSeq,
}

impl SharedContent {
    /// No code panics while it holds the lock; if one did, the content would be that of half a batch, in a process that
    /// fails.
    fn lock(&self) -> MutexGuard<'_, Arc<MemoryContent>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A clone has the same content, and changes apart from the original.
impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        let content = Arc::clone(&self.0.lock());
        let durable = DurableSeq::default();
        durable.report(content.seq);
        Self(Arc::new(SharedContent { content: Mutex::new(content), durable }))
    }
}

impl PartialEq for MemoryStore {
    fn eq(&self, other: &Self) -> bool {
        let (content, others) = (Arc::clone(&self.0.lock()), Arc::clone(&other.0.lock()));
        content == others
    }
}

impl Eq for MemoryStore {}

impl Store for MemoryStore {
    fn is_durable(&self) -> bool {
        false
    }

    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        let mut shared = self.0.lock();
        shared.check(rows)?;
        let content = Arc::make_mut(&mut shared);
        for row in rows {
            content.write(row);
        }
        content.seq = content.seq.saturating_add(1);
        let seq = content.seq;
        drop(shared);
        self.0.durable.report(seq);
        Ok(seq)
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.0.lock().load(each);
        Ok(())
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        for (position, row) in (from..).zip(self.0.lock().journal.iter().skip(skip).take(limit)) {
            each(position, row.clone());
        }
        Ok(())
    }

    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError> {
        self.0.lock().ledger.entries.range(from..).take(limit).for_each(|(_, entry)| each(entry.clone()));
        Ok(())
    }

    fn reader(&self, limits: ReadLimits) -> Result<Arc<dyn StoreReader>, StoreError> {
        Ok(Arc::new(MemoryReader::new(Arc::clone(&self.0), limits)))
    }
}
