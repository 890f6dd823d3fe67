use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use vipnode_files::OpenDir;

use super::{DATABASE, acknowledged, connection};
use crate::StoreError;

/// The copy of the backup until it is in its place.
pub(super) const PART: &str = "pool.db.part";
/// The name of the marker.
const FILE: &str = "pool.db.restoring";
/// The files of a database, in the order in which a restore renames them. The note of the newest acknowledged batch stays until the
/// backup is in place, so a restore that is killed leaves the former database whole, or what a start refuses.
const FILES: [&str; 4] = [DATABASE, connection::LOG, connection::INDEX, acknowledged::FILE];

/// A file that is there while a restore renames files. It contains the number of the restored database, so that a restore that was
/// killed meanwhile can be undone: otherwise the next one would take what is left for the former database.
#[derive(Debug)]
pub(super) struct RestoreMarker<'dir> {
    dir: &'dir OpenDir,
    incarnation: u64,
}

impl<'dir> RestoreMarker<'dir> {
    /// Writes the file, durable when this returns.
    pub(super) fn write(dir: &'dir OpenDir, incarnation: u64) -> io::Result<Self> {
        dir.replace_file(FILE, format!("{incarnation}\n").as_bytes())?;
        let marker = Self { dir, incarnation };
        marker.sync()?;
        Ok(marker)
    }

    /// Reads the file of a restore that was killed; `None` if there is none.
    ///
    /// # Errors
    /// The system's error, and [`io::ErrorKind::InvalidData`].
    fn read(dir: &'dir OpenDir) -> io::Result<Option<Self>> {
        match dir.read_text(FILE, 64) {
            Ok(text) => {
                let incarnation = text.trim_end().parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                Ok(Some(Self { dir, incarnation }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files of the database in a directory that are there.
    pub(super) fn files(dir: &OpenDir) -> Vec<&'static str> {
        FILES.into_iter().filter(|name| fs::symlink_metadata(dir.file(name)).is_ok()).collect()
    }

    /// The name under which a file of the former database is kept. Its log and its index keep the name of their database, or it would be
    /// without what is only in the log.
    pub(super) fn kept(&self, name: &str) -> PathBuf {
        let incarnation = self.incarnation;
        match name.strip_prefix(DATABASE) {
            Some(of_database) => self.dir.file(&format!("{DATABASE}.before-{incarnation}{of_database}")),
            None => self.dir.file(&format!("{name}.before-{incarnation}")),
        }
    }

    /// What is renamed, in this order.
    pub(super) fn moves(&self, former: &[&str]) -> Vec<(PathBuf, PathBuf)> {
        let (note, of_database): (Vec<&str>, Vec<&str>) = former.iter().partition(|name| **name == acknowledged::FILE);
        let keep = |name: &str| (self.dir.file(name), self.kept(name));
        let backup = (self.dir.file(PART), self.dir.file(DATABASE));
        of_database.into_iter().map(keep).chain([backup]).chain(note.into_iter().map(keep)).collect()
    }

    /// Renames a file, durable when this returns.
    pub(super) fn rename(&self, (from, to): (PathBuf, PathBuf)) -> io::Result<()> {
        fs::rename(from, to)?;
        self.sync()
    }

    /// Removes the file: all is renamed, or nothing is.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(self.dir.file(FILE))?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(self.dir.path())?.sync_all()
    }

    /// Whether no file of the former database was renamed.
    fn is_at_begin(&self) -> bool {
        !FILES.iter().any(|name| fs::symlink_metadata(self.kept(name)).is_ok())
    }

    /// Where the database is.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Undoes a restore that was killed, so that the database is whole which it was about to replace. If this is killed, it is done by
    /// the next restore: what it renames is what a restore had renamed last.
    pub(super) fn undo(dir: &'dir OpenDir) -> io::Result<()> {
        let Some(marker) = Self::read(dir)? else { return Ok(()) };
        if !marker.is_at_begin() {
            for (from, to) in marker.moves(&FILES).into_iter().rev() {
                // Not all were renamed, or were there.
                if fs::symlink_metadata(&to).is_ok() && fs::symlink_metadata(&from).is_err() {
                    marker.rename((to, from))?;
                }
            }
        }
        marker.remove()
    }

    /// As [`Self::refuse`], but changes nothing, for those who only read.
    ///
    /// # Errors
    /// [`StoreError::RestoreKilled`].
    pub(super) fn check(dir: &OpenDir) -> Result<(), StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
        match RestoreMarker::read(dir).map_err(unusable)? {
            Some(marker) if !marker.is_at_begin() => Err(StoreError::RestoreKilled { dir: dir.path().to_owned() }),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses a database that a killed restore left without some of its files. One that it did not touch is as it was.
    ///
    /// # Errors
    /// [`StoreError::RestoreKilled`].
    pub(super) fn refuse(dir: &'dir OpenDir) -> Result<(), StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
        match Self::read(dir).map_err(unusable)? {
            None => Ok(()),
            Some(marker) if marker.is_at_begin() => marker.remove().map_err(unusable),
            Some(_) => Err(StoreError::RestoreKilled { dir: dir.path().to_owned() }),
        }
    }
}
