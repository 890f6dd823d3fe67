use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Whether a path may lead to a file by a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It may: the user named the file.
    Follow,
    /// It may not: the folder can belong to another user than this process.
    Refuse,
}

/// Opens a regular file to read it. Never waits: a named pipe in place of the file would make the caller wait for its writer.
///
/// # Errors
/// The system's error; [`io::ErrorKind::InvalidInput`] for anything that is not a regular file.
pub fn open_regular_file(path: &Path, links: Links) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    without_waiting(&mut options, links);
    regular(options.open(path)?)
}

/// Has a file opened without waiting, and without following a link where `links` refuses it.
pub fn without_waiting(options: &mut OpenOptions, links: Links) {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let no_follow = if links == Links::Refuse { OFlags::NOFOLLOW } else { OFlags::empty() };
        let flags = (OFlags::NONBLOCK | no_follow).bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    #[cfg(not(unix))]
    let _neither_waits_nor_follows = (options, links);
}

/// Returns the file if it is a regular one.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it is not, and the system's error.
pub fn regular(file: File) -> io::Result<File> {
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}
