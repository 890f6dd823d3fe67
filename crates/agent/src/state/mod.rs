//! What an agent keeps on disk for one node: `agent.key`, `delegation.json`, `journal`, `lock`, `nonce`, `pool`.

mod delegation_status;
mod files;
mod identity;
mod journal;
mod nonces;
#[cfg(test)]
mod tests;

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use vipnode_files::{Links, check_dir, make_dir, make_own_dir, regular, without_waiting};
use vipnode_types::NodeId;

use crate::AgentError;

pub use delegation_status::delegated_until;
pub use identity::{AgentIdentity, load_node_key, read_node_key};
pub(crate) use journal::DamagedJournal;
pub use journal::Journal;
pub use nonces::Nonces;

/// The state directory of one node, held by this process alone.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Unlocked by the system when it is closed, also by kill -9.
    _lock: File,
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
        root.join("agents")
    }

    /// Makes it, and has it be its owner's alone.
    pub(crate) fn agents(root: &Path) -> Result<PathBuf, AgentError> {
        let path = Self::agents_of(root);
        make_own_dir(root, &path).map_err(files::fault("using the state directory", &path))?;
        Ok(path)
    }

    /// Makes the directory of `node` if it is not there, readable by its owner only, and takes its lock.
    ///
    /// # Errors
    /// [`AgentError::Locked`] where another process has it, [`AgentError::File`], also where another user could write to
    /// the directory.
    pub fn open(root: &Path, node: &NodeId) -> Result<Self, AgentError> {
        let path = root.join(node.short());
        let unsafe_dir = |path: &Path| files::fault("using the state directory", path);
        make_dir(&path).map_err(files::fault("making", &path))?;
        check_dir(root, Links::Follow).map_err(unsafe_dir(root))?;
        check_dir(&path, Links::Refuse).map_err(unsafe_dir(&path))?;
        let lock_path = path.join("lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        without_waiting(&mut options, Links::Refuse);
        let opened = options.open(&lock_path).and_then(regular);
        let lock = opened.map_err(|why| AgentError::File { doing: "opening", path: lock_path.clone(), why })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(AgentError::Locked { path: lock_path }),
            Err(TryLockError::Error(why)) => Err(AgentError::File { doing: "locking", path: lock_path, why }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal of what the node was made to do.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn journal(&self) -> Result<Journal, AgentError> {
        Journal::open(&self.path.join("journal"))
    }

    /// What a damaged journal still shows; the file stays as it is.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub(crate) fn damaged_journal(&self) -> Result<DamagedJournal, AgentError> {
        DamagedJournal::read(&self.path.join("journal"))
    }

    /// The pool that the grants in the journal came from. Names of leases mean nothing at another pool.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn pool(&self) -> Result<Option<String>, AgentError> {
        let path = self.path.join("pool");
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| AgentError::Damaged { path, why: error.to_string() })?;
        Ok(Some(text.trim().to_owned()))
    }

    /// Remembers the pool.
    ///
    /// # Errors
    /// [`AgentError::File`].
    pub fn set_pool(&self, audience: &str) -> Result<(), AgentError> {
        files::write(&self.path.join("pool"), format!("{audience}\n").as_bytes())
    }
}
