//! Directories as descriptors: whatever happens to their paths, the descriptor stays with the directory that was checked.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{
        AtFlags, CWD, Mode, OFlags, StatVfsMountFlags, fchmod, fchown, fstat, fstatvfs, fsync, mkdirat, openat,
        renameat, stat, unlinkat,
    },
    io::Errno,
    process::{Gid, Uid},
};

use super::{Access, ROOT};

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

/// Whether a path is that of the directory.
pub(super) fn is_at(dir: &Handle, path: &Path) -> io::Result<bool> {
    let (own, found) = (fstat(dir)?, stat(path)?);
    Ok((own.st_dev, own.st_ino) == (found.st_dev, found.st_ino))
}

/// Whether its file system is mounted read-only.
pub(super) fn is_on_read_only_disk(dir: &Handle) -> io::Result<bool> {
    Ok(fstatvfs(dir)?.f_flag.contains(StatVfsMountFlags::RDONLY))
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
    match create(dir, name, OFlags::WRONLY) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(dir, name, OFlags::WRONLY),
        created => created,
    }
}

/// Makes a new, empty file, 0600 from its first moment. One that a crash left is replaced.
pub(super) fn create_file(dir: &Handle, _path: &Path, name: &str) -> io::Result<File> {
    match unlinkat(dir, name, AtFlags::empty()).map_err(io::Error::from) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create(dir, name, OFlags::WRONLY | OFlags::APPEND)
}

/// Renames a file in the directory; durable when this returns.
pub(super) fn rename(dir: &Handle, _path: &Path, from: &str, to: &str) -> io::Result<()> {
    renameat(dir, from, dir, to)?;
    Ok(fsync(dir)?)
}

/// Makes a new file. It is given to the directory's owner: root may act in the directory of a user (`sudo vipnode release`), and
/// that user's agent or pool must be able to read and replace the file afterward.
fn create(dir: &Handle, name: &str, flags: OFlags) -> io::Result<File> {
    let file = open(dir, name, flags | OFlags::CREATE | OFlags::EXCL)?;
    give_to_owner_of(dir, &file)?;
    Ok(file)
}

/// Whether a file belongs to neither root nor the directory's owner.
pub(super) fn is_of_another(dir: &Handle, file: &File) -> io::Result<bool> {
    let owner = fstat(file)?.st_uid;
    Ok(owner != ROOT && owner != fstat(dir)?.st_uid)
}

/// Gives a new file or directory of root to the owner of the directory that it is in.
pub(super) fn give_to_owner_of(dir: &Handle, new: &impl AsFd) -> io::Result<()> {
    let owner = fstat(dir)?;
    if fstat(new)?.st_uid != owner.st_uid && user() == ROOT {
        fchown(new, Some(Uid::from_raw(owner.st_uid)), Some(Gid::from_raw(owner.st_gid)))?;
    }
    Ok(())
}

/// Never waits for the other end of a named pipe, and follows no link.
fn open(dir: &Handle, name: &str, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(dir, name, flags, Mode::RUSR | Mode::WUSR) {
        Err(Errno::LOOP) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a link; links in a state directory are not followed",
        )),
        opened => Ok(opened?.into()),
    }
}
