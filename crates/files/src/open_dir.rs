#[cfg(not(unix))]
#[path = "open_dir/by_path.rs"]
mod sys;
#[cfg(unix)]
#[path = "open_dir/by_descriptor.rs"]
mod sys;

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    make_dir,
    regular_file::{read_at_most, regular},
};

/// A directory that is open and safe to keep keys and a journal in.
///
/// Only its owner (and its group) can write to it, and the owner is this user or root. Root may use the directory of any
/// user, who could then replace a directory or a file in it at any moment, for example by a link to a file of root. So the
/// open directory is checked, not its path, and everything in it is opened relative to it without following links: a rename
/// between check and use changes nothing. What root makes in it belongs to the directory's owner, whose agent or pool uses it
/// afterward. Nothing is opened that could block, such as a named pipe.
///
/// Errors are those of the system; [`io::ErrorKind::NotADirectory`] or [`io::ErrorKind::PermissionDenied`] for an unsafe
/// directory.
#[derive(Debug, Clone)]
pub struct OpenDir {
    /// For messages, and for sockets, which have only paths.
    path: PathBuf,
    handle: Arc<sys::Handle>,
}

/// The user who may act in the directories of all others.
const ROOT: u32 = 0;

/// The owner of an open directory, and who else can write to it.
#[derive(Debug, Clone, Copy)]
struct Access {
    owner: u32,
    everyone_writes: bool,
}

/// Returns the user ID of this process, if the system has such IDs.
#[must_use]
pub fn process_user() -> Option<u32> {
    cfg!(unix).then(sys::user)
}

impl OpenDir {
    /// Opens the directory that the user named, which may be a link. It is created, with those above it, if it does not
    /// exist.
    ///
    /// # Errors
    /// See [`OpenDir`].
    pub fn create(path: &Path) -> io::Result<Self> {
        make_dir(path)?;
        Self::open(path)
    }

    /// Opens the directory that the user named, which may be a link.
    ///
    /// # Errors
    /// See [`OpenDir`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::checked(path.to_owned(), sys::open_dir(path)?)
    }

    /// Opens the directory of this name in it, which is created if it does not exist.
    ///
    /// # Errors
    /// See [`OpenDir`].
    pub fn create_dir(&self, name: &str) -> io::Result<Self> {
        let new = self.make_dir(name)?;
        let handle = sys::open_dir_in(&self.handle, &self.path, name)?;
        self.open_new(name, handle, new)
    }

    /// Opens the directory of this name in it.
    ///
    /// # Errors
    /// See [`OpenDir`].
    pub fn open_dir(&self, name: &str) -> io::Result<Self> {
        Self::checked(self.file(name), sys::open_dir_in(&self.handle, &self.path, name)?)
    }

    /// As [`Self::create_dir`], but the directory is closed to other users, also its group, before it is checked: earlier
    /// versions left its mode to the umask.
    ///
    /// # Errors
    /// See [`OpenDir`].
    pub fn create_own_dir(&self, name: &str) -> io::Result<Self> {
        let new = self.make_dir(name)?;
        let handle = sys::open_dir_in(&self.handle, &self.path, name)?;
        sys::close_to_others(&handle)?;
        self.open_new(name, handle, new)
    }

    /// Returns whether the directory is new.
    fn make_dir(&self, name: &str) -> io::Result<bool> {
        match sys::make_dir_in(&self.handle, &self.path, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.map(|()| true),
        }
    }

    fn open_new(&self, name: &str, handle: sys::Handle, new: bool) -> io::Result<Self> {
        if new {
            sys::give_to_owner_of(&self.handle, &handle)?;
        }
        Self::checked(self.file(name), handle)
    }

    fn checked(path: PathBuf, handle: sys::Handle) -> io::Result<Self> {
        if let Some(access) = sys::access(&handle)? {
            access.check(sys::user())?;
        }
        Ok(Self { path, handle: Arc::new(handle) })
    }

    /// Whether it is on a file system that nobody can write to.
    ///
    /// # Errors
    /// The system's error.
    pub fn is_on_read_only_disk(&self) -> io::Result<bool> {
        sys::is_on_read_only_disk(&self.handle)
    }

    /// Its path when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path without links, for a library that opens files by their paths.
    ///
    /// # Errors
    /// The system's error, and [`io::ErrorKind::NotFound`] if another directory has its path by now.
    pub fn real_path(&self) -> io::Result<PathBuf> {
        let path = std::fs::canonicalize(&self.path)?;
        if sys::is_at(&self.handle, &path)? {
            return Ok(path);
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "it was moved while it was in use"))
    }

    /// The path of a file in it, for messages.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a regular file in it to read it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for anything that is not a regular file, also a link, and the system's error.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        regular(sys::open_file(&self.handle, &self.path, name)?)
    }

    /// Opens the lock file of this name, which is created if it does not exist.
    ///
    /// # Errors
    /// As [`Self::open_file`].
    pub fn open_lock(&self, name: &str) -> io::Result<File> {
        regular(sys::open_lock(&self.handle, &self.path, name)?)
    }

    /// Reads a file in it of at most `most` bytes.
    ///
    /// # Errors
    /// As [`Self::open_file`], and [`io::ErrorKind::FileTooLarge`] for a larger file.
    pub fn read_file(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        read_at_most(self.open_file(name)?, most)
    }

    /// Reads a text file in it of at most `most` bytes.
    ///
    /// # Errors
    /// As [`Self::read_file`], and [`io::ErrorKind::InvalidData`] for a file that is not UTF-8.
    pub fn read_text(&self, name: &str, most: u64) -> io::Result<String> {
        let bytes = self.read_file(name, most)?;
        String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    }

    /// Whether a file in it belongs to neither root nor the directory's owner: the user who put it there knows what it holds.
    ///
    /// # Errors
    /// The system's error.
    pub fn is_of_another(&self, file: &File) -> io::Result<bool> {
        sys::is_of_another(&self.handle, file)
    }

    /// Writes a file whole, 0600, durable when this returns: a crash leaves the old file or the new one. Returns the file,
    /// to which more can be appended.
    ///
    /// # Errors
    /// The system's error.
    pub fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let part = format!("{name}.part");
        let mut file = sys::create_file(&self.handle, &self.path, &part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        sys::rename(&self.handle, &self.path, &part, name)?;
        Ok(file)
    }
}

