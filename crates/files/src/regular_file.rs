use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
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

/// Reads a regular file of at most `most` bytes. Never waits.
///
/// # Errors
/// The system's error; [`io::ErrorKind::InvalidInput`] for anything that is not a regular file,
/// [`io::ErrorKind::FileTooLarge`] for a larger file.
pub fn read_file(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    read_at_most(open_regular_file(path, links)?, most)
}

/// Reads an open file of at most `most` bytes.
pub(crate) fn read_at_most(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// Reads a text file that the user named, without its byte order mark; see [`read_file`].
///
/// # Errors
/// As [`read_file`], and [`io::ErrorKind::InvalidData`] for a file that is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read_file(path, Links::Follow, most)?;
    let why = match bytes[..] {
        // Windows PowerShell writes this with `>`.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16 text; save it as UTF-8",
        _ => "it is not UTF-8 text",
    };
    let text = str::from_utf8(without_bom(&bytes)).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, why))?;
    Ok(text.to_owned())
}

/// Returns the bytes behind the byte order mark with which some editors begin a text file.
#[must_use]
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
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
pub(crate) fn without_waiting(options: &mut OpenOptions, links: Links) {
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
pub(crate) fn regular(file: File) -> io::Result<File> {
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("members");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert_eq!(read_text(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_named_pipe_and_an_endless_device_do_not_make_the_caller_wait() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        for path in [&pipe, Path::new("/dev/zero"), dir.path()] {
            assert_eq!(read_text(path, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{}", path.display());
        }
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("link")).unwrap();
        assert!(read_file(&dir.path().join("link"), Links::Refuse, 1 << 20).is_err());
    }
}
