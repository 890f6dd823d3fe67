//! Flags of the pool's certificate.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Default, Args)]
pub(crate) struct TlsArgs {
    /// Speak TLS with this certificate: PEM, the intermediates below it. Read again on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's key: PEM, without a password.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    #[cfg(feature = "acme")]
    #[command(flatten)]
    pub(crate) acme: AcmeArgs,
}

/// A certificate that the pool gets by itself.
#[cfg(feature = "acme")]
#[derive(Debug, Default, Args)]
pub(crate) struct AcmeArgs {
    /// Speak TLS with a certificate for this name from Let's Encrypt, whose terms you accept by this. The name leads
    /// here, and so does port 443 of it. May be given several times.
    #[arg(long, visible_alias = "tlshost", value_name = "NAME", conflicts_with = "tls_cert")]
    pub(crate) tls_host: Vec<String>,
    /// Where the ACME server may write about the certificate.
    #[arg(long, value_name = "MAIL", requires = "tls_host")]
    pub(crate) tls_contact: Option<String>,
    /// Where account, certificate and key are kept [default: ~/.local/state/vipnode/acme].
    #[arg(long, value_name = "DIR", requires = "tls_host")]
    pub(crate) tls_cache: Option<PathBuf>,
    /// Another ACME server: the URL of its directory.
    #[arg(long, value_name = "URL", requires = "tls_host", default_value = vipnode_pool::LETS_ENCRYPT)]
    pub(crate) tls_acme_directory: String,
    /// Believe the authorities of a PEM file about the ACME server too.
    #[arg(long, value_name = "FILE", requires = "tls_host")]
    pub(crate) tls_acme_ca: Option<PathBuf>,
}

impl TlsArgs {
    /// Whether the pool gets its certificate by itself.
    #[cfg(feature = "acme")]
    pub(crate) const fn by_acme(&self) -> bool {
        !self.acme.tls_host.is_empty()
    }

    /// Whether the pool gets its certificate by itself, which this build cannot.
    #[cfg(not(feature = "acme"))]
    pub(crate) const fn by_acme(&self) -> bool {
        false
    }
}
