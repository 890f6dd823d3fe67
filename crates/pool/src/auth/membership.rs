use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use vipnode_files::read_text;
use vipnode_types::{JoinProof, JoinSecret, NodeId, NodeIdError, errors, typed_text};

use crate::call_refusal::CallRefusal;

/// Which nodes may join.
#[derive(Debug, Clone, Default)]
pub enum Membership {
    /// Any node.
    #[default]
    Open,
    /// Only these nodes.
    Members(BTreeSet<NodeId>),
    /// Only nodes whose agents know the secret.
    Secret(JoinSecret),
}

errors! {
    /// Why a members file cannot be used.
    #[derive(Debug)]
    pub enum MembersError {
        /// The file does not exist, or this user does not have permission to read it.
        Read {
            /// Path of the members file.
            path: PathBuf,
            /// The error of the system.
            source: std::io::Error,
        }: local, "the members file {path} cannot be read: {source}" (path = path.display()),
            hint "Pass another file: --members FILE.";
        /// A line is neither a node ID nor an enode.
        Line {
            /// Path of the members file.
            path: PathBuf,
            /// The number of the line, counted from 1.
            line: usize,
            /// Why it is not valid.
            why: NodeIdError,
        }: local, "the members file {path}: line {line}: {why}" (path = path.display()),
            hint "Write one node ID or enode per line; # starts a comment.";
    }
}

/// A larger members file is refused; it has room for half a million nodes.
const FILE_BYTES: u64 = 64 << 20;

impl Membership {
    /// Reads a members file: one node id or enode per line, `#` starts a comment.
    ///
    /// # Errors
    /// See [`MembersError`]. A file that is not a regular one is refused too: a named pipe would make the start wait.
    pub fn read_file(path: &Path) -> Result<Self, MembersError> {
        let text = read_text(path, FILE_BYTES);
        let text = text.map_err(|source| MembersError::Read { path: path.to_owned(), source })?;
        Self::members(path, &text)
    }

    /// Reads the text of a members file; `path` is for the error.
    ///
    /// # Errors
    /// [`MembersError::Line`] about the first line that is not valid.
    pub fn members(path: &Path, text: &str) -> Result<Self, MembersError> {
        parse(path, text).map(Self::Members)
    }

    /// Returns how many nodes become members, and how many are not any more, if `newer` replaces this list.
    pub(crate) fn changes(&self, newer: &Self) -> (usize, usize) {
        let none = BTreeSet::new();
        let list = |rule: &Self| match rule {
            Self::Members(members) => members.clone(),
            Self::Open | Self::Secret(_) => none.clone(),
        };
        let (old, new) = (list(self), list(newer));
        (new.difference(&old).count(), old.difference(&new).count())
    }

    /// Whether joining takes more than a signature.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Checks a node that speaks protocol 2, which cannot prove that it knows a secret.
    pub(crate) fn admits_protocol2(&self, node: &NodeId) -> Result<(), CallRefusal> {
        match self {
            Self::Secret(_) => Err(CallRefusal::SecretInProtocol2),
            Self::Open | Self::Members(_) => self.admits(node, None, ""),
        }
    }

    /// Checks a node whose signature is valid.
    pub(crate) fn admits(&self, node: &NodeId, join: Option<&JoinProof>, nonce: &str) -> Result<(), CallRefusal> {
        match self {
            Self::Open => Ok(()),
            Self::Members(members) if members.contains(node) => Ok(()),
            Self::Members(_) => Err(CallRefusal::NotMember { node: *node }),
            Self::Secret(secret) if join.is_some_and(|proof| secret.accepts(proof, node, nonce)) => Ok(()),
            Self::Secret(_) if join.is_some() => Err(CallRefusal::WrongSecret),
            Self::Secret(_) => Err(CallRefusal::NoSecret),
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<BTreeSet<NodeId>, MembersError> {
    let mut members = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let entry = typed_text(line.split('#').next().unwrap_or_default());
        if entry.is_empty() {
            continue;
        }
        let line = |why| MembersError::Line { path: path.to_owned(), line: index + 1, why };
        members.insert(NodeId::typed(entry).map_err(line)?);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{TypedError, wire::ErrorCode};

    use super::*;

    #[test]
    fn reads_ids_enodes_and_comments() {
        let (a, b) = ("0a".repeat(64), "0b".repeat(64));
        let parse = |text: &str| parse(Path::new("members"), text);
        let members = parse(&format!("# ours\n{a} # Ana\n\n  enode://{b}@10.0.0.1:30303?discport=0\n")).unwrap();
        assert_eq!(members, BTreeSet::from([NodeId::new([10; 64]), NodeId::new([11; 64])]));
        let typed = format!("\u{feff}# ours\r\n0x{a}\r\n\"enode://{b}@10.0.0.1:30303?discport=0\",  # Ben\r\n");
        assert_eq!(parse(&typed).unwrap(), members);
        assert!(matches!(parse("\n0x00\n"), Err(MembersError::Line { line: 2, .. })));
        let error = Membership::read_file(Path::new("/nowhere/members")).unwrap_err();
        assert!(error.hint().unwrap().contains("--members"), "{error}");
    }

    #[test]
    fn a_closed_pool_names_what_it_requires() {
        let node = NodeId::new([1; 64]);
        assert!(Membership::Open.admits(&node, None, "").is_ok());
        let refused = Membership::Members(BTreeSet::new()).admits(&node, None, "").unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::NotMember));
        assert!(refused.hint().unwrap().contains(&node.to_string()));
        let secret = JoinSecret::new("sesame").unwrap();
        let proof = secret.prove(&node, "nonce");
        let closed = Membership::Secret(secret);
        assert!(closed.admits(&node, Some(&proof), "nonce").is_ok());
        assert!(closed.admits(&node, Some(&proof), "other").is_err());
        assert!(closed.admits(&node, None, "nonce").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_named_pipe_in_place_of_the_members_file_does_not_make_the_start_wait() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("members");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(matches!(Membership::read_file(&pipe), Err(MembersError::Read { .. })));
    }
}
