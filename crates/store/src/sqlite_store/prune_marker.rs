use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vipnode_files::OpenDir;
use vipnode_types::Ms;

use super::PruneOrder;

/// A file in the data directory that is there from before a prune writes what it will remove until it has removed all of it, so
/// that a prune which was killed can be finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PruneMarker {
    /// The file that has what is removed. A path that is not Unicode is not found again.
    pub(super) file: PathBuf,
    /// Whether the file was complete, so that something may have been removed.
    pub(super) removes: bool,
    before: Ms,
    last_entry: u64,
    last_position: u64,
}

/// The name of the marker.
const FILE: &str = "pool.db.pruning";
/// A path has at most 4,096 bytes, each of which JSON writes as six at most.
const FILE_BYTES: u64 = 32 << 10;

impl PruneMarker {
    /// A prune that has not written its file.
    pub(super) fn new(file: &Path, order: PruneOrder) -> Self {
        let PruneOrder { before, last_entry, last_position } = order;
        let file = file.to_string_lossy().into_owned().into();
        Self { file, removes: false, before, last_entry, last_position }
    }

    pub(super) const fn order(&self) -> PruneOrder {
        let Self { before, last_entry, last_position, .. } = *self;
        PruneOrder { before, last_entry, last_position }
    }

    /// Writes the marker, durable when this returns.
    pub(super) fn write(&self, dir: &OpenDir) -> io::Result<()> {
        dir.replace_file(FILE, &serde_json::to_vec(self)?)?;
        sync(dir)
    }

    /// Reads the marker of a prune that was killed; `None` if there is none.
    pub(super) fn read(dir: &OpenDir) -> io::Result<Option<Self>> {
        match dir.read_file(FILE, FILE_BYTES) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the marker, if there is one.
    pub(super) fn remove(dir: &OpenDir) -> io::Result<()> {
        match fs::remove_file(dir.file(FILE)) {
            Ok(()) => sync(dir),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn sync(dir: &OpenDir) -> io::Result<()> {
    File::open(dir.path())?.sync_all()
}
