//! The store on its own thread: the input is batches, the output is the newest durable batch.

use std::{
    fmt,
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

/// Rows that are passed to the core at once when everything is read.
const LOADED_ROWS: usize = 1_024;
/// How many times that many rows wait for the core.
const LOADED_PARTS: usize = 4;

/// The core's handle of the store's thread.
#[derive(Debug)]
pub(crate) struct StoreThread {
    jobs: SyncSender<Job>,
}

#[derive(Debug)]
pub(crate) enum Job {
    /// Write a batch.
    Apply { ticket: u64, rows: Vec<Row> },
    /// Read everything, after all batches before.
    Load(SyncSender<LoadPart>),
    /// Check whether the store can write. If so, batches are accepted again after a failed commit.
    Resume(Sender<Result<(), StoreError>>),
    /// Do something between two commits.
    Work(StoreWork),
    /// Check whether the store works.
    Probe(tokio::sync::oneshot::Sender<Result<(), HealthError>>),
}

/// Work of the store between two commits, of which the core knows nothing. It has to be short, because the next commit waits.
pub(crate) struct StoreWork(Box<Work>);

/// Is given the store, or why it cannot write.
type Work = dyn FnOnce(Result<&mut dyn Store, StoreError>) + Send;

impl StoreWork {
    /// Work, and its result.
    pub(crate) fn new<T: Send + 'static>(
        work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> (Self, tokio::sync::oneshot::Receiver<Result<T, StoreError>>) {
        let (done, result) = tokio::sync::oneshot::channel();
        let run = move |store: Result<&mut dyn Store, StoreError>| {
            let _gone = done.send(store.and_then(|store| caught(|| work(store))));
        };
        (Self(Box::new(run)), result)
    }
}

impl fmt::Debug for StoreWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreWork")
    }
}

/// A part of everything that the store holds.
#[derive(Debug)]
pub(crate) enum LoadPart {
    Rows(Vec<Row>),
    /// All was read. If a commit before failed, why.
    End(Option<StoreError>),
    /// It cannot be read.
    Failed(StoreError),
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

    /// Passes the whole state to `part`, in parts, after all jobs sent before. Returns why a commit before failed, if one did.
    ///
    /// # Errors
    /// The state cannot be read; rows passed to `part` so far must not be used then.
    pub(crate) fn load(&self, mut part: impl FnMut(Vec<Row>)) -> Result<Option<StoreError>, StoreError> {
        let (parts, loaded) = sync_channel(LOADED_PARTS);
        self.send(Job::Load(parts));
        loop {
            match loaded.recv() {
                Ok(LoadPart::Rows(rows)) => part(rows),
                Ok(LoadPart::End(failed)) => return Ok(failed),
                Ok(LoadPart::Failed(error)) => return Err(error),
                Err(_gone) => return Err(ended()),
            }
        }
    }

    /// Has batches accepted again after a failed commit.
    ///
    /// # Errors
    /// The store still cannot write.
    pub(crate) fn resume(&self) -> Result<(), StoreError> {
        let (answer, answered) = channel();
        self.send(Job::Resume(answer));
        answered.recv().unwrap_or_else(|_gone| Err(ended()))
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable { why: "its thread has ended".to_owned() }
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
                    Job::Load(parts) => self.load(&parts),
                    Job::Resume(answer) => {
                        let _gone = answer.send(self.resume());
                    }
                    Job::Work(StoreWork(run)) => {
                        match &self.failed {
                            Some(error) => run(Err(error.clone())),
                            None => run(Ok(&mut *self.store)),
                        }
                        self.tidy();
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

    /// Nobody waits for this. A failure is that of the next commit, too.
    fn tidy(&mut self) {
        let _failed = caught(|| {
            self.store.tidy();
            Ok(())
        });
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
                Ok(()) => {
                    self.inbox.push(CoreMessage::Committed(last));
                    self.tidy();
                }
                Err(error) => {
                    self.failed = Some(error.clone());
                    self.inbox.push(CoreMessage::CommitFailed { ticket: last, error });
                }
            }
        }
        other
    }

    fn apply(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        caught(|| self.store.apply(rows)).map(|_seq| ())
    }

    fn load(&mut self, parts: &SyncSender<LoadPart>) {
        let mut rows = Vec::new();
        let loaded = caught(|| {
            self.store.load(&mut |row| {
                rows.push(row);
                if rows.len() >= LOADED_ROWS {
                    let _gone = parts.send(LoadPart::Rows(std::mem::take(&mut rows)));
                }
            })
        });
        let _gone = parts.send(LoadPart::Rows(rows));
        let _gone = parts.send(loaded.map_or_else(LoadPart::Failed, |()| LoadPart::End(self.failed.clone())));
    }

    fn resume(&mut self) -> Result<(), StoreError> {
        caught(|| self.store.probe())?;
        self.failed = None;
        Ok(())
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Unavailable { why: "it panicked; see the log".to_owned() }))
}
