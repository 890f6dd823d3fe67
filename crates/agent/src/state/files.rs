//! Small files that are whole or not there, and that only their owner reads.

use std::{io, path::Path};

use vipnode_files::{Links, read_file, replace_file};

use crate::{AgentError, limits::FILE_BYTES};

/// The bytes of a file; `None` where it is not there. A file beyond [`FILE_BYTES`] is an error.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, AgentError> {
    match read_file(path, Links::Refuse, FILE_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(AgentError::Damaged { path: path.to_owned(), why: error.to_string() })
        }
        Err(error) => Err(fault("reading", path)(error)),
    }
}

/// Writes a file whole; see [`replace_file`].
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), AgentError> {
    replace_file(path, bytes).map_err(fault("writing", path))
}

pub(super) fn fault(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AgentError + use<> {
    let path = path.to_owned();
    move |why| AgentError::File { doing, path, why }
}
