//! Flags of the pool's certificate.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Default, Args)]
pub(crate) struct TlsArgs {
    /// Pass "internal" to serve TLS with the pool's own CA.
    ///
    /// Intended for private networks. The CA is created at the first start, in the data directory (with --store memory,
    /// in ~/.local/state/vipnode). The pool issues its certificate at each start, for the addresses that it listens on,
    /// this machine's name, and the hosts of --public-url. Agents need --tls-ca with the CA's certificate.
    #[arg(long, value_name = "SOURCE", conflicts_with = "tls_cert", hide_possible_values = true, help_heading = "TLS")]
    pub(crate) tls: Option<TlsSource>,
    /// Serve TLS with this certificate (PEM).
    ///
    /// Put intermediate certificates after it in the same file. SIGHUP reloads the file.
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "TLS")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Read the certificate's private key from this PEM file.
    ///
    /// The key must not be password-protected.
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS", hide_short_help = true)]
    pub(crate) tls_key: Option<PathBuf>,
    #[cfg(feature = "acme")]
    #[command(flatten)]
    pub(crate) acme: AcmeArgs,
}

/// Where the pool's certificate comes from, apart from files and an ACME server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsSource {
    /// A CA of the pool's own.
    Internal,
}

/// A certificate that the pool gets by itself.
#[cfg(feature = "acme")]
#[derive(Debug, Default, Args)]
pub(crate) struct AcmeArgs {
    /// Get a certificate for this name from Let's Encrypt.
    ///
    /// By passing this flag, you accept the Let's Encrypt Subscriber Agreement. The name must resolve to this pool, and
    /// port 443 of the name must reach it. Can be repeated.
    #[arg(long, visible_alias = "tlshost", value_name = "NAME", conflicts_with_all = ["tls_cert", "tls"], help_heading = "TLS")]
    pub(crate) tls_host: Vec<String>,
    /// Register this email address with the ACME server for notices.
    #[arg(long, value_name = "EMAIL", requires = "tls_host", help_heading = "TLS", hide_short_help = true)]
    pub(crate) tls_contact: Option<String>,
    /// Store the ACME account, certificate, and key in this directory.
    ///
    /// [default: ~/.local/state/vipnode/acme]
    #[arg(long, value_name = "DIR", requires = "tls_host", help_heading = "TLS", hide_short_help = true)]
    pub(crate) tls_cache: Option<PathBuf>,
    /// Use the ACME server at this directory URL.
    #[arg(long, value_name = "URL", requires = "tls_host", default_value = vipnode_pool::LETS_ENCRYPT, help_heading = "TLS", hide_short_help = true)]
    pub(crate) tls_acme_directory: String,
    /// Trust additional CA certificates (PEM) for the ACME server.
    #[arg(long, value_name = "FILE", requires = "tls_host", help_heading = "TLS", hide_short_help = true)]
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
