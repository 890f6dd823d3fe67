//! A certificate for pools that are measured over TLS; its files are removed when it is dropped.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

const NAME: &str = "localhost";

/// A self-signed certificate and its key.
pub(crate) struct SelfSigned {
    folder: PathBuf,
    trust: TrustedRoots,
}

/// The root certificates of the load generator.
#[derive(Clone)]
pub(crate) struct TrustedRoots(TlsConnector);

impl SelfSigned {
    pub(crate) fn new() -> io::Result<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([NAME.to_owned()]).map_err(io::Error::other)?;
        let folder = std::env::temp_dir().join(format!("vipnode-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let certificate = Self { folder, trust: TrustedRoots(TlsConnector::from(Arc::new(config))) };
        fs::write(certificate_file(&certificate.folder), cert.pem())?;
        fs::write(key_file(&certificate.folder), signing_key.serialize_pem())?;
        Ok(certificate)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) const fn trust(&self) -> &TrustedRoots {
        &self.trust
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

impl TrustedRoots {
    pub(crate) async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        self.0.connect(name, stream).await
    }
}

pub(crate) fn certificate_file(folder: &Path) -> PathBuf {
    folder.join("certificate.pem")
}

pub(crate) fn key_file(folder: &Path) -> PathBuf {
    folder.join("key.pem")
}
