/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Name of the check in JSON.
    pub(crate) check: &'static str,
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) text: String,
    /// What to do about it; empty where there is nothing to do.
    pub(crate) hint: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Well,
    /// It works, and not as well as it could, or not safely.
    Warning,
    /// The role does not work like this.
    Bad,
    /// It could not be checked.
    Skipped,
}

impl Verdict {
    /// Its name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }
}

impl Finding {
    pub(crate) fn well(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Well, text: text.into(), hint: String::new() }
    }

    pub(crate) fn warning(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, text: text.into(), hint: hint.into() }
    }

    pub(crate) fn bad(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Bad, text: text.into(), hint: hint.into() }
    }

    pub(crate) fn skipped(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, text: text.into(), hint: String::new() }
    }
}
