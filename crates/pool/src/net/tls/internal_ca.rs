use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use vipnode_files::{OpenDir, make_own_dir};
use x509_cert::der::{Decode as _, Encode as _};
use zeroize::Zeroizing;

use super::{TlsError, certificate::Certificate};

/// A key, or a certificate, has fewer bytes.
const FILE_BYTES: u64 = 64 << 10;
const KEY: &str = "ca.key";
const CERTIFICATE: &str = "ca.pem";
const LOCK: &str = "lock";
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
        self.dir.join(CERTIFICATE)
    }

    /// Issues a certificate for the server, at the start. The authority is made if there is none.
    pub(super) fn start(&self, now: SystemTime) -> Result<Certificate, TlsError> {
        let dir = make_own_dir(&self.dir).map_err(|why| self.unusable(why))?;
        // Pools of this user that start together make one authority. Nobody else can hold the lock in this directory, and a
        // pool holds it for a moment.
        let lock = dir.open_lock(LOCK).map_err(|why| self.unusable(why))?;
        lock.lock().map_err(|why| self.unusable(why))?;
        let key = match self.key(&dir) {
            Err(TlsError::CaRead { why, .. }) if why.kind() == io::ErrorKind::NotFound => self.make_key(&dir)?,
            key => key?,
        };
        self.keep_certificate(&dir, &key, now)?;
        self.sign(key, now)
    }

    /// Issues a certificate for the server while the pool runs. A missing authority is an error, because agents would not
    /// trust a new one.
    pub(super) fn issue(&self, now: SystemTime) -> Result<Certificate, TlsError> {
        self.sign(self.kept_key()?, now)
    }

    /// Checks the files of the authority, if there is one, and changes nothing.
    pub(super) fn check_kept(&self) -> Result<(), TlsError> {
        if self.dir.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        match self.kept_key() {
            Err(TlsError::CaRead { why, .. }) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            key => key.map(drop),
        }
    }

    /// Reads the key of the authority that is there, if its certificate belongs to it.
    fn kept_key(&self) -> Result<KeyPair, TlsError> {
        let dir = OpenDir::open(&self.dir).map_err(|why| self.unusable(why))?;
        let key = self.key(&dir)?;
        self.belongs(&self.read(&dir, CERTIFICATE)?, &key)?;
        Ok(key)
    }

    fn unusable(&self, why: io::Error) -> TlsError {
        TlsError::CaDir { dir: self.dir.clone(), why }
    }

    /// Reads the authority's key.
    fn key(&self, dir: &OpenDir) -> Result<KeyPair, TlsError> {
        let damaged = |why: String| TlsError::CaKey { path: dir.file(KEY), why };
        let bytes = Zeroizing::new(self.read(dir, KEY)?);
        let pem = str::from_utf8(&bytes).map_err(|_| damaged("it is not text".to_owned()))?;
        KeyPair::from_pem(pem).map_err(|error| damaged(error.to_string()))
    }

    fn make_key(&self, dir: &OpenDir) -> Result<KeyPair, TlsError> {
        // A certificate of an earlier key is of no use. It goes first: a crash must not leave it with the new key.
        match fs::remove_file(dir.file(CERTIFICATE)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(self.unwritten(CERTIFICATE, why)),
            _ => {}
        }
        let key = KeyPair::generate().map_err(library)?;
        self.write(dir, KEY, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        Ok(key)
    }

    /// Writes the authority's certificate if there is none, or checks that it belongs to the key.
    fn keep_certificate(&self, dir: &OpenDir, key: &KeyPair, now: SystemTime) -> Result<(), TlsError> {
        match self.read(dir, CERTIFICATE) {
            Ok(pem) => self.belongs(&pem, key),
            Err(TlsError::CaRead { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                let own = authority(now).self_signed(key).map_err(library)?;
                self.write(dir, CERTIFICATE, own.pem().as_bytes())
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that agents which trust this certificate trust what the key signs.
    fn belongs(&self, pem: &[u8], key: &KeyPair) -> Result<(), TlsError> {
        let parsed =
            CertificateDer::from_pem_slice(pem).ok().and_then(|der| x509_cert::Certificate::from_der(&der).ok());
        let public = parsed.and_then(|parsed| parsed.tbs_certificate.subject_public_key_info.to_der().ok());
        if public.is_some_and(|public| public == key.subject_public_key_info()) {
            return Ok(());
        }
        Err(TlsError::OtherCa { certificate: self.ca_file(), key: self.dir.join(KEY) })
    }

    fn sign(&self, key: KeyPair, now: SystemTime) -> Result<Certificate, TlsError> {
        let issuer = Issuer::new(authority(now), key);
        let mut params = CertificateParams::new(self.names.clone()).map_err(library)?;
        params.distinguished_name.push(DnType::CommonName, "vipnode pool");
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, SERVER_DAYS);
        let key = KeyPair::generate().map_err(library)?;
        let own = params.signed_by(&key, &issuer).map_err(library)?;
        let key = Zeroizing::new(key.serialize_pem());
        Certificate::parse((&self.ca_file(), own.pem().as_bytes()), (&self.dir.join(KEY), key.as_bytes()), now)
    }

    fn read(&self, dir: &OpenDir, name: &str) -> Result<Vec<u8>, TlsError> {
        dir.read_file(name, FILE_BYTES).map_err(|why| TlsError::CaRead { path: self.dir.join(name), why })
    }

    fn write(&self, dir: &OpenDir, name: &str, content: &[u8]) -> Result<(), TlsError> {
        dir.replace_file(name, content).map(drop).map_err(|why| self.unwritten(name, why))
    }

    fn unwritten(&self, name: &str, why: io::Error) -> TlsError {
        TlsError::CaWrite { path: self.dir.join(name), why }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn library(error: rcgen::Error) -> TlsError {
    TlsError::Library { why: error.to_string() }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ca(dir: &std::path::Path) -> InternalCa {
        InternalCa::new(dir.join("tls"), vec!["pool.lan".to_owned(), "10.0.0.1".to_owned()])
    }

    #[test]
    fn the_authority_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (ca, now) = (ca(dir.path()), SystemTime::now());
        ca.check_kept().unwrap();
        let first = ca.start(now).unwrap();
        assert_eq!(first.facts.names, ["pool.lan", "10.0.0.1"]);
        assert!((360..=365).contains(&first.facts.days_left(now)), "{:?}", first.facts);
        let kept = fs::read(ca.ca_file()).unwrap();
        ca.start(now).unwrap();
        ca.issue(now).unwrap();
        ca.check_kept().unwrap();
        assert_eq!(fs::read(ca.ca_file()).unwrap(), kept);
    }

    #[test]
    fn pools_that_start_together_make_one_authority() {
        let (dir, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
        for _ in 0..20 {
            let ca = ca(dir.path());
            std::thread::scope(|threads| {
                let starts: Vec<_> = (0..4).map(|_| threads.spawn(|| ca.start(now).map(drop))).collect();
                starts.into_iter().for_each(|start| start.join().unwrap().unwrap());
            });
            ca.issue(now).unwrap();
            fs::remove_dir_all(&ca.dir).unwrap();
        }
    }

    #[test]
    fn a_running_pool_makes_no_other_authority() {
        let dir = tempfile::tempdir().unwrap();
        let (ca, now) = (ca(dir.path()), SystemTime::now());
        ca.start(now).unwrap();
        let kept = fs::read(ca.ca_file()).unwrap();
        fs::remove_file(ca.dir.join(KEY)).unwrap();
        assert!(matches!(ca.issue(now), Err(TlsError::CaRead { .. })));
        assert!(!ca.dir.join(KEY).exists());
        // The next start makes one, with its certificate.
        ca.start(now).unwrap();
        assert_ne!(fs::read(ca.ca_file()).unwrap(), kept);
    }

    #[test]
    fn damaged_and_foreign_files_are_refused_with_their_path() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (ca, other, now) = (ca(dir.path()), ca(other.path()), SystemTime::now());
        ca.start(now).unwrap();
        other.start(now).unwrap();
        for wrong in [fs::read(other.ca_file()).unwrap(), b"nothing".to_vec(), Vec::new()] {
            fs::write(ca.ca_file(), wrong).unwrap();
            for error in [ca.start(now).unwrap_err(), ca.issue(now).unwrap_err(), ca.check_kept().unwrap_err()] {
                assert!(matches!(error, TlsError::OtherCa { .. }), "{error}");
            }
        }
        fs::remove_file(ca.ca_file()).unwrap();
        ca.start(now).unwrap();
        fs::write(ca.dir.join(KEY), "nothing").unwrap();
        assert!(matches!(ca.check_kept(), Err(TlsError::CaKey { .. })));
        assert!(ca.start(now).unwrap_err().to_string().contains("ca.key is not a key"));
    }
}
