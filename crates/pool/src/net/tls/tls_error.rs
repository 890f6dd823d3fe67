use std::{io, path::PathBuf};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {why}", path = path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {why}", path = path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// A file holds something else.
    #[error("{path} cannot be used: {why}", path = path.display())]
    Content {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key is of another certificate.
    #[error("the key in {key} does not belong to the certificate in {certificate}",
            key = key.display(), certificate = certificate.display())]
    Mismatch {
        /// Path of the certificate.
        certificate: PathBuf,
        /// Path of the key.
        key: PathBuf,
    },
    /// The certificate's time is over.
    #[error("the certificate in {path} expired at {at}", path = path.display())]
    Expired {
        /// Path of the file.
        path: PathBuf,
        /// When, RFC 3339.
        at: String,
    },
    /// The name cannot stand in a certificate.
    #[error("{0:?} is not a host name that a certificate can be for")]
    Name(String),
    /// The certificate is kept by ACME and not in files of the operator.
    #[error("the certificate comes by ACME and is renewed by itself")]
    NoFiles,
    /// The TLS library refuses.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
    /// The ACME server's, or the way to it.
    #[error("no certificate from {directory}: {why}")]
    Acme {
        /// The directory's URL.
        directory: String,
        /// What it says.
        why: String,
    },
}

impl TlsError {
    /// The flag or command that fixes it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "let the user that runs the pool read it, or name another: --tls-cert, --tls-key",
            Self::Write { .. } => "choose a directory that the pool may write: --tls-cache DIR",
            Self::Content { .. } => {
                "--tls-cert takes the certificate and its intermediates as PEM, --tls-key its key as PEM without a password"
            }
            Self::Mismatch { .. } => "give both files of one certificate: --tls-cert, --tls-key",
            Self::Expired { .. } => "renew it; if this machine's clock is wrong, set it (timedatectl)",
            Self::Name(_) => "--tls-host takes a name such as pool.example.org, without port and scheme",
            Self::NoFiles => "nothing has to be done",
            Self::Library(_) => "please report this",
            Self::Acme { .. } => {
                "the name must lead here, and port 443 of it to this pool's port; the pool goes on trying"
            }
        }
    }
}
