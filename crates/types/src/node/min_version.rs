use std::{fmt, str::FromStr};

use super::capability::number;
use crate::{errors, text_form::serde_as_text};

/// The oldest release of an execution client that is accepted as a peer, such as `geth/1.17.0`. Clients with other
/// names are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MinVersion {
    /// In lower case.
    name: Box<str>,
    release: Release,
}

/// Major, minor and patch. What follows in a version (`-stable`, a commit) is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Release([u32; 3]);

/// Characters of a client's name.
const NAME: usize = 32;

impl MinVersion {
    /// Whether a client with this `web3_clientVersion` is too old. A client of this name whose release cannot be read
    /// counts as too old.
    #[must_use]
    pub fn refuses(&self, client_version: &str) -> bool {
        let mut parts = client_version.split('/');
        let same = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(&self.name));
        // A name that its owner gave a node may stand before: "Geth/my-node/v1.17.5-stable/linux-amd64/go1.26".
        same && parts.find_map(Release::read).is_none_or(|release| release < self.release)
    }
}

impl Release {
    /// `v1.17.5-stable-0a1b` and `1.17`; not a lone number, which a node's own name may be.
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        Self::exact(text.get(..end)?)
    }

    fn exact(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let mut next = || numbers.next().map(number);
        let (major, minor) = (next()??, next()??);
        let patch = next().unwrap_or(Some(0))?;
        Some(Self([major, minor, patch]))
    }
}

errors! {
    /// Why a text is not a [`MinVersion`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum MinVersionError {
        /// The text does not consist of a name, a slash, and a release with three numbers.
        Form: local,
            "this is not an execution client's name and release, such as geth/1.17.0",
            hint "Write the oldest release as geth/1.17.0, with the name that the execution client reports. Separate multiple values \
                  with commas.";
    }
}

impl FromStr for MinVersion {
    type Err = MinVersionError;

    fn from_str(text: &str) -> Result<Self, MinVersionError> {
        let (name, release) = text.split_once('/').ok_or(MinVersionError::Form)?;
        let letters = name.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=NAME).contains(&name.len()) || !letters {
            return Err(MinVersionError::Form);
        }
        let release = Release::exact(release.strip_prefix('v').unwrap_or(release)).ok_or(MinVersionError::Form)?;
        Ok(Self { name: name.to_ascii_lowercase().into(), release })
    }
}

impl fmt::Display for MinVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Release([major, minor, patch]) = self.release;
        write!(f, "{}/{major}.{minor}.{patch}", self.name)
    }
}

serde_as_text!(MinVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        for (least, version, refused) in [
            ("geth/1.17.0", "Geth/v1.17.5-stable/linux-amd64/go1.26", false),
            ("geth/1.17.0", "Geth/v1.12.0-stable-e501b3b0/linux-amd64/go1.20", true),
            ("geth/1.17.0", "Geth/my-node/v1.17.0/linux", false),
            ("geth/1.17.0", "Geth/77/v1.9.99/linux", true),
            ("Geth/v1.17", "geth/1.17", false),
            ("geth/1.17.1", "geth/1.17", true),
            ("geth/1.17.0", "Geth/unreadable", true),
            ("geth/1.17.0", "Geth", true),
            ("geth/1.17.0", "reth/v0.1.0", false),
            ("geth/1.17.0", "Gethlike/v0.1.0", false),
            ("geth/1.17.0", "", false),
            ("erigon/3.1.0", "erigon/3.10.0/linux-amd64", false),
            ("nethermind/1.32.0", "Nethermind/v1.31.9+0a1b2c3d/linux-x64", true),
            ("geth/1.17.0", "Geth/v1.99999999999999.0/linux", true),
        ] {
            let least: MinVersion = least.parse().unwrap();
            assert_eq!(least.refuses(version), refused, "{least} of {version:?}");
        }
    }

    #[test]
    fn a_text_is_read_or_refused() {
        assert_eq!("Reth/v2.0".parse::<MinVersion>().unwrap().to_string(), "reth/2.0.0");
        for bad in ["", "geth", "geth/", "geth/1", "/1.2.3", "geth/1.x.0", "geth/1.2.3-rc", "a b/1.2", "geth/+1.2"] {
            assert_eq!(bad.parse::<MinVersion>(), Err(MinVersionError::Form), "{bad:?}");
        }
    }
}