impl Access {
    /// Checks that `user` can keep keys and a journal there.
    fn check(self, user: u32) -> io::Result<()> {
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        if self.everyone_writes {
            return refuse("every user on this machine can write to it; run `chmod o-w` on it");
        }
        if user != ROOT && self.owner != user && self.owner != ROOT {
            return refuse("it belongs to another user, who could replace the files in it");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_another_user_is_for_root_only() {
        let checked = |user, owner| Access { owner, everyone_writes: false }.check(user).is_ok();
        assert!(checked(1000, 1000) && checked(1000, 0) && checked(0, 1000));
        assert!(!checked(1000, 1001));
        assert!(Access { owner: 0, everyone_writes: true }.check(0).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn what_root_makes_belongs_to_the_owner_of_the_directory() {
        use std::{
            fs,
            os::unix::fs::{MetadataExt as _, chown},
        };

        if sys::user() != ROOT {
            // Only root can act for another user. The tests of CI run as root.
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state");
        fs::create_dir(&path).unwrap();
        chown(&path, Some(65_534), Some(65_534)).unwrap();
        let dir = OpenDir::open(&path).unwrap();
        drop(dir.replace_file("journal", b"x").unwrap());
        drop(dir.open_lock("lock").unwrap());
        drop(dir.create_dir("made").unwrap());
        drop(dir.create_own_dir("own").unwrap());
        for name in ["journal", "lock", "made", "own"] {
            let found = fs::metadata(path.join(name)).unwrap();
            assert_eq!((found.uid(), found.gid()), (65_534, 65_534), "{name}");
        }
        // What is there already keeps its owner.
        fs::write(path.join("of-root"), "").unwrap();
        drop(dir.open_lock("of-root").unwrap());
        assert_eq!(fs::metadata(path.join("of-root")).unwrap().uid(), ROOT);
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_that_is_replaced_after_its_check_gains_nothing() {
        use std::{fs, os::unix::fs::symlink};

        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, moved) = (root.path().join("state"), root.path().join("moved"));
        let dir = OpenDir::create(root.path()).unwrap().create_dir("state").unwrap();
        fs::rename(&path, &moved).unwrap();
        symlink(elsewhere.path(), &path).unwrap();
        fs::write(elsewhere.path().join("pool"), "ws://evil/").unwrap();
        assert_eq!(dir.open_file("pool").unwrap_err().kind(), io::ErrorKind::NotFound);
        symlink(elsewhere.path().join("pool"), moved.join("linked")).unwrap();
        assert_eq!(dir.open_file("linked").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        drop(dir.replace_file("pool", b"ws://pool/").unwrap());
        drop(dir.open_lock("lock").unwrap());
        assert_eq!(fs::read_to_string(moved.join("pool")).unwrap(), "ws://pool/");
        assert_eq!(fs::read_to_string(elsewhere.path().join("pool")).unwrap(), "ws://evil/");
        assert!(moved.join("lock").exists() && !elsewhere.path().join("lock").exists());
        assert!(OpenDir::open(root.path()).unwrap().open_dir("state").unwrap_err().to_string().contains("links"));
        assert_eq!(dir.real_path().unwrap_err().kind(), io::ErrorKind::NotFound);
        let linked = OpenDir::open(&path).unwrap().real_path().unwrap();
        assert_eq!(linked, fs::canonicalize(elsewhere.path()).unwrap());
    }
}
