//! The files of a state directory, with the agent's errors.

use std::{io, path::Path};

use serde::Serialize;
use vipnode_files::OpenDir;
use vipnode_types::NodeId;

use crate::{
    AgentError,
    limits::{FILE_BYTES, POOL_PINS},
};

/// Opens the directory of a node below `root`; `None` if it does not exist.
pub(super) fn open_existing(root: &Path, node: NodeId) -> Result<Option<OpenDir>, AgentError> {
    let opened = OpenDir::open(root).and_then(|root| root.open_dir(&node.short()));
    match opened {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unsafe_dir(&root.join(node.short()))(error)),
    }
}

/// The bytes of a file; `None` where it is not there. A file beyond [`FILE_BYTES`] is an error.
pub(super) fn read(dir: &OpenDir, name: &str) -> Result<Option<Vec<u8>>, AgentError> {
    match dir.read_file(name, FILE_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(AgentError::Damaged { path: dir.file(name), why: error.to_string() })
        }
        Err(error) => Err(fault("reading", &dir.file(name))(error)),
    }
}

/// Writes a file whole; see [`OpenDir::replace_file`].
pub(super) fn write(dir: &OpenDir, name: &str, bytes: &[u8]) -> Result<(), AgentError> {
    dir.replace_file(name, bytes).map(drop).map_err(fault("writing", &dir.file(name)))
}

/// Writes a list as JSON, without its first entries if it is too long: at most [`POOL_PINS`] of them, in a file of at most
/// [`FILE_BYTES`].
pub(super) fn write_bounded<T: Serialize>(dir: &OpenDir, name: &str, entries: &mut Vec<T>) -> Result<(), AgentError> {
    let most = usize::try_from(FILE_BYTES).unwrap_or(usize::MAX);
    loop {
        let json = serde_json::to_vec_pretty(&entries).map_err(AgentError::internal)?;
        if entries.len() <= POOL_PINS && json.len() <= most {
            return write(dir, name, &json);
        }
        entries.remove(0);
    }
}

/// A directory that cannot be opened, or in which another user could replace files.
pub(super) fn unsafe_dir(path: &Path) -> impl FnOnce(io::Error) -> AgentError + use<> {
    fault("using the state directory", path)
}

pub(super) fn fault(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AgentError + use<> {
    let path = path.to_owned();
    move |why| AgentError::File { doing, path, why }
}
