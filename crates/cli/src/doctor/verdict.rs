use std::process::ExitCode;

use super::Finding;

/// The result of one check, or of all checks together ([`overall`]).
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

    /// The exit code of `vipnode doctor`: 1 if the role cannot work like this.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(u8::from(self == Self::Error))
    }
}

/// Returns the verdict of all checks: the worst one. A check that was skipped does not count.
pub(crate) fn overall(findings: &[Finding]) -> Verdict {
    let has = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    match (has(Verdict::Error), has(Verdict::Warning)) {
        (true, _) => Verdict::Error,
        (false, true) => Verdict::Warning,
        (false, false) => Verdict::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides_and_only_an_error_fails() {
        let (ok, skipped) = (Finding::ok("a", ""), Finding::skipped("b", ""));
        let (warning, error) = (Finding::warning("c", "", ""), Finding::error("d", "", ""));
        assert_eq!(overall(&[ok.clone(), skipped.clone()]), Verdict::Ok);
        assert_eq!(overall(&[ok, warning.clone(), skipped]), Verdict::Warning);
        assert_eq!(overall(&[error, warning]), Verdict::Error);
        let [failed, good] = [ExitCode::FAILURE, ExitCode::SUCCESS].map(|code| format!("{code:?}"));
        assert_eq!(format!("{:?}", Verdict::Error.exit_code()), failed);
        assert_eq!(format!("{:?}", Verdict::Warning.exit_code()), good);
    }
}
