use std::{
    fs,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::connection;

/// How long reads wait at a closed gate, and the writer for reads that it canceled.
const WAIT: Duration = Duration::from_millis(250);
/// Commits between two attempts to reset the log: a reader of another process, such as a backup, may take long.
const SKIPPED_COMMITS: u32 = 64;
/// Bytes of a page.
const PAGE: u64 = 4_096;

/// Lets the writer reset its log, which no read in progress permits.
///
/// The database copies its log into itself while others read, but begins it again only in a moment without readers, and short
/// reads that overlap leave none. Once the log has `reset_bytes`, new reads therefore wait until those in progress have ended
/// and a commit has reset the log. Once it has `most_bytes`, those in progress are canceled, and the writer waits for them.
#[derive(Debug)]
pub(super) struct LogGate {
    limits: LogLimits,
    state: Mutex<GateState>,
    changed: Condvar,
    /// How many times the reads in progress were canceled.
    cancels: AtomicU64,
}

/// How large the log may grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogLimits {
    reset_bytes: u64,
    most_bytes: u64,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    reading: usize,
    /// Commits until the next attempt, after a failed one.
    skipped_commits: u32,
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
        let copied = (pages as u64).saturating_mul(PAGE);
        Self { reset_bytes: copied.saturating_mul(2), most_bytes: copied.saturating_mul(4) }
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

    /// After each commit: resets a log that is too large, unless somebody reads.
    pub(super) fn after_commit(&self, connection: &Connection, log: &Path) {
        let bytes = fs::symlink_metadata(log).map_or(0, |log| log.len());
        if bytes <= self.limits.reset_bytes {
            return;
        }
        let mut state = self.state();
        if let Some(left) = state.skipped_commits.checked_sub(1) {
            state.skipped_commits = left;
            return;
        }
        state.closed = true;
        let is_full = bytes > self.limits.most_bytes;
        if is_full && state.reading > 0 {
            state = self.cancel(state);
        }
        if !is_full && state.reading > 0 {
            return;
        }
        // No read begins meanwhile: that takes the lock.
        let is_reset = state.reading == 0 && reset(connection);
        state.skipped_commits = if is_reset { 0 } else { SKIPPED_COMMITS };
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

/// Copies the log into the database and cuts it. Returns false if a reader of another process has prevented that. Errors
/// are those of the next commit, too: this one is durable.
fn reset(connection: &Connection) -> bool {
    // The commits of the pool do not wait for other processes.
    let busy = connection
        .busy_timeout(Duration::ZERO)
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)));
    let waits_again = connection.busy_timeout(connection::WAIT).is_ok();
    waits_again && busy == Ok(0)
}
