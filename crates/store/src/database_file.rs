use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::StoreError;

/// The file of an open database, to notice that it was removed or replaced: the system lets the store write to the removed file
/// until the process ends, when everything written is lost.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl DatabaseFile {
    /// Remembers which file is at a path.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path).ok().flatten() }
    }

    /// Checks that the file is still at its path.
    ///
    /// # Errors
    /// [`StoreError::Removed`].
    pub fn check(&self) -> Result<(), StoreError> {
        let gone = match identity(&self.path) {
            Ok(now) => now != self.identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if gone { Err(StoreError::Removed { file: self.path.clone() }) } else { Ok(()) }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    use std::os::unix::fs::MetadataExt as _;

    fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

/// An open file cannot be removed there.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    fs::metadata(path).map(|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_removed_or_replaced_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pool.db");
        fs::write(&path, "1").unwrap();
        let file = DatabaseFile::at(&path);
        fs::write(&path, "12").unwrap();
        assert_eq!(file.check(), Ok(()));
        let moved = dir.path().join("moved.db");
        fs::rename(&path, &moved).unwrap();
        assert_eq!(file.check(), Err(StoreError::Removed { file: path.clone() }));
        fs::write(&path, "another").unwrap();
        #[cfg(unix)]
        assert!(file.check().is_err(), "another file");
        fs::rename(&moved, &path).unwrap();
        assert_eq!(file.check(), Ok(()), "put back");
    }
}
