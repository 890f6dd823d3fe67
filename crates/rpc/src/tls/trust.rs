use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use vipnode_files::{Links, read_file, without_bom};
use vipnode_types::errors;

/// Which servers a client trusts: the system's CAs, additional CAs from a file, and whether unencrypted connections to
/// other machines are allowed. Its clones share the CAs of the file, which can be read again.
#[derive(Clone, Default)]
pub struct Trust {
    plain: bool,
    ca: Option<Arc<Authorities>>,
}

/// A larger file of authorities is refused.
const CA_BYTES: u64 = 16 << 20;

/// The system's authorities alone, read once a process: it takes milliseconds and some 100 KB.
static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();

struct Authorities {
    file: PathBuf,
    read: RwLock<ReadAuthorities>,
}

/// What was in the file when it was last read.
struct ReadAuthorities {
    certificates: Vec<CertificateDer<'static>>,
    config: Arc<ClientConfig>,
}

errors! {
    /// Why a file of certificate authorities cannot be used.
    #[derive(Debug)]
    pub enum TrustError {
        /// The file does not exist, or this user does not have permission to read it.
        File {
            /// Path of the file with CA certificates.
            path: PathBuf,
            /// What the system reports.
            why: io::Error,
        }: local, "the CA file {path} cannot be read: {why}" (path = path.display()),
            hint "Pass a file that this user can read: --tls-ca FILE.";
        /// The file does not contain valid CA certificates.
        Content {
            /// Path of the file with CA certificates.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "cannot use the CA file {path}: {why}" (path = path.display()),
            hint "Pass a PEM file with CA certificates: --tls-ca FILE.";
    }
}

impl Trust {
    /// The same, and `ws://` and `http://` may go beyond this machine.
    #[must_use]
    pub fn allow_plain(self, plain: bool) -> Self {
        Self { plain, ..self }
    }

    /// The same, and the authorities of a PEM file are believed besides the system's.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate of an authority.
    pub fn with_ca(self, path: &Path) -> Result<Self, TrustError> {
        let ca = Authorities { file: path.to_owned(), read: RwLock::new(ReadAuthorities::read(path)?) };
        Ok(Self { ca: Some(Arc::new(ca)), ..self })
    }

    /// Reads the file of further authorities again, for this and all its clones: it counts from their next connections on. Returns
    /// whether its certificates changed.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate of an authority. What was read before stays.
    pub fn reload(&self) -> Result<bool, TrustError> {
        let Some(ca) = &self.ca else { return Ok(false) };
        let newer = ReadAuthorities::read(&ca.file)?;
        let mut read = ca.read.write().unwrap_or_else(PoisonError::into_inner);
        let changed = read.certificates != newer.certificates;
        if changed {
            *read = newer;
        }
        Ok(changed)
    }

    /// Whether unencrypted connections may go beyond this machine.
    #[must_use]
    pub const fn plain(&self) -> bool {
        self.plain
    }

    /// Whether the system's CAs vouch for this server's certificate and its intermediates, whatever its names are.
    #[must_use]
    pub fn has_system_ca(chain: &[CertificateDer<'_>], now: SystemTime) -> bool {
        let Some((first, intermediates)) = chain.split_first() else { return false };
        let Ok(certificate) = ParsedCertificate::try_from(first) else { return false };
        let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        let algorithms = ring::default_provider().signature_verification_algorithms.all;
        let roots = roots(Vec::new());
        verify_server_cert_signed_by_trust_anchor(&certificate, &roots, intermediates, now, algorithms).is_ok()
    }

    /// The file of further authorities.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca.as_ref().map(|ca| ca.file.as_path())
    }

    /// What rustls needs to connect.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        match &self.ca {
            Some(ca) => Arc::clone(&ca.read.read().unwrap_or_else(PoisonError::into_inner).config),
            None => Arc::clone(SYSTEM.get_or_init(|| config(Vec::new()))),
        }
    }
}

impl ReadAuthorities {
    fn read(path: &Path) -> Result<Self, TrustError> {
        let text =
            read_file(path, Links::Follow, CA_BYTES).map_err(|why| TrustError::File { path: path.to_owned(), why })?;
        let content = |why: String| TrustError::Content { path: path.to_owned(), why };
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(without_bom(&text)).collect();
        let certificates = certificates.map_err(|error| content(error.to_string()))?;
        if certificates.is_empty() {
            return Err(content("it contains no certificates".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| content(error.to_string()))?;
        }
        Ok(Self { config: config(certificates.clone()), certificates })
    }
}

/// Two are the same where they believe the same file.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain && self.ca_file() == other.ca_file()
    }
}

impl Eq for Trust {}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("plain", &self.plain).field("ca", &self.ca_file()).finish()
    }
}

/// Believes the authorities of the system and `further` ones.
fn config(further: Vec<CertificateDer<'static>>) -> Arc<ClientConfig> {
    // rustls takes ring, the one crypto provider that is compiled in; deny.toml sees to it.
    Arc::new(ClientConfig::builder().with_root_certificates(roots(further)).with_no_client_auth())
}

/// The authorities of the system and `further` ones.
fn roots(further: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    if !system.errors.is_empty() {
        tracing::debug!(errors = ?system.errors, "some of the system's certificate authorities cannot be read");
    }
    let (_added, ignored) = roots.add_parsable_certificates(system.certs.into_iter().chain(further));
    if ignored > 0 {
        tracing::debug!(ignored, "some of the system's certificate authorities are not valid");
    }
    roots
}
