use std::{fmt, path::Path};

use vipnode_files::quoted_path;
use vipnode_types::errors;

use crate::NodeError;

errors! {
    /// The search failed. The message lists the locations that were tried.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum FinderError {
        /// No execution client is running, or it listens on another path or address.
        NoNode {
            /// In order.
            tried: Vec<Tried>,
            /// The error of the location that came nearest.
            nearest: Box<NodeError>,
        }: local, "no execution client responds on this machine. Tried, in order:{list}" (list = List(tried)),
            hint_of nearest;
        /// vipnode does not choose between several execution clients.
        SeveralNodes {
            /// Those that respond in the order in which they were found, then those that run and do not respond.
            found: Vec<Tried>,
        }: local, "several execution clients are running on this machine:{list}" (list = List(found)),
            hint "Name the one to use: --rpc {first}." (first = found.iter().find(|one| one.has_address()).map_or_else(|| "ADDRESS".to_owned(), Tried::quoted));
        /// The key files that were found belong to other nodes, or cannot be read by this user.
        NoKey {
            /// In order.
            tried: Vec<Tried>,
        }: local, "the key of the node was not found. Tried:{list}" (list = KeyFiles(tried)),
            hint "Pass the node's key file with --nodekey FILE. vipnode reads it once to sign a delegation to this \
                  agent.";
    }
}

/// A location that was searched without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Path or URL.
    pub location: String,
    /// Why it cannot be used.
    pub why: String,
}

impl Tried {
    const MISSING: &'static str = "the file does not exist";
    const NO_ADDRESS: &'static str = "its arguments name no RPC address; pass it with --rpc";

    /// A file that does not exist.
    pub(super) fn missing(path: &Path) -> Self {
        Self { location: path.display().to_string(), why: Self::MISSING.to_owned() }
    }

    /// A running client whose arguments do not say where it answers.
    pub(super) fn without_address(client: String) -> Self {
        Self { location: client, why: Self::NO_ADDRESS.to_owned() }
    }

    /// The location as a shell reads it.
    fn quoted(&self) -> String {
        quoted_path(Path::new(&self.location))
    }

    /// Whether the location is an address.
    fn has_address(&self) -> bool {
        self.why != Self::NO_ADDRESS
    }

    fn is_missing(&self) -> bool {
        self.why == Self::MISSING
    }
}

impl FinderError {
    /// What was tried, in order.
    #[must_use]
    pub fn tried(&self) -> &[Tried] {
        match self {
            Self::NoNode { tried, .. } | Self::NoKey { tried } => tried,
            Self::SeveralNodes { found } => found,
        }
    }
}

/// Each on a line of its own.
struct List<'a>(&'a [Tried]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Tried { location, why } in self.0 {
            write!(f, "\n  {location}: {why}")?;
        }
        Ok(())
    }
}

/// So many key files are shown; the first are those of the node's own data directory.
const KEY_FILES: usize = 5;

/// The key files that exist and cannot be used, then the others, each on a line of its own.
struct KeyFiles<'a>(&'a [Tried]);

impl fmt::Display for KeyFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (missing, unusable): (Vec<_>, Vec<_>) = self.0.iter().partition(|tried| tried.is_missing());
        for Tried { location, why } in unusable.into_iter().chain(missing).take(KEY_FILES) {
            write!(f, "\n  {location}: {why}")?;
        }
        match self.0.len().saturating_sub(KEY_FILES) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more, at the usual paths of all clients"),
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn a_hint_quotes_a_path_for_a_shell() {
        let found = |location: &str| Tried { location: location.to_owned(), why: String::new() };
        let error = FinderError::SeveralNodes { found: vec![found("/my nodes/geth.ipc"), found("/other/geth.ipc")] };
        assert_eq!(error.hint().unwrap(), "Name the one to use: --rpc '/my nodes/geth.ipc'.");
        let error = FinderError::SeveralNodes { found: vec![found("http://127.0.0.1:8545")] };
        assert_eq!(error.hint().unwrap(), "Name the one to use: --rpc http://127.0.0.1:8545.");
    }
}
