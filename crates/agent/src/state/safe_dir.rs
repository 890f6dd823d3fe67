//! Directories that are safe to keep keys and a journal in.

use std::{fs, io, path::Path};

use vipnode_node::Links;

use super::files::fault;
use crate::AgentError;

/// Makes a directory and those above it, 0700 where they are new.
pub(super) fn make_dir(path: &Path) -> Result<(), AgentError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(fault("making", path))
}

/// Refuses a link in place of a directory.
pub(super) fn check_no_link(path: &Path) -> Result<(), AgentError> {
    let found = fs::symlink_metadata(path).map_err(fault("reading", path))?;
    match found.is_dir() {
        true => Ok(()),
        false => Err(fault("using", path)(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"))),
    }
}

/// Takes a directory that is there from everybody but its owner.
pub(super) fn own_alone(path: &Path) -> Result<(), AgentError> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(fault("taking from others", path))?;
    #[cfg(not(unix))]
    let _inherits_from_its_owners = path;
    Ok(())
}

/// Checks that a folder is safe to keep keys and a journal in: nobody but its owner (and its group) writes to it, and the
/// owner is this user or root. Root may use the folder of any user; then a link in it could lead anywhere, so that `links`
/// are refused for all but the folder that the user named.
pub(super) fn check_dir(path: &Path, links: Links) -> Result<(), AgentError> {
    let found = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    let found = found.map_err(fault("reading", path))?;
    let refuse = |kind, why: &str| Err(fault("using the state directory", path)(io::Error::new(kind, why)));
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

/// Whether a user may keep its state in the folder of `owner`.
#[cfg(unix)]
pub(super) const fn may_use(user: u32, owner: u32) -> bool {
    const ROOT: u32 = 0;
    user == ROOT || owner == user || owner == ROOT
}
