use std::{io, path::Path};

use vipnode_files::OpenDir;
use vipnode_store::{RestoreChoice, RestoredDatabase, StoreError};
use vipnode_types::PoolId;

use crate::{DataDirError, key_file::KeyFile};

/// A data directory in which a backup was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredPool {
    /// The database, and what of the former one is lost.
    pub database: RestoredDatabase,
    /// The key, which is not in a backup.
    pub key: RestoredKey,
}

/// Whether the key in the directory is that of the pool which wrote the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredKey {
    /// It is, perhaps after a change of the key.
    Own,
    /// It is the key of the pool with this ID.
    Other(PoolId),
    /// The directory has none.
    Missing,
}

impl RestoredPool {
    /// Puts a backup into a data directory, whose pool does not run. Without `force`, the directory must not have a database;
    /// without `other_pool`, the backup must be of the pool whose key it has.
    ///
    /// # Errors
    /// See [`DataDirError`]. The directory then has the database that it had.
    pub fn restore(dir: &Path, backup: &Path, force: bool, other_pool: bool) -> Result<Self, DataDirError> {
        let keys = match OpenDir::open(dir) {
            Ok(opened) => KeyFile::read(&opened)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::Directory { dir: dir.to_owned(), why: error.to_string() }.into()),
        };
        let pool = keys.map(|keys| (keys.key.id(), keys.changes));
        let choice = RestoreChoice { force, other_pool, pool };
        let database = RestoredDatabase::restore(dir, backup, &choice)?;
        let key = match (&choice.pool, database.pool) {
            (None, _) => RestoredKey::Missing,
            (Some((id, _)), Some(wrote)) if !choice.is_same(&wrote, id) => RestoredKey::Other(*id),
            (Some(_), _) => RestoredKey::Own,
        };
        Ok(Self { database, key })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vipnode_store::{ReadLimits, SqliteReader, Store as _};

    use super::*;
    use crate::DataDir;

    #[test]
    fn a_backup_is_restored_only_next_to_the_key_of_its_pool() {
        let root = tempfile::tempdir().unwrap();
        let (dir, other, new) = (root.path().join("pool"), root.path().join("other"), root.path().join("new"));
        let backup = root.path().join("backup.db");
        let mut opened = DataDir::open(&dir).unwrap();
        let id = opened.id();
        opened.store.apply(&[vipnode_pool_core::Row::NextLease(7)]).unwrap();
        SqliteReader::open(&dir, ReadLimits::WHOLE_DATABASE).unwrap().back_up(&backup).unwrap();
        opened.rotate_key().unwrap();
        let rotated = opened.id();
        drop(opened);
        let restored = RestoredPool::restore(&dir, &backup, true, false).unwrap();
        assert_eq!((restored.key, restored.database.pool), (RestoredKey::Own, Some(id)), "after a change of the key");
        let restored = RestoredPool::restore(&new, &backup, false, false).unwrap();
        assert_eq!(restored.key, RestoredKey::Missing);
        // A start makes no other key next to the database.
        assert!(matches!(DataDir::open(&new), Err(DataDirError::LostKey { .. })));
        fs::copy(dir.join(KeyFile::NAME), new.join(KeyFile::NAME)).unwrap();
        assert_eq!(DataDir::open(&new).unwrap().id(), rotated);
        let stranger = DataDir::open(&other).unwrap().id();
        let refused = RestoredPool::restore(&other, &backup, true, false).unwrap_err();
        assert!(matches!(refused, DataDirError::Store(StoreError::OtherPool { .. })), "{refused}");
        let restored = RestoredPool::restore(&other, &backup, true, true).unwrap();
        assert_eq!(restored.key, RestoredKey::Other(stranger));
        // From its next start, it is that pool's.
        drop(DataDir::open(&other).unwrap());
        let again = root.path().join("again.db");
        SqliteReader::open(&other, ReadLimits::WHOLE_DATABASE).unwrap().back_up(&again).unwrap();
        assert_eq!(RestoredPool::restore(&other, &again, true, false).unwrap().key, RestoredKey::Own);
    }
}
