use std::{fmt, path::Path};

/// Who owns a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOwner {
    /// A user of this machine, by name.
    User(String),
    /// A user id without a name.
    Id(u32),
}

impl fmt::Display for FileOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Id(id) => write!(f, "the user with ID {id}"),
        }
    }
}

/// Returns the owner of a file, or of the nearest directory above it that can be read. `None` if the system does not
/// report it.
#[cfg(unix)]
pub(crate) fn owner_of(path: &Path) -> Option<FileOwner> {
    use std::os::unix::fs::MetadataExt;
    let uid = path.ancestors().find_map(|path| std::fs::metadata(path).ok())?.uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(name_of(uid, &users).map_or(FileOwner::Id(uid), |name| FileOwner::User(name.to_owned())))
}

/// Returns the owner of a file. `None` if the system has no owners, or does not report it.
#[cfg(not(unix))]
pub(crate) fn owner_of(_path: &Path) -> Option<FileOwner> {
    None
}

#[cfg(unix)]
fn name_of(uid: u32, users: &str) -> Option<&str> {
    let uid = uid.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then_some(name)
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn names_a_user() {
        let users = "root:x:0:0:root:/root:/bin/bash\ngeth:x:1001:1001::/home/geth:/bin/sh\n";
        assert_eq!(name_of(1001, users), Some("geth"));
        assert_eq!(name_of(100, users), None);
    }
}
