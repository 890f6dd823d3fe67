use std::{fmt, str::FromStr};

use crate::{errors, text_form::serde_as_text};

/// A devp2p capability, such as `snap/1`; or its name alone if the version is not known.
///
/// ```
/// use vipnode_types::Capability;
///
/// let need: Capability = "snap".parse()?;
/// assert!(need.is_met_by(&["eth/69".parse()?, "snap/1".parse()?]));
/// # Ok::<(), vipnode_types::CapabilityError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capability {
    name: Box<str>,
    version: Option<u32>,
}

/// Characters of a capability's name.
const NAME: usize = 16;

impl Capability {
    /// Capabilities of one node that are read; the rest is left out.
    pub const MOST: usize = 32;

    /// `les`, of any version: what serves light nodes.
    #[must_use]
    pub fn les() -> Self {
        Self { name: "les".into(), version: None }
    }

    /// The sub-protocol, `snap`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a node with these capabilities meets this one as a requirement. A requirement without a version accepts
    /// any version, and a served capability without a version may be of any.
    #[must_use]
    pub fn is_met_by(&self, served: &[Self]) -> bool {
        let (mut any, mut exact, mut versioned) = (false, false, false);
        for other in served.iter().filter(|other| other.name == self.name) {
            any = true;
            exact |= other == self;
            versioned |= other.version.is_some();
        }
        exact || (any && (self.version.is_none() || !versioned))
    }
}

errors! {
    /// Why a text is not a [`Capability`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum CapabilityError {
        /// A capability consists of at most 16 characters (letters, digits, and . _ -), optionally followed by a slash
        /// and a version.
        Form: local,
            "this is not a valid capability",
            hint "Write a capability as snap/1, or as snap for any version. Separate multiple values with commas.";
    }
}

impl FromStr for Capability {
    type Err = CapabilityError;

    fn from_str(text: &str) -> Result<Self, CapabilityError> {
        let (name, version) = match text.split_once('/') {
            Some((name, version)) => (name, Some(number(version).ok_or(CapabilityError::Form)?)),
            None => (text, None),
        };
        let fits = (1..=NAME).contains(&name.len());
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if fits && letters { Ok(Self { name: name.into(), version }) } else { Err(CapabilityError::Form) }
    }
}

/// Digits alone, few of them: `parse` takes a `+` too.
pub(crate) fn number(text: &str) -> Option<u32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version.map_or(Ok(()), |version| write!(f, "/{version}"))
    }
}

serde_as_text!(Capability);

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> Vec<Capability> {
        text.split_whitespace().map(|one| one.parse().unwrap()).collect()
    }

    #[test]
    fn a_need_is_met_by_its_version_or_by_an_unknown_one() {
        for (need, served, met) in [
            ("snap/1", "eth/69 snap/1", true),
            ("snap/1", "eth/69 snap/2", false),
            ("snap/1", "eth/69", false),
            ("snap/1", "eth snap", true),
            ("snap/1", "snap snap/2", false),
            ("snap", "snap/2", true),
            ("snap", "snap", true),
            ("les", "eth/68 snap/1", false),
            ("eth/68", "eth/68 eth/69", true),
            ("eth/6", "eth/68", false),
        ] {
            assert_eq!(caps(need)[0].is_met_by(&caps(served)), met, "{need} by {served:?}");
        }
    }

    #[test]
    fn a_text_is_read_back_or_refused() {
        for good in ["snap/1", "les", "eth/69", "a-b_c.d/999999999"] {
            assert_eq!(good.parse::<Capability>().unwrap().to_string(), good);
        }
        for bad in ["", "/1", "snap/", "snap/+1", "snap/1/2", "snap/1000000000", "snáp", "a b", "abcdefghijklmnopq"] {
            assert_eq!(bad.parse::<Capability>(), Err(CapabilityError::Form), "{bad:?}");
        }
    }
}
