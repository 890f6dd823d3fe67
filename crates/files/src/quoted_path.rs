use std::path::Path;

/// Returns a path as a shell reads it, for a command that a person pastes. One with a zero byte, which no file has, stays as it
/// is.
#[must_use]
pub fn quoted_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    shlex::try_quote(&path).map_or_else(|_| path.to_string(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word_and_runs_nothing() {
        assert_eq!(quoted_path(Path::new("/srv/pool-key")), "/srv/pool-key");
        assert_eq!(quoted_path(Path::new("/my $(id)/pool key")), "'/my $(id)/pool key'");
    }
}
