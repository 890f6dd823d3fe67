use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use vipnode_files::{read_text, replace_file};

use super::{AcmeConfig, Certificate, TlsError};

/// The most bytes of an account's file.
const ACCOUNT_BYTES: u64 = 64 << 10;

impl AcmeConfig {
    /// Returns the certificate of an earlier run if it has these names and has not expired.
    pub(crate) fn kept(&self, now: SystemTime) -> Result<Option<Certificate>, TlsError> {
        fs::create_dir_all(&self.cache).map_err(|why| TlsError::Write { path: self.cache.clone(), why })?;
        let kept = Certificate::read(&self.certificate_file(), &self.key_file(), now);
        Ok(match kept {
            Ok(kept) if self.hosts.iter().all(|host| kept.facts.names.contains(host)) => Some(kept),
            Ok(_for_other_names) => None,
            Err(TlsError::File { why, .. }) if why.kind() == io::ErrorKind::NotFound => None,
            // The new certificate replaces whatever is there.
            Err(error) => {
                tracing::warn!(%error, "cannot use the stored certificate");
                None
            }
        })
    }

    /// Writes the key first: a certificate with a different key would be rejected, while a new key with an old certificate
    /// is only not used.
    pub(super) fn keep_certificate(&self, chain: &str, key: &str) -> Result<(), TlsError> {
        write(&self.key_file(), key)?;
        write(&self.certificate_file(), chain)
    }

    pub(super) fn kept_account(&self) -> Option<String> {
        let path = self.account_file();
        read_text(&path, ACCOUNT_BYTES).ok()
    }

    pub(super) fn keep_account(&self, credentials: &str) -> Result<(), TlsError> {
        write(&self.account_file(), credentials)
    }

    pub(super) fn certificate_file(&self) -> PathBuf {
        self.file("certificate.pem")
    }

    pub(super) fn key_file(&self) -> PathBuf {
        self.file("key.pem")
    }

    fn account_file(&self) -> PathBuf {
        self.file("account.json")
    }

    /// Returns a path per ACME server, so that the files of a test server never replace those of the real one.
    fn file(&self, name: &str) -> PathBuf {
        let server = self.directory.split_once("://").map_or(&*self.directory, |(_, rest)| rest);
        let server: String =
            server.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(100).collect();
        self.cache.join(format!("{server}-{name}"))
    }
}

/// Writes a file as a whole or not at all, readable only by its owner.
fn write(path: &Path, text: &str) -> Result<(), TlsError> {
    replace_file(path, text.as_bytes()).map_err(|why| TlsError::Write { path: path.to_owned(), why })
}
