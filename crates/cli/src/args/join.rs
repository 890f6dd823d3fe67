use std::path::PathBuf;

use clap::Args;
use vipnode_types::{JoinSecret, is_unprintable};

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
    #[arg(long, value_name = "SECRET", hide_env_values = true, value_parser = secret_flag, help_heading = "Pool", hide_short_help = true)]
    pub(crate) join_secret: Option<Result<JoinSecret, SecretMistake>>,
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
    /// The file cannot be read, or the secret is empty, in quotation marks, or has an invisible character in it.
    pub(crate) fn secret(&self) -> Result<Option<JoinSecret>, CliError> {
        let Some(path) = &self.join_secret_file else {
            let typed = self.join_secret.clone().transpose();
            return typed.map_err(|wrong| wrong.named("--join-secret or VIPNODE_JOIN_SECRET".to_owned()).into());
        };
        let path = path.clone();
        let text = match vipnode_files::read_text(&path, SECRET_BYTES) {
            Ok(text) => text,
            Err(error) => return Err(CommandError::JoinSecretFile { path, error }.into()),
        };
        let secret = typed_secret(&text).map_err(|wrong| wrong.named(path.display().to_string()))?;
        Ok(Some(secret))
    }
}

/// What is wrong with a join secret. It does not contain the secret, unlike an error of clap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretMistake {
    Empty,
    Quoted,
    Invisible(char),
}

impl SecretMistake {
    /// The error about a secret in this place.
    fn named(self, place: String) -> CommandError {
        match self {
            Self::Empty => CommandError::JoinSecretEmpty { place },
            Self::Quoted => CommandError::JoinSecretQuoted { place },
            Self::Invisible(c) => {
                CommandError::JoinSecretInvisible { place, character: format!("U+{:04X}", u32::from(c)) }
            }
        }
    }
}

/// Reads a join secret from the command line, a variable, or a file. Whatever surrounds it without being seen is left out.
/// Quotation marks, as in a script, and invisible characters in it would be part of the secret, on one side only.
fn typed_secret(text: &str) -> Result<JoinSecret, SecretMistake> {
    let secret = JoinSecret::new(text).ok_or(SecretMistake::Empty)?;
    let text = text.trim_matches(is_blank);
    let quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if ['"', '\''].into_iter().any(quoted) {
        return Err(SecretMistake::Quoted);
    }
    match text.chars().find(|c| is_blank(*c) && !matches!(c, ' ' | '\t' | '\n')) {
        Some(invisible) => Err(SecretMistake::Invisible(invisible)),
        None => Ok(secret),
    }
}

/// Whether a character is not seen.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_unprintable(c)
}

/// An empty secret is refused at once; what else is wrong is reported without the secret.
fn secret_flag(text: &str) -> Result<Result<JoinSecret, SecretMistake>, &'static str> {
    match typed_secret(text) {
        Err(SecretMistake::Empty) => Err("the secret is empty"),
        typed => Ok(typed),
    }
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

    #[test]
    fn a_flag_and_a_file_follow_one_rule() {
        let flag = |text: &str| {
            let join_secret = Some(secret_flag(text).unwrap());
            JoinArgs { join_secret, join_secret_file: None }.secret().map(Option::unwrap)
        };
        for text in ["\u{200b}sesame\u{feff}", "sesame\u{a0}\n", "\u{2060} sesame"] {
            let (node, plain) = (NodeId::new([7; 64]), JoinSecret::new("sesame").unwrap());
            for secret in [flag(text), read(text)] {
                assert!(secret.unwrap().accepts(&plain.prove(&node, "1"), &node, "1"), "{text:?}");
            }
        }
        for (text, why) in [
            ("\"sesame\"", "is in quotation marks"),
            ("ses\u{200b}ame", "the invisible character U+200B"),
            ("open\u{a0}sesame", "the invisible character U+00A0"),
            ("open\rsesame", "the invisible character U+000D"),
        ] {
            for (secret, place) in [(flag(text), "--join-secret"), (read(text), "/secret")] {
                let CliError { message, hint } = secret.unwrap_err();
                assert!(message.contains(why) && message.contains(place), "{message}");
                assert!(!format!("{message}{hint}").contains("sesame"), "{message}");
            }
        }
        assert!(flag("open\tsesame\nit is").is_ok());
    }
}
