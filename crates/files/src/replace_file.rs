use std::{ffi::OsStr, io, path::Path};

use crate::OpenDir;

/// Writes a file whole, 0600, durable when this returns: a crash leaves the old file or the new one.
///
/// The bytes are first in a file with the suffix `.part` in the same directory, which then takes the name. See
/// [`OpenDir::replace_file`].
///
/// # Errors
/// The system's error, also [`io::ErrorKind::PermissionDenied`] where another user could replace files in the directory.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    match (parent, path.file_name().and_then(OsStr::to_str)) {
        (Some(dir), Some(name)) => OpenDir::open(dir)?.replace_file(name, bytes).map(drop),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the path of a file in a directory")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bans");
        fs::write(dir.path().join("bans.part"), "cut by a crash").unwrap();
        for text in ["first", "2"] {
            replace_file(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(!dir.path().join("bans.part").exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
