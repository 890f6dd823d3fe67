use std::{fs, io, path::Path};

use vipnode_files::{Links, read_file, replace_file};
use vipnode_types::{Ms, PoolKey, PoolKeyChange, PoolKeyChanges};
use zeroize::Zeroizing;

use crate::DataDirError;

/// The file of a pool's key: the key in the first line, the newest changes of the key in the second.
///
/// Both are in one file, so that a crash cannot keep one without the other: agents would refuse a new key without its
/// change.
#[derive(Debug)]
pub(crate) struct KeyFile {
    pub(crate) key: PoolKey,
    pub(crate) changes: PoolKeyChanges,
}

/// A key and eight changes have fewer bytes; a longer file is not a key file.
const FILE_BYTES: u64 = 4_096;

impl KeyFile {
    /// The name of the file.
    pub(crate) const NAME: &str = "pool-key";

    /// Reads the file; `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, DataDirError> {
        let failed = |why| DataDirError::ReadKey { path: path.to_owned(), why };
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if !metadata.is_file() {
            return Err(DataDirError::KeyNotFile { path: path.to_owned() });
        }
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
            return Err(DataDirError::ExposedKey { path: path.to_owned() });
        }
        if Self::belongs_to_another(path, &metadata).map_err(failed)? {
            return Err(DataDirError::KeyOfAnother { path: path.to_owned() });
        }
        let bytes = Zeroizing::new(read_file(path, Links::Refuse, FILE_BYTES).map_err(failed)?);
        let (key, changes) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => bytes.split_at(end),
            None => (&bytes[..], &[][..]),
        };
        let key = PoolKey::read(key).map_err(|why| DataDirError::DamagedKey { path: path.to_owned(), why })?;
        let changes = String::from_utf8_lossy(changes.trim_ascii()).parse::<PoolKeyChanges>();
        let changes = changes.map_err(|why| DataDirError::DamagedChanges { path: path.to_owned(), why })?;
        // Changes to another key would help nobody.
        let changes = if changes.newest() == Some(key.id()) { changes } else { PoolKeyChanges::default() };
        Ok(Some(Self { key, changes }))
    }

    /// Whether the file belongs to neither the directory's owner nor root: the user who put it there knows the key.
    #[cfg(unix)]
    fn belongs_to_another(path: &Path, file: &fs::Metadata) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let dir = path.parent().map(fs::metadata).transpose()?;
        Ok(file.uid() != 0 && dir.is_some_and(|dir| dir.uid() != file.uid()))
    }

    #[cfg(not(unix))]
    fn belongs_to_another(_path: &Path, _file: &fs::Metadata) -> io::Result<bool> {
        Ok(false)
    }

    /// Makes a key and writes the file.
    pub(crate) fn make(path: &Path) -> Result<Self, DataDirError> {
        let made = Self { key: new_key()?, changes: PoolKeyChanges::default() };
        made.write(path)?;
        Ok(made)
    }

    /// Returns a new key, and the change to it.
    pub(crate) fn rotated(&self, now: Ms) -> Result<Self, DataDirError> {
        let (key, mut changes) = (new_key()?, self.changes.clone());
        changes.push(PoolKeyChange::sign(&self.key, key.id(), now));
        Ok(Self { key, changes })
    }

    /// Writes the file whole, for its owner only.
    pub(crate) fn write(&self, path: &Path) -> Result<(), DataDirError> {
        let text = Zeroizing::new(format!("{}\n{}\n", *self.key.to_hex(), self.changes));
        replace_file(path, text.as_bytes()).map_err(|why| DataDirError::WriteKey { path: path.to_owned(), why })
    }
}

fn new_key() -> Result<PoolKey, DataDirError> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| DataDirError::Random { why: error.to_string() })?;
        // Fewer than one of 2^127 random values is not a key.
        if let Ok(key) = PoolKey::from_random(*bytes) {
            return Ok(key);
        }
    }
}
