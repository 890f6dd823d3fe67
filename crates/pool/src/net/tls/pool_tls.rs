use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard},
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;
use vipnode_metrics::Gauge;
#[cfg(feature = "acme")]
use vipnode_types::TypedError as _;

use super::{CertificateFacts, TlsError, certificate::Certificate};

/// The protocol that an ACME server offers when it validates a name (RFC 8737).
pub(crate) const ACME_ALPN: &[u8] = b"acme-tls/1";

/// The pool's certificate, from files or by ACME. All clones share it.
#[derive(Debug, Clone)]
pub struct PoolTls(Arc<Inner>);

struct Inner {
    source: Source,
    certificates: Arc<Certificates>,
    server: Arc<ServerConfig>,
    news: watch::Sender<Option<TlsNews>>,
}

#[derive(Debug)]
enum Source {
    Files {
        certificate: PathBuf,
        key: PathBuf,
    },
    #[cfg(feature = "acme")]
    Acme(super::AcmeConfig),
}

/// A result of the automatic renewal of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsNews {
    /// There is a new certificate.
    Obtained(CertificateFacts),
    /// No certificate could be obtained.
    Failed {
        /// What happened.
        why: String,
        /// How to fix it.
        hint: String,
        /// When the pool tries again, in seconds.
        retry_s: u64,
    },
}

/// The certificates for handshakes. Each is replaced as a whole, so that a handshake never sees half of a change.
#[derive(Debug, Default)]
struct Certificates {
    current: RwLock<Option<Certificate>>,
    /// The answers to an ACME server, by name; see [`ACME_ALPN`].
    challenges: RwLock<BTreeMap<String, Arc<CertifiedKey>>>,
    expires: OnceLock<Gauge>,
}

impl PoolTls {
    /// Reads a certificate with its intermediates, and its key, from PEM files.
    ///
    /// # Errors
    /// A file cannot be read or used; see [`TlsError`].
    pub fn from_files(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let current = Certificate::read(&certificate, &key, SystemTime::now())?;
        Self::new(Source::Files { certificate, key }, Some(current))
    }

    /// Uses a certificate by ACME, which is kept in a directory. It is ordered once the pool listens, because the ACME
    /// server connects to its port; until then, handshakes fail at the very first start.
    ///
    /// # Errors
    /// The directory cannot be used.
    #[cfg(feature = "acme")]
    pub fn acme(config: super::AcmeConfig) -> Result<Self, TlsError> {
        let kept = config.kept(SystemTime::now())?;
        Self::new(Source::Acme(config), kept)
    }

    fn new(source: Source, current: Option<Certificate>) -> Result<Self, TlsError> {
        let certificates = Arc::new(Certificates::default());
        let library = |error: rustls::Error| TlsError::Library { why: error.to_string() };
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(library)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificates) as Arc<dyn ResolvesServerCert>);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        #[cfg(feature = "acme")]
        if matches!(source, Source::Acme(_)) {
            server.alpn_protocols.push(ACME_ALPN.to_vec());
        }
        // Resumption costs memory for each agent, and agents stay for days.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let tls =
            Self(Arc::new(Inner { source, certificates, server: Arc::new(server), news: watch::Sender::new(None) }));
        if let Some(current) = current {
            tls.show(current);
        }
        Ok(tls)
    }

    /// Returns the facts about the current certificate; `None` before the first one by ACME.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        let current = self.0.certificates.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|current| current.facts.clone())
    }

    /// Reads the files again. If the new certificate cannot be used, the old one stays. Open connections are not affected.
    ///
    /// # Errors
    /// A file cannot be read or used; see [`TlsError`].
    pub fn reload(&self) -> Result<CertificateFacts, TlsError> {
        match &self.0.source {
            Source::Files { certificate, key } => {
                let new = Certificate::read(certificate, key, SystemTime::now())?;
                let facts = new.facts.clone();
                self.show(new);
                Ok(facts)
            }
            #[cfg(feature = "acme")]
            Source::Acme(_) => Err(TlsError::NoFiles),
        }
    }

    /// Returns the host names of the ACME order.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        match &self.0.source {
            Source::Files { .. } => &[],
            #[cfg(feature = "acme")]
            Source::Acme(config) => &config.hosts,
        }
    }

    /// Returns a receiver for the results of the automatic renewal.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<Option<TlsNews>> {
        self.0.news.subscribe()
    }

    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.server)
    }

    /// Keeps a gauge at the expiry time.
    pub(crate) fn show_in(&self, gauge: Gauge) {
        let gauge = self.0.certificates.expires.get_or_init(|| gauge);
        gauge.set(self.facts().map_or(0, |facts| i64::try_from(facts.expires_s).unwrap_or(i64::MAX)));
    }

    fn show(&self, new: Certificate) {
        let certificates = &self.0.certificates;
        let expires = i64::try_from(new.facts.expires_s).unwrap_or(i64::MAX);
        *certificates.current.write().unwrap_or_else(PoisonError::into_inner) = Some(new);
        if let Some(gauge) = certificates.expires.get() {
            gauge.set(expires);
        }
    }
}

#[cfg(feature = "acme")]
impl PoolTls {
    /// Orders and renews a certificate by ACME for as long as it is polled; with files, it does nothing.
    pub(crate) async fn keep(&self) {
        match &self.0.source {
            Source::Files { .. } => std::future::pending().await,
            Source::Acme(config) => super::acme::keep(self, config).await,
        }
    }

    pub(crate) fn obtained(&self, new: Certificate) {
        let facts = new.facts.clone();
        self.show(new);
        self.0.news.send_replace(Some(TlsNews::Obtained(facts)));
    }

    pub(crate) fn failed(&self, error: &TlsError, retry_s: u64) {
        let (why, hint) = (error.to_string(), error.hint().unwrap_or_default());
        self.0.news.send_replace(Some(TlsNews::Failed { why, hint, retry_s }));
    }

    /// Answers an ACME server that validates `name`, until the returned value is dropped.
    pub(crate) fn challenge(&self, name: String, answer: Arc<CertifiedKey>) -> Challenge {
        self.0.certificates.challenges().insert(name.clone(), answer);
        Challenge { tls: self.clone(), name }
    }
}

/// An answer to an ACME server about one name, for as long as this lives.
#[cfg(feature = "acme")]
#[derive(Debug)]
pub(crate) struct Challenge {
    tls: PoolTls,
    name: String,
}

#[cfg(feature = "acme")]
impl Drop for Challenge {
    fn drop(&mut self) {
        self.tls.0.certificates.challenges().remove(&self.name);
    }
}

#[cfg(feature = "acme")]
impl Certificates {
    fn challenges(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<CertifiedKey>>> {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ACME_ALPN)) {
            let challenges = self.challenges.read().unwrap_or_else(PoisonError::into_inner);
            return challenges.get(&hello.server_name()?.to_ascii_lowercase()).cloned();
        }
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|current| Arc::clone(&current.key))
    }
}

/// Shows no key.
impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolTls").field("source", &self.source).finish_non_exhaustive()
    }
}
