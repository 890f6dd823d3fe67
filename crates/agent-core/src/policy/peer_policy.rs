use std::str::FromStr;

use regex_lite::{Regex, RegexBuilder};
use vipnode_types::{PeerRules, errors};

/// Which peers the user accepts on the other side of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerPolicy {
    /// The rules that the pool receives, so that it does not offer other peers.
    pub rules: PeerRules,
    /// Client versions that are rejected. The pool never receives them, so that it does not have to run a pattern of a
    /// stranger.
    pub reject: Option<VersionPattern>,
}

impl PeerPolicy {
    /// Returns why a version is rejected, as the end of a sentence. An empty version is not known yet.
    pub(crate) fn rejects(&self, client_version: &str) -> Option<String> {
        if client_version.is_empty() {
            return None;
        }
        if let Some(why) = self.rules.outdates(client_version) {
            return Some(why.to_string());
        }
        let found = self.reject.as_ref().is_some_and(|pattern| pattern.0.is_match(client_version));
        found.then(|| format!("runs {client_version:?} (--reject-client)"))
    }
}

/// A regular expression over client versions. Matching takes time linear in the text.
#[derive(Debug, Clone)]
pub struct VersionPattern(Regex);

/// Bytes that a compiled pattern may take.
const SIZE: usize = 1 << 20;

errors! {
    /// Why a text is not a [`VersionPattern`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum VersionPatternError {
        /// The pattern is not a valid regular expression, or it is too large when compiled.
        Regex {
            /// What is wrong with it.
            why: String,
        }: local, "{why}",
            hint "Write a regular expression, such as \"^Geth/v1\\.1[0-6]\\.\" or \"(?i)openethereum\".";
    }
}

impl FromStr for VersionPattern {
    type Err = VersionPatternError;

    fn from_str(text: &str) -> Result<Self, VersionPatternError> {
        let compiled = RegexBuilder::new(text).size_limit(SIZE).build();
        compiled.map(Self).map_err(|error| VersionPatternError::Regex { why: error.to_string() })
    }
}

impl PartialEq for VersionPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for VersionPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_rejected_by_its_release_or_by_the_pattern() {
        let min_versions = vec!["geth/1.17.0".parse().unwrap()];
        let reject = Some("(?i)^(openethereum|bad)/".parse().unwrap());
        let policy = PeerPolicy { rules: PeerRules { min_versions, ..PeerRules::default() }, reject };
        assert_eq!(policy.rejects(""), None);
        assert_eq!(policy.rejects("Geth/v1.17.5-stable"), None);
        assert!(policy.rejects("Geth/v1.12.0").unwrap().contains("geth/1.17.0 (--min-client-version)"));
        assert!(policy.rejects("OpenEthereum/v3.3.5").unwrap().contains("(--reject-client)"));
        assert_eq!(policy.rejects("x/bad/"), None);
    }

    #[test]
    fn a_pattern_that_is_none_or_too_large_is_refused() {
        for bad in ["(", "[z-a]", "a{1000}{1000}{1000}"] {
            bad.parse::<VersionPattern>().expect_err(bad);
        }
        // Other engines take exponential time for this pattern.
        let pattern: VersionPattern = "^(a+)+$".parse().unwrap();
        assert!(!pattern.0.is_match(&format!("{}b", "a".repeat(256))));
    }
}
