use std::path::PathBuf;

use clap::Args;
use vipnode_types::JoinSecret;

use crate::error::{CliError, CommandError};

/// A larger file is not a join secret.
const SECRET_BYTES: u64 = 64 << 10;

/// The secret of a closed pool.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct JoinArgs {
    /// Use this join secret for a closed pool.
    ///
    /// Other users on this machine can see it on the command line, so prefer --join-secret-file.
    #[arg(long, value_name = "SECRET", hide_env_values = true, value_parser = join_secret, help_heading = "Pool", hide_short_help = true)]
    pub(crate) join_secret: Option<JoinSecret>,
    /// Read the join secret for a closed pool from this file.
    #[arg(long, value_name = "FILE", help_heading = "Pool", hide_short_help = true)]
    pub(crate) join_secret_file: Option<PathBuf>,
}

impl JoinArgs {
    /// Whether a secret was given.
    pub(crate) const fn is_given(&self) -> bool {
        self.join_secret.is_some() || self.join_secret_file.is_some()
    }

    /// Returns the join secret, from the flag or its file.
    ///
    /// # Errors
    /// The file cannot be read, is empty, or has quotation marks around the secret.
    pub(crate) fn secret(&self) -> Result<Option<JoinSecret>, CliError> {
        let Some(path) = &self.join_secret_file else { return Ok(self.join_secret.clone()) };
        let path = path.clone();
        let text = match vipnode_files::read_text(&path, SECRET_BYTES) {
            Ok(text) => text,
            Err(error) => return Err(CommandError::JoinSecretFile { path, error }.into()),
        };
        if is_quoted(text.trim()) {
            return Err(CommandError::JoinSecretQuoted { path }.into());
        }
        let secret = JoinSecret::new(&text).ok_or(CommandError::JoinSecretEmpty { path })?;
        Ok(Some(secret))
    }
}

/// Whether a text begins and ends with the same quotation mark, as in a script: they would be part of the secret, on one side
/// only.
fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote))
}

fn join_secret(text: &str) -> Result<JoinSecret, String> {
    JoinSecret::new(text).ok_or_else(|| "the secret is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeId;

    use super::*;

    fn read(file: &str) -> Result<JoinSecret, CliError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, file).unwrap();
        let args = JoinArgs { join_secret: None, join_secret_file: Some(path) };
        args.secret().map(Option::unwrap)
    }

    #[test]
    fn a_file_of_another_system_has_the_same_secret_and_quotes_are_named() {
        let (node, plain) = (NodeId::new([7; 64]), JoinSecret::new("open sesame").unwrap());
        for file in ["open sesame", "\u{feff}open sesame\r\n", "  open sesame \n\n"] {
            assert!(read(file).unwrap().accepts(&plain.prove(&node, "1"), &node, "1"), "{file:?}");
        }
        for file in ["\"open sesame\"\n", "'open sesame'", "\u{feff}\"x\"\r\n", "\"\""] {
            let error = read(file).unwrap_err();
            assert!(error.message.contains("quotation marks") && error.hint.contains("Remove"), "{file:?}: {error:?}");
        }
        assert!(read("\"").is_ok() && read("it's").is_ok());
        assert!(read(" \n").unwrap_err().message.contains("does not contain a secret"));
    }
}
