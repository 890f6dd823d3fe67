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
    Ok,
    /// It works, and not as well as it could, or not safely.
    Warning,
    /// The role does not work like this.
    Error,
    /// It could not be checked.
    Skipped,
}

impl Verdict {
    /// Its name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

impl Finding {
    pub(crate) fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, text: text.into(), hint: String::new() }
    }

    pub(crate) fn warning(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, text: text.into(), hint: hint.into() }
    }

    pub(crate) fn error(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Error, text: text.into(), hint: hint.into() }
    }

    pub(crate) fn skipped(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, text: text.into(), hint: String::new() }
    }
}
