//! Small files that are whole or not there, and that only their owner reads.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use vipnode_node::{Links, open_regular_file};

use crate::{AgentError, limits::FILE_BYTES};

/// The bytes of a file; `None` where it is not there. A file beyond [`FILE_BYTES`] is an error.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, AgentError> {
    let file = match open_regular_file(path, Links::Refuse) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault("reading", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fault("reading", path))?;
    if bytes.len() as u64 > FILE_BYTES {
        let why = format!("it has more than {FILE_BYTES} bytes");
        return Err(AgentError::Damaged { path: path.to_owned(), why });
    }
    Ok(Some(bytes))
}

/// Writes a file whole, 0600, durable when this returns: a crash leaves the old one or the new one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), AgentError> {
    let part = path.with_extension("part");
    let doing = fault("writing", path);
    create_owned(&part)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| sync_parent(path))
        .map_err(doing)
}

/// A new, empty file, 0600 from its first moment. One that a crash left is replaced.
pub(super) fn create_owned(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a rename durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

pub(super) fn fault(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AgentError + use<> {
    let path = path.to_owned();
    move |why| AgentError::File { doing, path, why }
}
