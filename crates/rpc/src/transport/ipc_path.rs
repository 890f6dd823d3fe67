use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use interprocess::local_socket::{GenericFilePath, Name, ToFsName as _};

/// How a local socket is named to the system, whose names have room for about a hundred bytes only.
#[derive(Debug)]
pub(crate) struct IpcPath {
    path: PathBuf,
    /// Held while the name is in use, which goes through it.
    _folder: Option<File>,
}

/// Bytes of a path that a name has room for, without the zero at its end.
#[cfg(target_os = "linux")]
const ROOM: usize = 107;
/// The same on the systems that give it the least.
#[cfg(all(unix, not(target_os = "linux")))]
const ROOM: usize = 103;

impl IpcPath {
    /// The name of a path. On Linux a longer path is named by its folder, opened.
    ///
    /// # Errors
    /// On other systems the path is too long, and the error reports that; or the folder does not exist.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        if path.as_os_str().len() > ROOM {
            return Self::long(path);
        }
        Ok(Self { path: path.to_owned(), _folder: None })
    }

    pub(crate) fn name(&self) -> io::Result<Name<'_>> {
        self.path.as_path().to_fs_name::<GenericFilePath>()
    }

    #[cfg(target_os = "linux")]
    fn long(path: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd as _;
        let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else { return Err(too_long(path)) };
        let folder = File::open(folder)?;
        let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(file);
        if short.as_os_str().len() > ROOM {
            return Err(too_long(path));
        }
        Ok(Self { path: short, _folder: Some(folder) })
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn long(path: &Path) -> io::Result<Self> {
        Err(too_long(path))
    }
}

#[cfg(unix)]
fn too_long(path: &Path) -> io::Error {
    let bytes = path.as_os_str().len();
    io::Error::new(
        io::ErrorKind::InvalidFilename,
        format!("its path is {bytes} bytes long, and a socket's path can be at most {ROOM}"),
    )
}
