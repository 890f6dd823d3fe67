use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use vipnode_files::{Links, read_file, without_bom};
use vipnode_types::Ms;
use x509_cert::{
    der::Decode,
    ext::pkix::{BasicConstraints, SubjectAltName, name::GeneralName},
};

use super::TlsError;

/// The most bytes of a PEM file; a longer file is not a certificate or key.
const FILE_BYTES: u64 = 1 << 20;
/// The most names that are shown.
const NAMES: usize = 16;

/// A certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) facts: CertificateFacts,
}

/// The main facts about a certificate, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Its host names, at most 16.
    pub names: Vec<String>,
    /// The start of its validity, in seconds since 1970.
    pub begins_s: u64,
    /// The end of its validity, in seconds since 1970.
    pub expires_s: u64,
}

impl CertificateFacts {
    /// Returns the end of its validity, RFC 3339.
    #[must_use]
    pub fn expires(&self) -> String {
        Ms::new(self.expires_s.saturating_mul(1_000)).rfc3339_seconds()
    }

    /// Returns the whole days until it expires; 0 if it has expired.
    #[must_use]
    pub fn days_left(&self, now: SystemTime) -> u64 {
        self.expires_s.saturating_sub(seconds(now)) / 86_400
    }

    /// Whether two thirds of its validity are over, so that it has to be renewed.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        let last_third_s = self.expires_s.saturating_sub(self.begins_s) / 3;
        self.expires_s.saturating_sub(last_third_s) <= seconds(now)
    }

    fn of(certificate: &x509_cert::Certificate) -> Self {
        let tbs = &certificate.tbs_certificate;
        let names = match tbs.get::<SubjectAltName>() {
            Ok(Some((_critical, names))) => names.0.iter().filter_map(name).take(NAMES).collect(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
        Self { names, begins_s: seconds(&tbs.validity.not_before), expires_s: seconds(&tbs.validity.not_after) }
    }
}

impl Certificate {
    /// Reads two PEM files and checks that they match and that the certificate is valid now.
    pub(crate) fn read(certificate: &Path, key: &Path, now: SystemTime) -> Result<Self, TlsError> {
        Self::parse((certificate, &text(certificate)?), (key, &text(key)?), now)
    }

    /// As [`Self::read`], with the texts of the files; the paths are for the errors.
    pub(crate) fn parse(
        (certificate, pem): (&Path, &[u8]),
        (key_file, key): (&Path, &[u8]),
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let wrong = |path: &Path, why: String| TlsError::Content { path: path.to_owned(), why };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(without_bom(pem)).collect();
        let chain = chain.map_err(|error| wrong(certificate, error.to_string()))?;
        let Some(first) = chain.first() else {
            return Err(wrong(certificate, "it holds no certificate".to_owned()));
        };
        let parsed = x509_cert::Certificate::from_der(first).map_err(|error| wrong(certificate, error.to_string()))?;
        if is_authority(&parsed) {
            let names = CertificateFacts::of(&parsed).names;
            return Err(TlsError::Authority { certificate: certificate.to_owned(), key: key_file.to_owned(), names });
        }
        let facts = CertificateFacts::of(&parsed);
        let key = PrivateKeyDer::from_pem_slice(without_bom(key))
            .map_err(|_| wrong(key_file, "it holds no private key".to_owned()))?;
        let key = any_supported_type(&key).map_err(|error| wrong(key_file, error.to_string()))?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            // For some keys the public half is not known; then the first handshake shows whether they match.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => {
                return Err(TlsError::Mismatch { certificate: certificate.to_owned(), key: key_file.to_owned() });
            }
        }
        if facts.expires_s <= seconds(now) {
            return Err(TlsError::Expired { path: certificate.to_owned(), at: facts.expires() });
        }
        Ok(Self { key: Arc::new(key), facts })
    }
}

/// Whether it is a certificate of an authority, which agents refuse as that of a server.
fn is_authority(certificate: &x509_cert::Certificate) -> bool {
    matches!(certificate.tbs_certificate.get::<BasicConstraints>(), Ok(Some((_critical, constraints))) if constraints.ca)
}

fn text(path: &Path) -> Result<Vec<u8>, TlsError> {
    let file = |why| TlsError::File { path: path.to_owned(), why };
    read_file(path, Links::Follow, FILE_BYTES).map_err(file)
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(|ip| std::net::Ipv4Addr::from(ip).to_string());
            let v6 = || <[u8; 16]>::try_from(bytes).map(|ip| std::net::Ipv6Addr::from(ip).to_string());
            v4.or_else(|_| v6()).ok()
        }
        _ => None,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_renewed_after_two_thirds_of_its_time() {
        let facts = CertificateFacts { names: Vec::new(), begins_s: 1_000, expires_s: 4_000 };
        let due = |now_s| facts.is_due(UNIX_EPOCH + Duration::from_secs(now_s));
        assert_eq!([due(2_999), due(3_000), due(5_000)], [false, true, true]);
    }
}
