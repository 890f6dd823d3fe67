use std::{
    fs, io,
    path::{Path, PathBuf},
};

use vipnode_files::{OpenDir, quoted_path};
use vipnode_store::{ReadLimits, SqliteReader, SqliteStore, StoreError, StoreReader as _};
use vipnode_types::{Asset, NodeKeyError, PoolId, PoolKeyChangesError, errors};

use crate::{
    engine::{StartError, wall_clock},
    key_file::KeyFile,
};

/// The directory of a pool: its key, its database, and the operator's bans and drains.
///
/// Without one, each start of a pool is a new pool to its agents, and it has lost its leases.
#[derive(Debug)]
pub struct DataDir {
    /// Everything in it is opened relative to it.
    pub(crate) dir: OpenDir,
    /// The key was made when the directory was first opened.
    pub(crate) keys: KeyFile,
    /// It holds the directory's lock.
    pub(crate) store: SqliteStore,
}

/// What is wrong with the first line of a key file, in words of a pool's key.
const fn key_problem(why: &NodeKeyError) -> &'static str {
    match why {
        NodeKeyError::Form => "its first line must be 64 hex characters",
        NodeKeyError::Range => "the number in its first line is not a valid secp256k1 secret key",
    }
}

errors! {
    /// Why a pool cannot use its data directory.
    #[derive(Debug)]
    pub enum DataDirError {
        /// The key file belongs to another user, or the operating system cannot read it.
        ReadKey {
            /// Path of the key file.
            path: PathBuf,
            /// The error of the operating system.
            why: io::Error,
        }: local, "cannot read the pool's key {path}: {why}" (path = path.display()),
            hint "Make the file readable by this user, or pass a different --datadir DIR.";
        /// The directory is not writable by this user, or its disk is full.
        WriteKey {
            /// Path of the key file.
            path: PathBuf,
            /// The error of the operating system.
            why: io::Error,
        }: local, "cannot write the pool's key {path}: {why}" (path = path.display()),
            hint "Make the directory writable by this user, or pass a different --datadir DIR.";
        /// The key file is damaged, or another file has replaced it.
        DamagedKey {
            /// Path of the key file.
            path: PathBuf,
            /// What is wrong with it.
            why: NodeKeyError,
        }: local, "{path} does not contain a pool's key: {problem}" (path = path.display(), problem = key_problem(why)),
            hint "Restore the file from a backup. A pool with a new key is refused by agents that remember its ID, unless they \
                  run with --accept-pool-key ID.";
        /// The list of key changes in the file cannot be read.
        DamagedChanges {
            /// Path of the key file.
            path: PathBuf,
            /// What is wrong with them.
            why: PoolKeyChangesError,
        }: local, "the pool's key changes in {path} cannot be read: {why}" (path = path.display()),
            hint "Restore the file from a backup, or keep only its first line: the key.";
        /// The path of the key exists but is not a regular file.
        KeyNotFile {
            /// Path of the file or directory.
            path: PathBuf,
        }: local, "{path} is not a regular file" (path = path.display()), hint "Pass a different --datadir DIR.";
        /// Another user may have placed the key file there, so the pool does not trust it.
        KeyOfAnother {
            /// Path of the key file.
            path: PathBuf,
        }: local, "the pool's key {path} and its directory belong to different users" (path = path.display()),
            hint "If you trust the key, run `chown --reference=DIR {path}` with the directory for DIR." (path = quoted_path(path));
        /// No pool has run with this data directory.
        NoKey {
            /// Path of the key file.
            path: PathBuf,
        }: local, "the pool's key {path} does not exist" (path = path.display()),
            hint "Pass the --datadir DIR that the pool runs with.";
        /// The directory has the database of a pool, but not the pool's key.
        LostKey {
            /// Path of the key file.
            path: PathBuf,
        }: local, "the pool's key {path} is missing, but the pool has run here before" (path = path.display()),
            hint "Restore the file from a backup. To continue with a new key, pass --new-pool-key; agents that remember the \
                  pool's ID then refuse it until their users pass --accept-pool-key ID.";
        /// The permissions of the key file are not limited to its owner.
        ExposedKey {
            /// Path of the key file.
            path: PathBuf,
        }: local, "other users on this machine can access the pool's key {path}" (path = path.display()),
            hint "Run `chmod 600 {path}`." (path = quoted_path(path));
        /// The operating system's random number generator failed.
        Random {
            /// The error of the operating system.
            why: String,
        }: local, "cannot get random bytes from the operating system: {why}", no_hint "only the operating system can fix this";
    }
    also {
        /// The store's files cannot be used.
        Store(StoreError);
    }
}

