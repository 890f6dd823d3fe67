//! Creates directories that are safe for keys, a journal, and sockets.

use std::{ffi::OsStr, fs, io, path::Path};

use crate::OpenDir;

/// Makes a directory and those above it, 0700 where they are new.
///
/// # Errors
/// The system's error.
pub fn make_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a directory that is its owner's alone, 0700, in one that the user named; one that is there is taken from
/// everybody else. See [`OpenDir`].
///
/// # Errors
/// The system's error, also [`io::ErrorKind::PermissionDenied`] where another user could replace files in one of the two.
pub fn make_own_dir(path: &Path) -> io::Result<OpenDir> {
    match (path.parent(), path.file_name().and_then(OsStr::to_str)) {
        (Some(root), Some(name)) => OpenDir::create(root)?.create_own_dir(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the path of a directory in another one")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn an_own_directory_is_closed_to_others_and_an_open_root_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("admin");
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        make_own_dir(&own).unwrap();
        assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(make_own_dir(&own).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
