//! The store on its own thread: the input is batches, the output is the newest durable batch.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::JoinHandle,
};

use vipnode_pool_core::Row;
use vipnode_store::{Store, StoreError};

use crate::engine::{
    health_error::HealthError,
    inbox::{CoreMessage, Inbox},
};

/// The most rows after which a commit takes no further batch. `store_batches` limits the batches that wait.
const GROUP_ROWS: usize = 4_096;

#[derive(Debug)]
pub(crate) enum Job {
    /// Write a batch.
    Apply { ticket: u64, rows: Vec<Row> },
    /// Read everything. After a failed commit, batches are accepted again from here on, if the store can write.
    Load(Sender<Result<Vec<Row>, StoreError>>),
    /// Check whether the store works.
    Probe(tokio::sync::oneshot::Sender<Result<(), HealthError>>),
}

/// The core's handle of the store's thread.
#[derive(Debug)]
pub(crate) struct StoreThread {
    jobs: SyncSender<Job>,
}

impl StoreThread {
    /// Starts the thread, which ends after the handle is dropped and all jobs are done.
    pub(crate) fn start(
        store: Box<dyn Store + Send>,
        inbox: Inbox,
        batches: usize,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, todo) = sync_channel(batches.max(1));
        let thread = std::thread::Builder::new()
            .name("vipnode-store".to_owned())
            .spawn(move || Worker { store, inbox, failed: None }.run(&todo))?;
        Ok((Self { jobs }, thread))
    }

    /// Queues a job; waits while the queue is full. Returns false if the thread has ended.
    pub(crate) fn send(&self, job: Job) -> bool {
        self.jobs.send(job).is_ok()
    }

    /// Reads the whole state, after all jobs sent before.
    pub(crate) fn load(&self) -> Result<Vec<Row>, StoreError> {
        let (answer, rows) = channel();
        let gone = || StoreError::Unavailable { why: "its thread has ended".to_owned() };
        if !self.send(Job::Load(answer)) {
            return Err(gone());
        }
        rows.recv().unwrap_or_else(|_| Err(gone()))
    }
}

struct Worker {
    store: Box<dyn Store + Send>,
    inbox: Inbox,
    /// After a failed commit, nothing is written until the state was read again: further rows would depend on missing
    /// ones.
    failed: Option<StoreError>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut next = Some(job);
            while let Some(job) = next.take() {
                match job {
                    Job::Apply { ticket, rows } => next = self.apply_group(jobs, ticket, rows),
                    Job::Load(answer) => {
                        let _gone = answer.send(self.load());
                    }
                    Job::Probe(answer) => {
                        let well = match &self.failed {
                            Some(error) => Err(error.clone()),
                            None => self.apply(&[]),
                        };
                        let _gone = answer.send(well.map_err(|source| HealthError::Store { source }));
                    }
                }
            }
        }
    }

    /// Commits a batch together with those that wait behind it. Returns the first job of another kind behind them.
    fn apply_group(&mut self, jobs: &Receiver<Job>, mut last: u64, mut rows: Vec<Row>) -> Option<Job> {
        let mut other = None;
        while rows.len() < GROUP_ROWS {
            match jobs.try_recv() {
                Ok(Job::Apply { ticket, rows: more }) => {
                    last = ticket;
                    rows.extend(more);
                }
                Ok(job) => {
                    other = Some(job);
                    break;
                }
                Err(_) => break,
            }
        }
        if self.failed.is_none() {
            match self.apply(&rows) {
                Ok(()) => self.inbox.push(CoreMessage::Committed(last)),
                Err(error) => {
                    self.failed = Some(error.clone());
                    self.inbox.push(CoreMessage::CommitFailed(error));
                }
            }
        }
        other
    }

    fn apply(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        caught(|| self.store.apply(rows)).map(|_seq| ())
    }

    fn load(&mut self) -> Result<Vec<Row>, StoreError> {
        if self.failed.is_some() {
            self.apply(&[])?;
        }
        let mut rows = Vec::new();
        caught(|| self.store.load(&mut |row| rows.push(row)))?;
        self.failed = None;
        Ok(rows)
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Unavailable { why: "it panicked; see the log".to_owned() }))
}
