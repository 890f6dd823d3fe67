use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use vipnode_store::{FileStore, StoreError};
use vipnode_types::{NodeKeyError, PoolId, PoolKey, errors};

/// The directory of a pool: its key, and what its store keeps.
///
/// Without one, each start of a pool is a new pool to its agents, and all nodes are strangers to it again.
#[derive(Debug)]
pub struct DataDir {
    /// Made when the directory was first opened.
    pub(crate) key: PoolKey,
    /// It holds the directory's lock.
    pub(crate) store: FileStore,
}

errors! {
    /// Why a pool cannot use its data directory.
    #[derive(Debug)]
    pub enum DataDirError {
        /// The key cannot be read.
        ReadKey {
            /// Path of the key file.
            path: PathBuf,
            /// The error of the operating system.
            why: io::Error,
        }: local, "cannot read the pool's key {path}: {why}" (path = path.display()),
            hint "Make the file readable for this user, or pass another --datadir DIR.";
        /// The key cannot be written.
        WriteKey {
            /// Path of the key file.
            path: PathBuf,
            /// The error of the operating system.
            why: io::Error,
        }: local, "cannot write the pool's key {path}: {why}" (path = path.display()),
            hint "Make the directory writable for this user, or pass another --datadir DIR.";
        /// The file does not contain a key.
        DamagedKey {
            /// Path of the key file.
            path: PathBuf,
            /// What is wrong with it.
            why: NodeKeyError,
        }: local, "{path} does not contain a pool's key: {why}" (path = path.display()),
            hint "Restore the file from a backup, or delete it to create a new key. A new key changes the pool's ID, which agents do not check yet.";
        /// Something other than a regular file has the key's name.
        KeyNotFile {
            /// The path.
            path: PathBuf,
        }: local, "{path} is not a regular file" (path = path.display()), hint "Pass another --datadir DIR.";
        /// Other users can read the key.
        ExposedKey {
            /// Path of the key file.
            path: PathBuf,
        }: local, "other users of this machine can access the pool's key {path}" (path = path.display()),
            hint "Run `chmod 600 {path}`." (path = path.display());
        /// The operating system returns no random bytes.
        Random {
            /// The error of the operating system.
            why: String,
        }: local, "cannot get random bytes from the operating system: {why}", no_hint "the operating system is broken";
    }
    also {
        /// The store's files cannot be used.
        Store(StoreError);
    }
}

/// The file of the pool's key.
const KEY: &str = "pool-key";
/// A key file has 64 characters and a line break; more bytes are not read.
const KEY_BYTES: u64 = 1_024;

impl DataDir {
    /// Opens a directory, which is created if it does not exist, and makes the pool's key at the first start.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(dir: &Path) -> Result<Self, DataDirError> {
        // The store locks the directory, so that two pools that start together do not make two keys.
        let store = FileStore::open(dir)?;
        let path = dir.join(KEY);
        let key = match read_key(&path)? {
            Some(key) => key,
            None => make_key(&path)?,
        };
        Ok(Self { key, store })
    }

    /// Returns the pool's id.
    #[must_use]
    pub fn id(&self) -> PoolId {
        self.key.id()
    }
}

/// Returns the key; `None` if the file does not exist. Nothing but a regular file is opened, because opening a fifo would block.
fn read_key(path: &Path) -> Result<Option<PoolKey>, DataDirError> {
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
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(KEY_BYTES).read_to_end(&mut text)).map_err(failed)?;
    PoolKey::read(&text).map(Some).map_err(|why| DataDirError::DamagedKey { path: path.to_owned(), why })
}

/// Makes a key and writes it: whole, durable, and for its owner only. A crash leaves no file or the whole file.
fn make_key(path: &Path) -> Result<PoolKey, DataDirError> {
    let key = loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| DataDirError::Random { why: error.to_string() })?;
        // Fewer than one of 2^127 random values is not a key.
        if let Ok(key) = PoolKey::from_random(bytes) {
            break key;
        }
    };
    write_key(path, &key).map_err(|why| DataDirError::WriteKey { path: path.to_owned(), why })?;
    Ok(key)
}

fn write_key(path: &Path, key: &PoolKey) -> io::Result<()> {
    let part = path.with_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    match path.parent() {
        // Makes the rename durable; other systems cannot open a directory.
        Some(dir) if cfg!(unix) => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("pool");
        let first = DataDir::open(&dir).unwrap();
        let id = first.key.id();
        assert!(matches!(DataDir::open(&dir), Err(DataDirError::Store(StoreError::InUse { .. }))));
        drop(first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.join(KEY)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(DataDir::open(&dir).unwrap().key.id(), id);
        assert_ne!(DataDir::open(&root.path().join("other")).unwrap().key.id(), id);
    }

    #[test]
    #[cfg(unix)]
    fn a_key_that_cannot_be_used_is_kept_as_it_is() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let (dir, key) = (root.path(), root.path().join(KEY));
        let error = || DataDir::open(dir).unwrap_err();
        fs::write(&key, "0x00").unwrap();
        assert!(error().hint().unwrap().contains("chmod 600"), "{}", error());
        fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(error(), DataDirError::DamagedKey { .. }));
        assert_eq!(fs::read_to_string(&key).unwrap(), "0x00");
        fs::remove_file(&key).unwrap();
        symlink("/dev/zero", &key).unwrap();
        assert!(matches!(error(), DataDirError::KeyNotFile { .. }), "{}", error());
    }

    #[test]
    fn what_a_crash_left_of_a_key_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("pool-key.part"), "cut").unwrap();
        let id = DataDir::open(root.path()).unwrap().key.id();
        assert_eq!(DataDir::open(root.path()).unwrap().key.id(), id);
    }
}
