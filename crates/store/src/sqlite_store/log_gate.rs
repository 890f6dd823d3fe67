use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, Result};

/// How long reads wait at a closed gate, and the writer for reads that it canceled.
const WAIT: Duration = Duration::from_millis(250);
/// How much the log grows between two attempts to copy it, as a part of the size at which it is copied: a reader of another
/// process, such as a backup, may take long.
const RETRY_PART: u64 = 4;

/// Lets the writer use its log again from the start, which no read in progress permits.
///
/// The database copies its log into itself while others read, but begins it again only in a moment without readers, and short
/// reads that overlap leave none. Once the log has `copied` pages, new reads therefore wait until those in progress have ended
/// and a commit was followed by a copy. Once it has `most` pages, those in progress are canceled, and the writer waits for them.
///
/// The file of the log keeps its length: to write to it is then to overwrite it, which is faster to sync than a file that grows.
#[derive(Debug)]
pub(super) struct LogGate {
    limits: LogLimits,
    state: Mutex<GateState>,
    changed: Condvar,
    /// How many times the reads in progress were canceled.
    cancels: AtomicU64,
}

/// How large the log may grow, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogLimits {
    copied: u64,
    most: u64,
}

/// How much of the write-ahead log is in the database already, in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPages {
    /// Since its start.
    pub(super) written: u64,
    /// Of those, what the database has, too.
    pub(super) copied: u64,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    reading: usize,
    /// The size of the log at which it is copied again, after an attempt that readers prevented.
    retry_at: u64,
}

/// A read in progress. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct GatePass {
    gate: Arc<LogGate>,
    /// `cancels` of the gate when the read began.
    began: u64,
}

impl LogLimits {
    /// The limits of a log that is copied into the database when it has so many pages.
    pub(super) const fn of_pages(pages: u32) -> Self {
        let copied = pages as u64;
        Self { copied, most: copied.saturating_mul(4) }
    }
}

impl LogPages {
    /// Reads them from the index of the log.
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        Self::after(connection, "PRAGMA wal_checkpoint(NOOP)")
    }

    /// Copies as much of the log into the database as readers permit, without waiting for any.
    fn copy(connection: &Connection) -> Result<Self> {
        Self::after(connection, "PRAGMA wal_checkpoint(PASSIVE)")
    }

    fn after(connection: &Connection, sql: &str) -> Result<Self> {
        connection.prepare_cached(sql)?.query_row([], |row| {
            let pages = |index| row.get::<_, i64>(index).map(|pages| u64::try_from(pages).unwrap_or(0));
            Ok(Self { written: pages(1)?, copied: pages(2)? })
        })
    }
}

impl LogGate {
    pub(super) fn new(limits: LogLimits) -> Self {
        Self { limits, state: Mutex::default(), changed: Condvar::new(), cancels: AtomicU64::new(0) }
    }

    /// Begins a read. At a closed gate it waits for a commit, but not for long: without commits, the log does not grow.
    pub(super) fn enter(gate: &Arc<Self>, deadline: Instant) -> GatePass {
        let wait = WAIT.min(deadline.saturating_duration_since(Instant::now()));
        let waited = gate.changed.wait_timeout_while(gate.state(), wait, |state| state.closed);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.closed = false;
        state.reading = state.reading.saturating_add(1);
        let began = gate.cancels.load(Ordering::SeqCst);
        drop(state);
        gate.changed.notify_all();
        GatePass { gate: Arc::clone(gate), began }
    }

    /// After each commit: copies a log that is large into the database, unless a read is in progress. Errors are those of the next
    /// commit, too: this one is durable.
    pub(super) fn after_commit(&self, connection: &Connection) {
        let written = LogPages::of(connection).map_or(0, |log| log.written);
        if written < self.limits.copied {
            return;
        }
        let mut state = self.state();
        if written < state.retry_at {
            return;
        }
        state.closed = true;
        let is_full = written > self.limits.most;
        if is_full && state.reading > 0 {
            state = self.cancel(state);
        }
        if !is_full && state.reading > 0 {
            return;
        }
        // No read of this process begins meanwhile: that takes the lock.
        let is_copied = LogPages::copy(connection).is_ok_and(|log| log.copied == log.written);
        let retry_at = written.saturating_add(self.limits.copied / RETRY_PART);
        state.retry_at = if is_copied && state.reading == 0 { 0 } else { retry_at };
        state.closed = false;
        drop(state);
        self.changed.notify_all();
    }

    /// Cancels the reads in progress, and waits until they have ended.
    fn cancel<'a>(&self, state: MutexGuard<'a, GateState>) -> MutexGuard<'a, GateState> {
        self.cancels.fetch_add(1, Ordering::SeqCst);
        let waited = self.changed.wait_timeout_while(state, WAIT, |state| state.reading > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// No code panics while it holds the lock; if one did, the numbers would still be whole.
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GatePass {
    /// Whether the writer canceled the read.
    pub(super) fn is_canceled(&self) -> bool {
        self.gate.cancels.load(Ordering::SeqCst) != self.began
    }

    /// The same, for a query in progress.
    pub(super) fn watch(&self) -> impl Fn() -> bool + Send + 'static + use<> {
        let (gate, began) = (Arc::clone(&self.gate), self.began);
        move || gate.cancels.load(Ordering::SeqCst) != began
    }
}

impl Drop for GatePass {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.reading = state.reading.saturating_sub(1);
        drop(state);
        self.gate.changed.notify_all();
    }
}
