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
    /// The file cannot be read or is empty.
    pub(crate) fn secret(&self) -> Result<Option<JoinSecret>, CliError> {
        let Some(path) = &self.join_secret_file else { return Ok(self.join_secret.clone()) };
        let path = path.clone();
        let text = match vipnode_files::read_text(&path, SECRET_BYTES) {
            Ok(text) => text,
            Err(error) => return Err(CommandError::JoinSecretFile { path, error }.into()),
        };
        let secret = JoinSecret::new(&text).ok_or(CommandError::JoinSecretEmpty { path })?;
        Ok(Some(secret))
    }
}

fn join_secret(text: &str) -> Result<JoinSecret, String> {
    JoinSecret::new(text).ok_or_else(|| "the secret is empty".to_owned())
}
