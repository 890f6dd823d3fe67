//! Directories that are safe to keep keys, a journal, and sockets in.

use std::{fs, io, path::Path};

use crate::Links;

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

/// Makes a directory that is its owner's alone, 0700, below one that the user named; one that is there is taken from
/// everybody else. Then [`check_dir`] accepts both.
///
/// # Errors
/// The system's error, and those of [`check_dir`].
pub fn make_own_dir(root: &Path, path: &Path) -> io::Result<()> {
    make_dir(path)?;
    check_dir(root, Links::Follow)?;
    // It is closed to others before it is judged: earlier versions left that to the umask.
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
    }
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    check_dir(path, Links::Refuse)
}

/// Checks that a directory is safe to keep keys and a journal in: nobody but its owner (and its group) writes to it, and
/// the owner is this user or root. Root may use the directory of any user; then a link in it could lead anywhere, so that
/// `links` are refused for all but the directory that the user named.
///
/// # Errors
/// The system's error; [`io::ErrorKind::NotADirectory`] or [`io::ErrorKind::PermissionDenied`] for an unsafe one.
pub fn check_dir(path: &Path, links: Links) -> io::Result<()> {
    let found = match links {
        Links::Follow => fs::metadata(path)?,
        Links::Refuse => fs::symlink_metadata(path)?,
    };
    let refuse = |kind, why: &str| Err(io::Error::new(kind, why));
    if !found.is_dir() {
        return refuse(
            io::ErrorKind::NotADirectory,
            "it is not a directory; links in a state directory are not followed",
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid().as_raw();
        if found.mode() & 0o002 != 0 {
            let why = "every user of this machine can write to it; run `chmod o-w` on it";
            return refuse(io::ErrorKind::PermissionDenied, why);
        }
        if !may_use(user, found.uid()) {
            let why = "it belongs to another user, who could replace the files in it";
            return refuse(io::ErrorKind::PermissionDenied, why);
        }
    }
    Ok(())
}

/// Whether a user may keep its state in the directory of `owner`.
#[cfg(unix)]
const fn may_use(user: u32, owner: u32) -> bool {
    const ROOT: u32 = 0;
    user == ROOT || owner == user || owner == ROOT
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_user_may_use_its_own_directory_and_roots_and_root_may_use_any() {
        assert!(may_use(1000, 1000) && may_use(1000, 0) && may_use(0, 1000));
        assert!(!may_use(1000, 1001));
    }

    #[test]
    fn an_own_directory_is_closed_to_others_and_an_open_root_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("admin");
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        make_own_dir(root.path(), &own).unwrap();
        assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(make_own_dir(root.path(), &own).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
