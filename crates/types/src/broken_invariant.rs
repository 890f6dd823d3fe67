use std::{error::Error, fmt};

/// An invariant of a state machine that does not hold, in words for a developer: the code is at fault, not its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenInvariant(String);

impl BrokenInvariant {
    /// Checks one invariant; `what` describes how it is broken.
    ///
    /// # Errors
    /// The description, if the invariant does not hold.
    pub fn unless(holds: bool, what: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self(what())) }
    }
}

impl From<&str> for BrokenInvariant {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<String> for BrokenInvariant {
    fn from(what: String) -> Self {
        Self(what)
    }
}

impl fmt::Display for BrokenInvariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BrokenInvariant {}