/// What to do if a pool has run in a directory, but its key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostKey {
    /// Do not start: agents that remember the pool's ID would refuse it.
    Refuse,
    /// Make a new key.
    Replace,
}

impl DataDir {
    /// Opens a directory, which is created if it does not exist, and makes the pool's key at the first start.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open(dir: &Path) -> Result<Self, DataDirError> {
        Self::open_with(dir, LostKey::Refuse)
    }

    /// As [`Self::open`], with a choice of what to do if a pool has run here, but its key is missing.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open_with(dir: &Path, lost: LostKey) -> Result<Self, DataDirError> {
        // The store locks the directory, so that two pools that start together do not make two keys.
        let store = SqliteStore::open(dir)?;
        let dir = store.dir().clone();
        let keys = match KeyFile::read(&dir)? {
            Some(keys) => keys,
            // At the first start, the key is made before the pool writes.
            None if store.is_unused() || lost == LostKey::Replace => KeyFile::make(&dir)?,
            None => return Err(DataDirError::LostKey { path: dir.file(KeyFile::NAME) }),
        };
        store.note_pool(&keys.key.id())?;
        Ok(Self { dir, keys, store })
    }

    /// Checks what a directory holds, if it exists, and changes nothing: a pool may be running with it.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn check(dir: &Path, lost: LostKey) -> Result<(), DataDirError> {
        match OpenDir::open(dir) {
            Ok(opened) => match KeyFile::read(&opened)? {
                None if lost == LostKey::Refuse && SqliteStore::has_written(&opened) => {
                    Err(DataDirError::LostKey { path: opened.file(KeyFile::NAME) })
                }
                _ => Ok(()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(dir).is_err() => Ok(()),
            Err(error) => Err(StoreError::Directory { dir: dir.to_owned(), why: error.to_string() }.into()),
        }
    }

    /// Checks that the pool of a directory has charged in this asset, or in none yet. Changes nothing: a pool may be running with it.
    ///
    /// # Errors
    /// [`StartError::OtherAsset`]; [`StartError::Store`] if the database cannot be read.
    pub fn check_asset(dir: &Path, given: Asset) -> Result<(), StartError> {
        let unreadable = |source| StartError::Store { source };
        if fs::symlink_metadata(dir).is_err() {
            return Ok(());
        }
        let reader = match SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE) {
            // A start converts an older database, and then checks its asset.
            Err(StoreError::NoDatabase { .. } | StoreError::OlderSchema { .. }) => return Ok(()),
            reader => reader.map_err(unreadable)?,
        };
        let (_, stored) = reader.read(0).and_then(|mut snapshot| snapshot.head()).map_err(unreadable)?;
        match stored.filter(|stored| *stored != given) {
            Some(stored) => Err(StartError::OtherAsset { stored, given }),
            None => Ok(()),
        }
    }

    /// Opens the directory of a pool that has run before.
    ///
    /// # Errors
    /// See [`DataDirError`].
    pub fn open_existing(dir: &Path) -> Result<Self, DataDirError> {
        let path = dir.join(KeyFile::NAME);
        match path.try_exists() {
            Ok(false) => Err(DataDirError::NoKey { path }),
            Ok(true) | Err(_) => Self::open(dir),
        }
    }

    /// Returns the pool's id.
    #[must_use]
    pub fn id(&self) -> PoolId {
        self.keys.key.id()
    }

    /// Gives the pool a new key. The old key signs the change, so that agents which remember the old ID accept the new one.
    ///
    /// # Errors
    /// See [`DataDirError`]; the pool then still has its old key.
    pub fn rotate_key(&mut self) -> Result<(), DataDirError> {
        let newer = self.keys.rotated(wall_clock())?;
        newer.write(&self.dir)?;
        self.keys = newer;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("pool");
        let first = DataDir::open(&dir).unwrap();
        let id = first.id();
        assert!(matches!(DataDir::open(&dir), Err(DataDirError::Store(StoreError::InUse { .. }))));
        drop(first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.join(KeyFile::NAME)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(DataDir::open(&dir).unwrap().id(), id);
        assert_ne!(DataDir::open(&root.path().join("other")).unwrap().id(), id);
    }

    #[test]
    fn a_lost_key_is_replaced_only_if_the_operator_says_so() {
        let root = tempfile::tempdir().unwrap();
        let key = root.path().join(KeyFile::NAME);
        let id = DataDir::open(root.path()).unwrap().id();
        fs::remove_file(&key).unwrap();
        assert_ne!(DataDir::open(root.path()).unwrap().id(), id, "no pool has run yet");
        let mut opened = DataDir::open(root.path()).unwrap();
        vipnode_store::Store::apply(&mut opened.store, &[vipnode_pool_core::Row::NextLease(7)]).unwrap();
        let id = opened.id();
        drop(opened);
        fs::remove_file(&key).unwrap();
        assert!(matches!(DataDir::check(root.path(), LostKey::Refuse), Err(DataDirError::LostKey { .. })));
        DataDir::check(root.path(), LostKey::Replace).unwrap();
        let error = DataDir::open(root.path()).unwrap_err();
        assert!(matches!(&error, DataDirError::LostKey { .. }), "{error}");
        assert!(error.hint().unwrap().contains("--new-pool-key") && !key.exists(), "{error}");
        assert_ne!(DataDir::open_with(root.path(), LostKey::Replace).unwrap().id(), id);
        let newer = DataDir::open(root.path()).unwrap().id();
        assert_eq!(DataDir::open_with(root.path(), LostKey::Replace).unwrap().id(), newer, "a key that is there stays");
    }

    #[test]
    fn a_directory_that_cannot_be_created_names_the_flag() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataDir::open(&file.path().join("pool")).unwrap_err();
        assert!(error.to_string().contains("pool") && error.hint().unwrap().contains("--datadir DIR"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn a_key_that_cannot_be_used_is_kept_as_it_is() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let (dir, key) = (root.path(), root.path().join(KeyFile::NAME));
        let error = || DataDir::open(dir).unwrap_err();
        fs::write(&key, "0x00").unwrap();
        assert!(error().hint().unwrap().contains("chmod 600"), "{}", error());
        fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(error(), DataDirError::DamagedKey { .. }));
        assert!(!error().to_string().contains("node key") && error().to_string().contains("64 hex"), "{}", error());
        assert_eq!(fs::read_to_string(&key).unwrap(), "0x00");
        fs::remove_file(&key).unwrap();
        symlink("/dev/zero", &key).unwrap();
        assert!(matches!(error(), DataDirError::KeyNotFile { .. }), "{}", error());
    }

    #[test]
    fn a_check_finds_what_a_start_would_and_makes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new");
        DataDir::check(&dir, LostKey::Refuse).unwrap();
        assert!(!dir.exists());
        drop(DataDir::open(&dir).unwrap());
        DataDir::check(&dir, LostKey::Refuse).unwrap();
        fs::write(dir.join(KeyFile::NAME), "nothing").unwrap();
        assert!(matches!(DataDir::check(&dir, LostKey::Refuse), Err(DataDirError::DamagedKey { .. })));
        fs::write(root.path().join("file"), "").unwrap();
        assert!(matches!(DataDir::check(&root.path().join("file"), LostKey::Refuse), Err(DataDirError::Store(_))));
    }

    #[test]
    fn nothing_is_made_where_no_pool_has_run() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("mistyped");
        assert!(matches!(DataDir::open_existing(&dir), Err(DataDirError::NoKey { .. })));
        assert!(!dir.exists());
        let id = DataDir::open(&dir).unwrap().id();
        assert_eq!(DataDir::open_existing(&dir).unwrap().id(), id);
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_in_which_others_write_is_refused_and_so_is_a_key_of_another_user() {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        let root = tempfile::tempdir().unwrap();
        let (dir, key) = (root.path().join("pool"), root.path().join("pool").join(KeyFile::NAME));
        drop(DataDir::open(&dir).unwrap());
        for mode in [0o777, 0o1777] {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
            assert!(DataDir::open(&dir).unwrap_err().to_string().contains("every user"));
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        // Only root can give a file away.
        if chown(&key, Some(65_534), None).is_ok() {
            assert!(matches!(DataDir::open(&dir), Err(DataDirError::KeyOfAnother { .. })));
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_new_key_is_written_to_the_directory_that_was_opened() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, moved) = (root.path().join("pool"), root.path().join("moved"));
        let mut dir = DataDir::open(&path).unwrap();
        fs::rename(&path, &moved).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &path).unwrap();
        dir.rotate_key().unwrap();
        let id = dir.id();
        drop(dir);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        assert_eq!(DataDir::open(&moved).unwrap().id(), id);
    }

    #[test]
    fn what_a_crash_left_of_a_key_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("pool-key.part"), "cut").unwrap();
        let id = DataDir::open(root.path()).unwrap().id();
        assert_eq!(DataDir::open(root.path()).unwrap().id(), id);
    }

    #[test]
    fn a_new_key_is_signed_by_the_old_one_and_a_lost_change_is_only_that() {
        let root = tempfile::tempdir().unwrap();
        let mut ids = Vec::new();
        for _ in 0..10 {
            let mut dir = DataDir::open(root.path()).unwrap();
            ids.push(dir.id());
            dir.rotate_key().unwrap();
            assert_ne!(dir.id(), ids[ids.len() - 1]);
        }
        let dir = DataDir::open(root.path()).unwrap();
        let (changes, newest) = (&dir.keys.changes, dir.id());
        assert!(ids[2..].iter().all(|id| changes.lead(id, &newest)));
        assert!(!changes.lead(&ids[1], &newest), "the newest eight are kept");
        drop(dir);
        // As if another key had been put into the file: what leads to the old one helps nobody.
        let path = root.path().join(KeyFile::NAME);
        let text = fs::read_to_string(&path).unwrap();
        let (_, changes) = text.split_once('\n').unwrap();
        fs::write(&path, format!("{}\n{changes}", "07".repeat(32))).unwrap();
        assert!(DataDir::open(root.path()).unwrap().keys.changes.is_empty());
        fs::write(&path, format!("{}\nchanged\n", "07".repeat(32))).unwrap();
        assert!(matches!(DataDir::open(root.path()), Err(DataDirError::DamagedChanges { .. })));
    }

    /// `pool --check-config` runs before the start that converts the database.
    #[test]
    fn the_asset_of_an_older_database_is_left_to_the_start() {
        let root = tempfile::tempdir().unwrap();
        let (ether, other) = (Asset::ETHER, Asset::new("USDC", 6).unwrap());
        let mut store = SqliteStore::open(root.path()).unwrap();
        vipnode_store::Store::apply(&mut store, &[vipnode_pool_core::Row::Asset(ether)]).unwrap();
        drop(store);
        assert!(matches!(DataDir::check_asset(root.path(), other), Err(StartError::OtherAsset { .. })));
        let file = root.path().join("pool.db");
        let mut bytes = fs::read(&file).unwrap();
        // The version of the schema in the header of the file.
        bytes[60..64].copy_from_slice(&1_u32.to_be_bytes());
        fs::write(&file, bytes).unwrap();
        assert!(DataDir::check_asset(root.path(), other).is_ok());
    }
}
