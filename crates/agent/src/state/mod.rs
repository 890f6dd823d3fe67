//! What an agent keeps on disk for one node: `agent.key`, `delegation.json`, `journal`, `lock`, `nonce`, `payout.json`,
//! `pool`, `pools.json`, `prices.json`, `vouchers.json`, and the directory `statements`.
//!
//! Each file is written as a whole and replaced at once, but for the journal, to which lines are added. Uses only the limits,
//! the random numbers, and the crate `files`. What the contents mean does not belong here.

mod files;
mod identity;
mod journal;
mod kept_identity;
mod kept_prices;
mod kept_statements;
mod nonces;
mod pool_pins;
mod signed_payout;
mod signed_vouchers;
#[cfg(test)]
mod tests;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use vipnode_files::{OpenDir, make_own_dir};
use vipnode_types::NodeId;

use self::files::{fault, unsafe_dir};
use crate::{AgentError, limits::LOCAL_AGENTS};

pub use identity::{AgentIdentity, load_node_key, read_node_key};
pub(crate) use journal::DamagedJournal;
pub use journal::Journal;
pub use kept_identity::{check_identity, kept_identity};
pub(crate) use kept_prices::KeptPrices;
pub(crate) use kept_statements::KeptStatements;
pub use kept_statements::{KeptStatement, StatementFile};
pub use nonces::Nonces;
pub use pool_pins::{PoolPins, pinned_pool};
pub(crate) use signed_vouchers::SignedVouchers;

/// The directory of the agents' sockets.
const AGENTS: &str = "agents";
const LOCK: &str = "lock";
const POOL: &str = "pool";

/// The state directory of one node, held by this process alone.
#[derive(Debug)]
pub struct StateDir {
    dir: OpenDir,
    /// Unlocked by the system when it is closed, also by kill -9.
    _lock: File,
}

/// A node on which an agent that no longer runs left changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreleasedNode {
    /// The beginning of its ID.
    pub node: String,
    /// How many changes the journal shows.
    pub changes: usize,
}

impl UnreleasedNode {
    /// Reads the journal of a node's state directory, unless an agent holds the directory.
    fn read(root: &OpenDir, name: String) -> Option<Self> {
        let dir = root.open_dir(&name).ok()?;
        let lock = dir.open_file(LOCK).ok()?;
        lock.try_lock_shared().ok()?;
        let changes = DamagedJournal::read(&dir).ok()?.alive().len();
        (changes > 0).then_some(Self { node: name, changes })
    }
}

impl StateDir {
    /// The directory under which each node has its own: `given`, else `$XDG_STATE_HOME/vipnode`, else
    /// `~/.local/state/vipnode`.
    ///
    /// # Errors
    /// [`AgentError::NoHome`].
    pub fn root(given: Option<&Path>) -> Result<PathBuf, AgentError> {
        use etcetera::BaseStrategy;
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        let strategy = etcetera::choose_base_strategy().map_err(|_no_home| AgentError::NoHome)?;
        Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("vipnode"))
    }

    /// The directory in which the agents of `root` have their sockets.
    pub(crate) fn agents_of(root: &Path) -> PathBuf {
        root.join(AGENTS)
    }

    /// Makes it, and has it be its owner's alone.
    pub(crate) fn agents(root: &Path) -> Result<PathBuf, AgentError> {
        let path = Self::agents_of(root);
        make_own_dir(&path).map_err(unsafe_dir(&path))?;
        Ok(path)
    }

    /// Makes the directory of `node` if it is not there, readable by its owner only, and takes its lock.
    ///
    /// # Errors
    /// [`AgentError::Locked`] where another process has it, [`AgentError::File`], also where another user could write to
    /// the directory.
    pub fn open(root: &Path, node: &NodeId) -> Result<Self, AgentError> {
        let root = OpenDir::create(root).map_err(unsafe_dir(root))?;
        let dir = root.create_dir(&node.short()).map_err(unsafe_dir(&root.file(&node.short())))?;
        let path = dir.file(LOCK);
        let lock = dir.open_lock(LOCK).map_err(fault("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(AgentError::Locked { path }),
            Err(TryLockError::Error(why)) => Err(fault("locking", &path)(why)),
        }
    }

    /// Returns the nodes below `root` on which an agent that no longer runs left changes, except `released`. At most
    /// [`LOCAL_AGENTS`] directories are read, and what cannot be read is skipped.
    #[must_use]
    pub fn unreleased(root: &Path, released: &NodeId) -> Vec<UnreleasedNode> {
        let (Ok(entries), Ok(root)) = (std::fs::read_dir(root), OpenDir::open(root)) else { return Vec::new() };
        let names = entries.take(LOCAL_AGENTS).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let others =
            names.filter(|name| *name != released.short() && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut nodes: Vec<UnreleasedNode> = others.filter_map(|name| UnreleasedNode::read(&root, name)).collect();
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        nodes
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The journal of what the node was made to do.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn journal(&self) -> Result<Journal, AgentError> {
        Journal::open(self.dir.clone())
    }

    /// Whether an agent of a node has left a journal below `root`.
    pub(crate) fn has_journal(root: &Path, node: &NodeId) -> bool {
        root.join(node.short()).join(journal::JOURNAL).exists()
    }

    /// What a damaged journal still shows; the file stays as it is.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn damaged_journal(&self) -> Result<DamagedJournal, AgentError> {
        DamagedJournal::read(&self.dir)
    }

    /// The pool that the changes in the journal came from. Names of leases mean nothing at another pool.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn pool(&self) -> Result<Option<String>, AgentError> {
        let Some(bytes) = files::read(&self.dir, POOL)? else { return Ok(None) };
        let damaged = |why: String| AgentError::Damaged { path: self.dir.file(POOL), why };
        let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(Some(text.trim().to_owned()))
    }

    /// Remembers the pool.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn set_pool(&self, audience: &str) -> Result<(), AgentError> {
        files::write(&self.dir, POOL, format!("{audience}\n").as_bytes())
    }
}
