use super::Verdict;

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
