use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use vipnode_files::{make_own_dir, read_text, replace_file};
use zeroize::Zeroizing;

use super::{TlsError, certificate::Certificate};

/// A key has fewer bytes.
const KEY_BYTES: u64 = 64 << 10;
const DAY: Duration = Duration::from_secs(86_400);
/// Agents have the authority's certificate in a file, so it is not replaced within the life of a machine.
const AUTHORITY_DAYS: u32 = 7_300;
/// The certificate of the pool, which is renewed after two thirds of this.
const SERVER_DAYS: u32 = 365;

/// The pool's own certificate authority, for `--tls internal`: its key and certificate are in a directory. The server's
/// certificate is issued at each start and never stored.
#[derive(Debug)]
pub(super) struct InternalCa {
    dir: PathBuf,
    /// Host names and addresses of the pool.
    names: Vec<String>,
}

impl InternalCa {
    pub(super) const fn new(dir: PathBuf, names: Vec<String>) -> Self {
        Self { dir, names }
    }

    /// The certificate that agents have to trust, PEM.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Issues a certificate for the server. The authority is made at the first call.
    pub(super) fn issue(&self, now: SystemTime) -> Result<Certificate, TlsError> {
        let library = |error: rcgen::Error| TlsError::Library { why: error.to_string() };
        let issuer = Issuer::new(authority(now), self.key()?);
        if !self.ca_file().exists() {
            let own = authority(now).self_signed(issuer.key()).map_err(library)?;
            write(&self.ca_file(), own.pem().as_bytes())?;
        }
        let mut params = CertificateParams::new(self.names.clone()).map_err(library)?;
        params.distinguished_name.push(DnType::CommonName, "vipnode pool");
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, SERVER_DAYS);
        let key = KeyPair::generate().map_err(library)?;
        let own = params.signed_by(&key, &issuer).map_err(library)?;
        let key = Zeroizing::new(key.serialize_pem());
        Certificate::parse((&self.ca_file(), own.pem().as_bytes()), (&self.key_file(), key.as_bytes()), now)
    }

    fn key_file(&self) -> PathBuf {
        self.dir.join("ca.key")
    }

    /// Reads the authority's key, or makes it.
    fn key(&self) -> Result<KeyPair, TlsError> {
        let path = self.key_file();
        let content = |why: String| TlsError::Content { path: path.clone(), why };
        match read_text(&path, KEY_BYTES).map(Zeroizing::new) {
            Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| content(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_own_dir(&self.dir).map_err(|why| TlsError::Write { path: self.dir.clone(), why })?;
                let key = KeyPair::generate().map_err(|error| content(error.to_string()))?;
                write(&path, Zeroizing::new(key.serialize_pem()).as_bytes())?;
                // A certificate of an earlier key is of no use.
                let _none = fs::remove_file(self.ca_file());
                Ok(key)
            }
            Err(why) => Err(TlsError::File { path, why }),
        }
    }
}

/// The same name each time: an issued certificate names its issuer by it.
fn authority(now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "vipnode pool CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, AUTHORITY_DAYS);
    params
}

/// From yesterday, because clocks differ.
fn set_validity(params: &mut CertificateParams, now: SystemTime, days: u32) {
    params.not_before = now.checked_sub(DAY).unwrap_or(now).into();
    params.not_after = now.checked_add(DAY.saturating_mul(days)).unwrap_or(now).into();
}

fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    replace_file(path, content).map_err(|why| TlsError::Write { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_kept_and_made_again_with_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let ca = InternalCa::new(dir.path().join("tls"), vec!["pool.lan".to_owned(), "10.0.0.1".to_owned()]);
        let now = SystemTime::now();
        let first = ca.issue(now).unwrap();
        assert_eq!(first.facts.names, ["pool.lan", "10.0.0.1"]);
        assert!((360..=365).contains(&first.facts.days_left(now)), "{:?}", first.facts);
        let kept = fs::read(ca.ca_file()).unwrap();
        ca.issue(now).unwrap();
        assert_eq!(fs::read(ca.ca_file()).unwrap(), kept);
        fs::remove_file(ca.key_file()).unwrap();
        ca.issue(now).unwrap();
        assert_ne!(fs::read(ca.ca_file()).unwrap(), kept);
        fs::write(ca.key_file(), "nothing").unwrap();
        assert!(ca.issue(now).unwrap_err().to_string().contains("ca.key cannot be used"));
    }
}
