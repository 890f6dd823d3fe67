//! Directories as descriptors: whatever happens to their paths, the descriptor stays with the directory that was checked.

use std::{fs::File, io, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, fchmod, fstat, fsync, mkdirat, openat, renameat, unlinkat},
    io::Errno,
};

use super::Access;

pub(super) type Handle = OwnedFd;

/// Opens a directory by its path, which may be a link.
pub(super) fn open_dir(path: &Path) -> io::Result<Handle> {
    Ok(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

pub(super) fn open_dir_in(dir: &Handle, _path: &Path, name: &str) -> io::Result<Handle> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is not a directory; links in a state directory are not followed",
        ),
        error => error.into(),
    })
}

pub(super) fn make_dir_in(dir: &Handle, _path: &Path, name: &str) -> io::Result<()> {
    Ok(mkdirat(dir, name, Mode::RWXU)?)
}

/// Returns who can write to it.
pub(super) fn access(dir: &Handle) -> io::Result<Option<Access>> {
    let found = fstat(dir)?;
    let everyone_writes = Mode::from_raw_mode(found.st_mode).contains(Mode::WOTH);
    Ok(Some(Access { owner: found.st_uid, everyone_writes }))
}

/// The user of this process.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn close_to_others(dir: &Handle) -> io::Result<()> {
    Ok(fchmod(dir, Mode::RWXU)?)
}

pub(super) fn open_file(dir: &Handle, _path: &Path, name: &str) -> io::Result<File> {
    open(dir, name, OFlags::RDONLY)
}

pub(super) fn open_lock(dir: &Handle, _path: &Path, name: &str) -> io::Result<File> {
    open(dir, name, OFlags::WRONLY | OFlags::CREATE)
}

/// Makes a new, empty file, 0600 from its first moment. One that a crash left is replaced.
pub(super) fn create_file(dir: &Handle, _path: &Path, name: &str) -> io::Result<File> {
    match unlinkat(dir, name, AtFlags::empty()).map_err(io::Error::from) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    open(dir, name, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL)
}

/// Renames a file in the directory; durable when this returns.
pub(super) fn rename(dir: &Handle, _path: &Path, from: &str, to: &str) -> io::Result<()> {
    renameat(dir, from, dir, to)?;
    Ok(fsync(dir)?)
}

/// Never waits for the other end of a named pipe, and follows no link.
fn open(dir: &Handle, name: &str, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?.into())
}
