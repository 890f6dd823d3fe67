use std::path::Path;

use aes::Aes128;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use serde::Deserialize;
use sha2::Sha256;
use vipnode_types::{AccountKey, keccak256};
use zeroize::Zeroizing;

use super::password::password;
use crate::error::KeystoreError;

/// A larger file is not a keystore.
const FILE_BYTES: u64 = 64 << 10;
/// The most memory for scrypt, in bytes: 1 GiB for the n blocks and 1 MiB for the others. Geth uses 256 MiB.
const MOST_MEMORY: u64 = 1_025 << 20;
/// The most work for scrypt: n × r × p. Geth uses 2^21.
const MOST_WORK: u64 = 1 << 24;
/// The most iterations of PBKDF2; the original wallets used 262,144.
const MOST_ITERATIONS: u32 = 20_000_000;

/// A keystore file of a wallet: Web3 Secret Storage, version 3, as geth, Clef, Foundry, and ethers write it.
///
/// The password is turned into a key by scrypt or PBKDF2, which decrypts the account's key with AES-128-CTR. The file
/// sets how much time and memory that takes, so both have a limit.
#[derive(Deserialize)]
struct Keystore {
    version: u64,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    #[serde(with = "const_hex")]
    ciphertext: Vec<u8>,
    kdf: String,
    kdfparams: KdfParams,
    #[serde(with = "const_hex")]
    mac: [u8; 32],
}

#[derive(Deserialize)]
struct CipherParams {
    #[serde(with = "const_hex")]
    iv: [u8; 16],
}

/// The parameters of both functions.
#[derive(Deserialize)]
pub(super) struct KdfParams {
    pub(super) dklen: u32,
    #[serde(with = "const_hex")]
    pub(super) salt: Vec<u8>,
    pub(super) n: Option<u64>,
    pub(super) r: Option<u32>,
    pub(super) p: Option<u32>,
    pub(super) c: Option<u32>,
    pub(super) prf: Option<String>,
}

/// Reads the key of an account. Without a file of its password, the user is asked.
///
/// # Errors
/// See [`KeystoreError`].
pub(crate) fn keystore_key(path: &Path, password_file: Option<&Path>) -> Result<AccountKey, KeystoreError> {
    read_keystore(path, &password(password_file)?)
}

/// Decrypts the key of an account.
///
/// # Errors
/// See [`KeystoreError`].
pub(super) fn read_keystore(path: &Path, password: &str) -> Result<AccountKey, KeystoreError> {
    let read = vipnode_files::read_text(path, FILE_BYTES);
    let text = Zeroizing::new(read.map_err(|error| KeystoreError::Read { path: path.to_owned(), error })?);
    decrypt(&text, password)
}

fn decrypt(text: &str, password: &str) -> Result<AccountKey, KeystoreError> {
    let form = |why: &str| KeystoreError::Form { why: why.to_owned() };
    let Keystore { version, crypto } = serde_json::from_str(text).map_err(|error| form(&error.to_string()))?;
    if version != 3 {
        return Err(form(&format!("it has version {version}, not 3")));
    }
    if crypto.cipher != "aes-128-ctr" {
        return Err(form("its cipher is not aes-128-ctr"));
    }
    let mut secret = Zeroizing::new([0; 32]);
    if crypto.ciphertext.len() != secret.len() {
        return Err(form("its ciphertext is not 32 bytes long"));
    }
    let derived = derive(&crypto.kdf, &crypto.kdfparams, password)?;
    let [cipher_key, mac_key] = halves(&derived);
    let mut checked = mac_key.to_vec();
    checked.extend_from_slice(&crypto.ciphertext);
    if keccak256(&checked).0 != crypto.mac {
        return Err(KeystoreError::Password);
    }
    secret.copy_from_slice(&crypto.ciphertext);
    Ctr128BE::<Aes128>::new(&cipher_key.into(), &crypto.cipherparams.iv.into()).apply_keystream(secret.as_mut_slice());
    AccountKey::from_bytes(*secret).map_err(|_| form("its content is not a valid key"))
}

