//! Directories by path, on systems that have no calls relative to a directory. On these systems, a state directory
//! inherits its permissions from the user's profile.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use super::Access;

#[derive(Debug)]
pub(super) struct Handle;

/// Opens a directory by its path, which may be a link.
pub(super) fn open_dir(path: &Path) -> io::Result<Handle> {
    match fs::metadata(path)?.is_dir() {
        true => Ok(Handle),
        false => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory")),
    }
}

pub(super) fn open_dir_in(_dir: &Handle, path: &Path, name: &str) -> io::Result<Handle> {
    open_dir(&path.join(name))
}

pub(super) fn make_dir_in(_dir: &Handle, path: &Path, name: &str) -> io::Result<()> {
    fs::create_dir(path.join(name))
}

/// A directory is only known by its path.
pub(super) const fn is_at(_dir: &Handle, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// The system does not report it.
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(super) const fn is_on_read_only_disk(_dir: &Handle) -> io::Result<bool> {
    Ok(false)
}

/// The system does not report it.
pub(super) const fn access(_dir: &Handle) -> io::Result<Option<Access>> {
    Ok(None)
}

/// The user of this process, who is never compared.
pub(super) const fn user() -> u32 {
    0
}

pub(super) const fn close_to_others(_dir: &Handle) -> io::Result<()> {
    Ok(())
}

pub(super) fn open_file(_dir: &Handle, path: &Path, name: &str) -> io::Result<File> {
    File::open(path.join(name))
}

pub(super) fn open_lock(_dir: &Handle, path: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path.join(name))
}

/// Makes a new, empty file. One that a crash left is replaced.
pub(super) fn create_file(_dir: &Handle, path: &Path, name: &str) -> io::Result<File> {
    let path = path.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().create_new(true).append(true).open(path)
}

/// The system does not report it.
pub(super) const fn is_of_another(_dir: &Handle, _file: &File) -> io::Result<bool> {
    Ok(false)
}

/// The system gives a new file to the owner of its directory's profile.
pub(super) const fn give_to_owner_of(_dir: &Handle, _new: &Handle) -> io::Result<()> {
    Ok(())
}

/// Renames a file in the directory.
pub(super) fn rename(_dir: &Handle, path: &Path, from: &str, to: &str) -> io::Result<()> {
    fs::rename(path.join(from), path.join(to))
}
