use std::io::{self, Read as _};

use vipnode_files::OpenDir;
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
    pub(crate) fn read(dir: &OpenDir) -> Result<Option<Self>, DataDirError> {
        let path = || dir.file(Self::NAME);
        let failed = |why| DataDirError::ReadKey { path: path(), why };
        // What is checked is the open file: the directory's owner may replace it at any moment.
        let file = match dir.open_file(Self::NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(DataDirError::KeyNotFile { path: path() });
            }
            Err(error) => return Err(failed(error)),
        };
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&file.metadata().map_err(failed)?.permissions()) & 0o077 != 0 {
            return Err(DataDirError::ExposedKey { path: path() });
        }
        if dir.is_of_another(&file).map_err(failed)? {
            return Err(DataDirError::KeyOfAnother { path: path() });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        let (key, changes) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => bytes.split_at(end),
            None => (&bytes[..], &[][..]),
        };
        let key = PoolKey::read(key).map_err(|why| DataDirError::DamagedKey { path: path(), why })?;
        let changes = String::from_utf8_lossy(changes.trim_ascii()).parse::<PoolKeyChanges>();
        let changes = changes.map_err(|why| DataDirError::DamagedChanges { path: path(), why })?;
        // Changes to another key would help nobody.
        let changes = if changes.newest() == Some(key.id()) { changes } else { PoolKeyChanges::default() };
        Ok(Some(Self { key, changes }))
    }

    /// Makes a key and writes the file.
    pub(crate) fn make(dir: &OpenDir) -> Result<Self, DataDirError> {
        let made = Self { key: new_key()?, changes: PoolKeyChanges::default() };
        made.write(dir)?;
        Ok(made)
    }

    /// Returns a new key, and the change to it.
    pub(crate) fn rotated(&self, now: Ms) -> Result<Self, DataDirError> {
        let (key, mut changes) = (new_key()?, self.changes.clone());
        changes.push(PoolKeyChange::sign(&self.key, key.id(), now));
        Ok(Self { key, changes })
    }

    /// Writes the file whole, for its owner only.
    pub(crate) fn write(&self, dir: &OpenDir) -> Result<(), DataDirError> {
        let text = Zeroizing::new(format!("{}\n{}\n", *self.key.to_hex(), self.changes));
        let written = dir.replace_file(Self::NAME, text.as_bytes());
        written.map(drop).map_err(|why| DataDirError::WriteKey { path: dir.file(Self::NAME), why })
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