/// The key for the cipher, and the one for the checksum.
pub(super) fn halves(derived: &[u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (half, bytes) in halves.iter_mut().zip(derived.chunks_exact(16)) {
        half.copy_from_slice(bytes);
    }
    halves
}

/// Whether scrypt would take too much memory or time. It keeps n + p blocks of 128 × r bytes, and two more while it mixes
/// them.
const fn is_costly(n: u64, r: u64, p: u64) -> bool {
    let memory = n.saturating_add(p).saturating_add(2).saturating_mul(r).saturating_mul(128);
    let work = n.saturating_mul(r).saturating_mul(p);
    memory > MOST_MEMORY || work > MOST_WORK
}

/// The key that a password stands for.
pub(super) fn derive(kdf: &str, params: &KdfParams, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let form = |why: &str| KeystoreError::Form { why: why.to_owned() };
    let mut derived = Zeroizing::new([0; 32]);
    if params.dklen != 32 {
        return Err(form("its dklen is not 32"));
    }
    match kdf {
        "scrypt" => {
            let (Some(n), Some(r), Some(p)) = (params.n, params.r, params.p) else {
                return Err(form("n, r, or p is missing"));
            };
            if is_costly(n, u64::from(r), u64::from(p)) {
                return Err(KeystoreError::Costly { most_mib: MOST_MEMORY >> 20 });
            }
            let log_n = u8::try_from(n.trailing_zeros()).ok().filter(|_| n.is_power_of_two());
            let log_n = log_n.ok_or_else(|| form("n is not a power of two"))?;
            let range = || form("n, r, or p is out of range");
            let cost = scrypt::Params::new(log_n, r, p, derived.len()).map_err(|_| range())?;
            scrypt::scrypt(password.as_bytes(), &params.salt, &cost, derived.as_mut_slice()).map_err(|_| range())?;
        }
        "pbkdf2" => {
            let Some(rounds) = params.c.filter(|_| params.prf.as_deref() == Some("hmac-sha256")) else {
                return Err(form("c is missing, or its prf is not hmac-sha256"));
            };
            if rounds > MOST_ITERATIONS {
                return Err(KeystoreError::Costly { most_mib: MOST_MEMORY >> 20 });
            }
            pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &params.salt, rounds, derived.as_mut_slice());
        }
        other => return Err(form(&format!("its kdf is {}", vipnode_types::sanitize(other, 32)))),
    }
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the definition of Web3 Secret Storage.
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    /// Written by ethers 6.
    const SCRYPT: &str = r#"{"address":"008aeeda4d805471df9b2a5b0f38a0c3bcba786b","Crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"8fd07d67d6389dfbf8dd041d3bc3b4bd"},"ciphertext":"c6a7134c7023a87fafa42ebd64f0a589234341a6c0aea725e66269a715d06f9a","kdf":"scrypt","kdfparams":{"salt":"046e3c205cd7434217eeccf2178ff17d8cd175b1b857b4cd94bde46ee9c29598","n":4096,"dklen":32,"p":1,"r":8},"mac":"92b581a593078b5ba41f3e905af138e7ea951d9e53450e678dd436c2a4a4e850"},"id":"ecfae7e5-af8b-4bac-b365-29b381b1aa1e","version":3}"#;

    /// [`SCRYPT`] with other values of n, r, and p.
    fn with_cost((n, r, p): (&str, &str, &str)) -> String {
        let text = SCRYPT.replace("\"n\":4096", &format!("\"n\":{n}")).replace("\"p\":1", &format!("\"p\":{p}"));
        text.replace("\"r\":8", &format!("\"r\":{r}"))
    }

    #[test]
    fn keystores_of_other_programs_are_read() {
        let secret = const_hex::decode("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d").unwrap();
        let account = AccountKey::from_bytes(secret.try_into().unwrap()).unwrap().account();
        for text in [PBKDF2, SCRYPT, &SCRYPT.replace("\"Crypto\"", "\"crypto\"")] {
            assert_eq!(decrypt(text, "testpassword").unwrap().account(), account);
        }
        assert!(matches!(decrypt(PBKDF2, "other"), Err(KeystoreError::Password)));
    }

    #[test]
    fn a_file_that_would_cost_too_much_or_is_none_is_refused_at_once() {
        let (usual, none) = (("4096", "8", "1"), ("0", "0", "0"));
        for (n, r, p) in [
            ("1073741824", "8", "1"),
            ("4096", "4000000000", "1"),
            // Much memory for the first n blocks, for the p blocks, or only for both together.
            ("2048", "4097", "1"),
            ("2", "100000", "80"),
            ("2", "2500000", "2"),
            // Little memory and much work.
            ("262144", "8", "16"),
            ("4096", "8", "800"),
        ] {
            let text = with_cost((n, r, p));
            assert!(matches!(decrypt(&text, "x"), Err(KeystoreError::Costly { .. })), "{n} {r} {p}");
        }
        assert_eq!(with_cost(usual), SCRYPT);
        assert!(!is_costly(1 << 18, 8, 1) && !is_costly(1 << 20, 8, 1) && !is_costly(1 << 12, 8, 6), "other wallets'");
        assert!(matches!(decrypt(&with_cost(none), "x"), Err(KeystoreError::Form { .. })));
        let text = PBKDF2.replace("262144", "4000000000");
        assert!(matches!(decrypt(&text, "x"), Err(KeystoreError::Costly { .. })));
        for (from, to) in [
            ("\"version\":3", "\"version\":1"),
            ("aes-128-ctr", "aes-256-ctr"),
            ("\"kdf\":\"scrypt\"", "\"kdf\":\"argon\""),
            ("\"dklen\":32", "\"dklen\":64"),
            ("4096", "4097"),
            ("4096", "0"),
            ("\"r\":8", "\"r\":0"),
            ("\"ciphertext\":\"", "\"ciphertext\":\"00"),
            ("\"iv\":\"", "\"iv\":\"zz"),
            ("{", ""),
        ] {
            assert!(matches!(decrypt(&SCRYPT.replacen(from, to, 1), "x"), Err(KeystoreError::Form { .. })), "{to}");
        }
    }
}
