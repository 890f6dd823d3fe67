//! The data that a pool without a database keeps across restarts. Contains the files and their format. May call the
//! store in memory. This folder does not interpret the rows.

mod record_file;
mod stored_delegation;
mod stored_node;
mod stored_times;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs::{File, TryLockError},
    io,
    path::Path,
    time::{Duration, Instant},
};

use vipnode_files::OpenDir;
use vipnode_pool_core::{MeteredPeriod, NodeRow, Row, RowKey, TimesRow};
use vipnode_types::NodeId;

pub use record_file::RecordFile;

use crate::{MemoryStore, Store, StoreError};

/// Nodes that were paired with others, or showed more than one delegation.
const NODES: RecordFile = RecordFile { name: "nodes", records: 100_000 };
/// The time of clients with their hosts.
const TIMES: RecordFile = RecordFile { name: "times", records: 100_000 };
/// The newest delegations of forgotten nodes.
const DELEGATIONS: RecordFile = RecordFile { name: "delegations", records: 100_000 };
/// The file that keeps a second pool out of the directory.
const LOCK: &str = "lock";
/// Files are written at most this often.
const EVERY: Duration = Duration::from_secs(5);

/// A store in memory that keeps in a directory what protects a pool from strangers: which nodes are proven, which delegations
/// were replaced, and the time that clients used without being billed.
///
/// Everything else, the leases and the journal among it, is lost with the process. Without the files, each restart would
/// make all nodes strangers again, revive replaced agent keys, and renew every client's budget. They are written whole at
/// most every 5 seconds, with the first batch after a change, and at the end; a crash loses what changed since. The 100,000 nodes that are proven or were
/// seen last are kept, and those that were seen last and their times.
#[derive(Debug)]
pub struct FileStore {
    dir: OpenDir,
    memory: MemoryStore,
    /// The state has changed since the files were written.
    dirty: bool,
    written: Option<Instant>,
    /// Held until the end.
    _lock: File,
}

impl FileStore {
    /// Opens the files in a directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another pool has the directory open; [`StoreError::Damaged`] if a file is not as it was
    /// written, and then no file is changed; [`StoreError::Directory`] if the directory cannot be used.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.to_owned(), why: error.to_string() };
        let opened = OpenDir::create(dir).map_err(unusable)?;
        let lock = opened.open_lock(LOCK).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let mut memory = MemoryStore::new();
        let nodes: Vec<stored_node::StoredNode> = NODES.read(&opened)?;
        let times: Vec<stored_times::StoredTimes> = TIMES.read(&opened)?;
        let delegations: Vec<stored_delegation::StoredDelegation> = DELEGATIONS.read(&opened)?;
        let delegations = delegations.into_iter().map(|delegation| Row::Delegation(delegation.into()));
        let nodes = nodes.into_iter().map(|node| Row::Node(Box::new(node.into())));
        let times = times.into_iter().map(|times| Row::Times(Box::new(times.into())));
        memory.apply(&nodes.chain(times).chain(delegations).collect::<Vec<Row>>())?;
        Ok(Self { dir: opened, memory, dirty: false, written: None, _lock: lock })
    }

    /// The directory, as it was when it was opened: other files of the pool in it are opened relative to it, too.
    #[must_use]
    pub const fn dir(&self) -> &OpenDir {
        &self.dir
    }

    /// Writes what changed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it is tried again with the next batch.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if !self.dirty {
            return Ok(());
        }
        // Not again at once where the disk is full.
        self.written = Some(Instant::now());
        let mut times: Vec<&TimesRow> = self.memory.times().collect();
        times.sort_by_cached_key(|times| std::cmp::Reverse(importance(times)));
        times.truncate(TIMES.records);
        // Times are of nodes that are known.
        let named = times.iter().flat_map(|times| times.hosts.iter().map(|host| host.host).chain([times.client]));
        let named: BTreeSet<NodeId> = named.collect();
        let mut nodes: Vec<&NodeRow> =
            self.memory.nodes().filter(|node| is_kept(node) || named.contains(&node.id)).collect();
        nodes.sort_by_key(|node| {
            std::cmp::Reverse((node.proven.is_proven(), node.proven.is_paired() && node.replaced, node.seen))
        });
        NODES.write(&self.dir, nodes.into_iter().map(stored_node::StoredNode::from))?;
        TIMES.write(&self.dir, times.into_iter().map(stored_times::StoredTimes::from))?;
        let delegations = self.memory.delegations();
        DELEGATIONS.write(&self.dir, delegations.map(stored_delegation::StoredDelegation::from))?;
        self.dirty = false;
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.written.is_none_or(|at| at.elapsed() >= EVERY)
    }
}

impl Store for FileStore {
    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        // Before this batch is taken in, so that a failure leaves nothing half done.
        if self.dirty && self.is_due() {
            self.flush()?;
        }
        let seq = self.memory.apply(rows)?;
        self.dirty |= rows.iter().any(changes_a_file);
        Ok(seq)
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.memory.load(each)
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        self.memory.metered(from, limit, each)
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        // No caller is left to get the error; a call of `flush` before reports the error.
        let _unwritten = self.flush();
    }
}

/// Whether a node is written to the file.
/// Where a client's times rank if not all of them can be kept: those of clients that were billed for longer, up to ten
/// minutes, come first. Node IDs are free: times that are ranked by their day alone could be pushed out of the file by ever new
/// ones.
fn importance(times: &TimesRow) -> (u64, Option<u32>) {
    const KNOWN_TO_PAY_MS: u64 = 10 * 60 * 1000;
    let all = || times.hosts.iter().map(|host| &host.time).chain([&times.others]);
    let billed: u64 = all().flat_map(|time| time.billed_ms).map(u64::from).sum();
    (billed.min(KNOWN_TO_PAY_MS), all().map(|time| time.day).max())
}

const fn is_kept(node: &NodeRow) -> bool {
    node.proven.is_paired() || node.replaced
}

fn changes_a_file(row: &Row) -> bool {
    match row {
        Row::Node(node) => is_kept(node),
        Row::Times(_) | Row::Delegation(_) => true,
        Row::Delete(RowKey::Node(_) | RowKey::Times(_) | RowKey::Delegation(_)) => true,
        _ => false,
    }
}
