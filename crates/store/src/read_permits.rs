use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{ReadLimits, StoreError};

/// The reads in progress, and the batch that they can wait for.
#[derive(Debug)]
pub(crate) struct ReadPermits {
    limits: ReadLimits,
    free: Mutex<usize>,
    freed: Condvar,
}

/// The number of the newest durable batch, as the writer reports it to its readers.
#[derive(Debug, Default)]
pub(crate) struct DurableSeq {
    seq: Mutex<u64>,
    grown: Condvar,
}

/// A read in progress. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct ReadPermit<'a> {
    permits: &'a ReadPermits,
    deadline: Instant,
}

impl ReadPermits {
    pub(crate) fn new(limits: ReadLimits) -> Self {
        Self { limits, free: Mutex::new(limits.snapshots), freed: Condvar::new() }
    }

    /// Waits until a read may begin.
    pub(crate) fn take(&self) -> Result<ReadPermit<'_>, StoreError> {
        let began = Instant::now();
        let deadline = began.checked_add(self.limits.time).unwrap_or(began);
        let wait = self.freed.wait_timeout_while(lock(&self.free), self.limits.time, |free| *free == 0);
        let (mut free, _) = wait.unwrap_or_else(PoisonError::into_inner);
        let most = self.limits.snapshots;
        *free = free.checked_sub(1).ok_or(StoreError::TooManyReads { most })?;
        drop(free);
        Ok(ReadPermit { permits: self, deadline })
    }
}

impl ReadPermit<'_> {
    /// When the read ends at the latest.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the read may continue.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(self.overdue()) }
    }

    /// The error of a read that took too long.
    pub(crate) const fn overdue(&self) -> StoreError {
        StoreError::ReadTime { limit_ms: self.permits.limits.time.as_millis() }
    }
}

impl Drop for ReadPermit<'_> {
    fn drop(&mut self) {
        let mut free = lock(&self.permits.free);
        *free = free.saturating_add(1);
        drop(free);
        self.permits.freed.notify_one();
    }
}

impl DurableSeq {
    /// Reports a batch as durable.
    pub(crate) fn report(&self, seq: u64) {
        *lock(&self.seq) = seq;
        self.grown.notify_all();
    }

    /// Waits until a batch is durable.
    pub(crate) fn wait(&self, written: u64, permit: &ReadPermit<'_>) -> Result<(), StoreError> {
        let left = permit.deadline.saturating_duration_since(Instant::now());
        let wait = self.grown.wait_timeout_while(lock(&self.seq), left, |seq| *seq < written);
        let (seq, _) = wait.unwrap_or_else(PoisonError::into_inner);
        if *seq < written { Err(StoreError::NotDurable { written }) } else { Ok(()) }
    }
}

/// No code panics while it holds a lock; if one did, the number would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
