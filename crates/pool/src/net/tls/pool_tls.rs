use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{sync::watch, time::sleep};
use vipnode_metrics::Gauge;
use vipnode_rpc::Trust;
use vipnode_types::TypedError as _;

use super::{CertificateFacts, TlsError, certificate::Certificate, internal_ca::InternalCa};
use crate::auth::OwnCertificate;

/// The protocol that an ACME server offers when it validates a name (RFC 8737).
pub(crate) const ACME_ALPN: &[u8] = b"acme-tls/1";

/// How often the pool checks whether the certificate is due: clocks jump, and machines sleep.
pub(super) const CHECK: Duration = Duration::from_secs(3600);

/// The pool's certificate: from files, by ACME, or from a CA of the pool's own. All clones share it.
#[derive(Debug, Clone)]
pub struct PoolTls(Arc<Inner>);

struct Inner {
    source: Source,
    certificates: Arc<Certificates>,
    server: Arc<ServerConfig>,
    news: watch::Sender<Option<RenewalResult>>,
}

#[derive(Debug)]
enum Source {
    Files {
        certificate: PathBuf,
        key: PathBuf,
    },
    Internal(InternalCa),
    #[cfg(feature = "acme")]
    Acme(super::AcmeConfig),
}

/// A result of the automatic renewal of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalResult {
    /// There is a new certificate.
    Obtained(CertificateFacts),
    /// No certificate could be obtained.
    Failed {
        /// The error of the ACME order.
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

    /// Issues a certificate for these host names and addresses by a CA of the pool's own, which is kept in a directory and
    /// made at the first start.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn internal(dir: PathBuf, names: Vec<String>) -> Result<Self, TlsError> {
        let ca = InternalCa::new(dir, names);
        let current = ca.start(SystemTime::now())?;
        Self::new(Source::Internal(ca), Some(current))
    }

    /// Checks the files of the pool's own CA, if there is one, and changes nothing.
    ///
    /// # Errors
    /// A file of the CA cannot be used.
    pub fn check_internal(dir: PathBuf) -> Result<(), TlsError> {
        InternalCa::new(dir, Vec::new()).check_kept()
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

    /// Reads the files again, or issues a certificate again. If the new one cannot be used, the old one stays. Open connections
    /// are not affected.
    ///
    /// # Errors
    /// A file cannot be read or used; see [`TlsError`].
    pub fn reload(&self) -> Result<CertificateFacts, TlsError> {
        let now = SystemTime::now();
        let new = match &self.0.source {
            Source::Files { certificate, key } => Certificate::read(certificate, key, now)?,
            Source::Internal(ca) => ca.issue(now)?,
            #[cfg(feature = "acme")]
            Source::Acme(_) => return Err(TlsError::NoFiles),
        };
        let facts = new.facts.clone();
        self.show(new);
        Ok(facts)
    }

    /// Returns the names of the certificate, also of one by ACME that is still on order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.0.source {
            Source::Files { .. } | Source::Internal(_) => self.facts().map(|facts| facts.names).unwrap_or_default(),
            #[cfg(feature = "acme")]
            Source::Acme(config) => config.hosts.clone(),
        }
    }

    /// Whether it comes from an ACME server.
    #[must_use]
    pub fn is_acme(&self) -> bool {
        match &self.0.source {
            Source::Files { .. } | Source::Internal(_) => false,
            #[cfg(feature = "acme")]
            Source::Acme(_) => true,
        }
    }

    /// Returns the file of the pool's own CA, which its agents have to trust.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        match &self.0.source {
            Source::Internal(ca) => Some(ca.ca_file()),
            Source::Files { .. } => None,
            #[cfg(feature = "acme")]
            Source::Acme(_) => None,
        }
    }

    /// Whether agents need the certificate of the CA that issued this one (`--tls-ca`), because the system's CAs did not.
    #[must_use]
    pub fn needs_ca(&self) -> bool {
        let current = self.0.certificates.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|current| !Trust::has_system_ca(&current.key.cert, SystemTime::now()))
    }

    /// Returns a receiver for the results of the automatic renewal.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<Option<RenewalResult>> {
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

impl PoolTls {
    /// Renews the certificate for as long as it is polled; one from files is renewed by the operator.
    pub(crate) async fn keep(&self) {
        match &self.0.source {
            Source::Files { .. } => std::future::pending().await,
            Source::Internal(ca) => self.keep_issued(ca).await,
            #[cfg(feature = "acme")]
            Source::Acme(config) => super::acme::keep(self, config).await,
        }
    }

    async fn keep_issued(&self, ca: &InternalCa) {
        loop {
            sleep(CHECK).await;
            if self.facts().is_none_or(|facts| facts.is_due(SystemTime::now())) {
                match ca.issue(SystemTime::now()) {
                    Ok(new) => self.obtained(new),
                    Err(error) => self.failed(&error, CHECK.as_secs()),
                }
            }
        }
    }

    pub(crate) fn obtained(&self, new: Certificate) {
        let facts = new.facts.clone();
        self.show(new);
        self.0.news.send_replace(Some(RenewalResult::Obtained(facts)));
    }

    pub(crate) fn failed(&self, error: &TlsError, retry_s: u64) {
        let (why, hint) = (error.to_string(), error.hint().unwrap_or_default());
        self.0.news.send_replace(Some(RenewalResult::Failed { why, hint, retry_s }));
    }
}

#[cfg(feature = "acme")]
impl PoolTls {
    /// Answers an ACME server that validates `name`, until the returned value is dropped.
    pub(crate) fn challenge(&self, name: String, answer: Arc<CertifiedKey>) -> Challenge {
        self.0.certificates.challenges().insert(name.clone(), answer);
        Challenge { tls: self.clone(), name }
    }
}

impl OwnCertificate for PoolTls {
    fn names(&self) -> Vec<String> {
        self.names()
    }

    fn other_port(&self) -> Option<u16> {
        // The ACME server connects to port 443 of each name, so that port leads to this pool.
        self.is_acme().then_some(443)
    }

    fn has_addresses(&self) -> bool {
        matches!(self.0.source, Source::Internal(_))
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
    fn challenges(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<CertifiedKey>>> {
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
