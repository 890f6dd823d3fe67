use std::{collections::BTreeSet, path::Path};

use vipnode_types::{JoinProof, JoinSecret, NodeId};

use crate::error::Refusal;

/// Who may join.
#[derive(Debug, Clone, Default)]
pub enum Membership {
    /// Any node.
    #[default]
    Open,
    /// These nodes.
    Members(BTreeSet<NodeId>),
    /// Nodes whose agents know the secret.
    Secret(JoinSecret),
}

/// Why a file of members cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// It cannot be read.
    #[error("the file of members {path} cannot be read: {source}; give another with --members")]
    Read {
        /// The file.
        path: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A line is not a node id.
    #[error("line {line} of the file of members {path}: {why}; one node id (or enode) a line, # begins a comment")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

impl Membership {
    /// Reads a file of members: a node id or an enode a line, `#` begins a comment.
    ///
    /// # Errors
    /// See [`MembersError`].
    pub fn read_file(path: &Path) -> Result<Self, MembersError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| MembersError::Read { path: name.clone(), source })?;
        Self::members(&text).map_err(|(line, why)| MembersError::Line { path: name, line, why })
    }

    /// Reads what a file of members holds.
    ///
    /// # Errors
    /// The number of the first line that is neither, counted from 1, and what is wrong with it.
    pub fn members(text: &str) -> Result<Self, (usize, String)> {
        parse(text).map(Self::Members)
    }

    /// Whether joining takes more than a signature.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Judges a node that speaks protocol 2, which cannot prove that it knows a secret.
    pub(crate) fn admits_protocol2(&self, node: &NodeId) -> Result<(), Refusal> {
        match self {
            Self::Secret(_) => Err(Refusal::SecretInProtocol2),
            Self::Open | Self::Members(_) => self.admits(node, None, ""),
        }
    }

    /// Judges a node whose signature holds.
    pub(crate) fn admits(&self, node: &NodeId, join: Option<&JoinProof>, nonce: &str) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Members(members) if members.contains(node) => Ok(()),
            Self::Members(_) => Err(Refusal::NotMember { node: *node }),
            Self::Secret(secret) if join.is_some_and(|proof| secret.accepts(proof, node, nonce)) => Ok(()),
            Self::Secret(_) if join.is_some() => Err(Refusal::WrongSecret),
            Self::Secret(_) => Err(Refusal::NoSecret),
        }
    }
}

fn parse(text: &str) -> Result<BTreeSet<NodeId>, (usize, String)> {
    let mut members = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let id = match entry.strip_prefix("enode://") {
            Some(rest) => rest.split(['@', '?']).next().unwrap_or_default(),
            None => entry,
        };
        members.insert(id.parse().map_err(|error: vipnode_types::NodeIdError| (index + 1, error.to_string()))?);
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
        let members = parse(&format!("# ours\n{a} # Ana\n\n  enode://{b}@10.0.0.1:30303?discport=0\n")).unwrap();
        assert_eq!(members, BTreeSet::from([NodeId::new([10; 64]), NodeId::new([11; 64])]));
        assert_eq!(parse("\n0x00\n").unwrap_err().0, 2);
        let error = Membership::read_file(Path::new("/nowhere/members")).unwrap_err();
        assert!(error.to_string().contains("--members"), "{error}");
    }

    #[test]
    fn a_closed_pool_says_what_it_asks_for() {
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
}
