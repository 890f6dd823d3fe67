use std::{
    io,
    path::{Path, PathBuf},
};

use aes::Aes128;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use serde_json::json;
use vipnode_agent::random;
use vipnode_files::OpenDir;
use vipnode_types::{Account, AccountKey, keccak256};
use zeroize::Zeroizing;

use super::keystore::{KdfParams, derive, halves};
use crate::error::{CliError, KeystoreError};

/// The cost of scrypt in files that are written, as ethers sets it: 128 MiB, and about half a second.
const SCRYPT: (u64, u32, u32) = (1 << 17, 8, 1);
/// The cost for a key that protects nothing of value, as geth's `--lightkdf` sets it: 4 MiB, and a few hundredths of a second.
const LIGHT_SCRYPT: (u64, u32, u32) = (1 << 12, 8, 6);

/// A keystore with a new key, in the form that wallets read: Web3 Secret Storage, version 3.
pub(crate) struct NewKeystore {
    account: Account,
    text: Zeroizing<String>,
}

/// What is random in a keystore, apart from the key.
struct Salts {
    salt: [u8; 32],
    iv: [u8; 16],
    id: [u8; 16],
}

impl NewKeystore {
    /// Makes a key and encrypts it with a password.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub(crate) fn make(password: &str) -> Result<Self, CliError> {
        Self::make_with(password, SCRYPT)
    }

    /// Makes a key for a development chain, whose password is not worth guessing.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub(crate) fn make_light(password: &str) -> Result<Self, CliError> {
        Self::make_with(password, LIGHT_SCRYPT)
    }

    fn make_with(password: &str, cost: (u64, u32, u32)) -> Result<Self, CliError> {
        // Almost every value is a key.
        loop {
            let secret = random::bytes()?;
            if AccountKey::from_bytes(*secret).is_ok() {
                return Self::import_with(&secret, password, cost);
            }
        }
    }

    /// Encrypts an existing key with a password.
    ///
    /// # Errors
    /// The bytes are not a key, or the system has no random bytes.
    pub(crate) fn import(secret: &[u8; 32], password: &str) -> Result<Self, CliError> {
        Self::import_with(secret, password, SCRYPT)
    }

    fn import_with(secret: &[u8; 32], password: &str, cost: (u64, u32, u32)) -> Result<Self, CliError> {
        let account = AccountKey::from_bytes(*secret)?.account();
        let (salt, rest) = (*random::bytes()?, *random::bytes()?);
        let [iv, id] = halves(&rest);
        Ok(Self::encrypt(secret, account, password, &Salts { salt, iv, id }, cost)?)
    }

    fn encrypt(
        secret: &[u8; 32],
        account: Account,
        password: &str,
        Salts { salt, iv, id }: &Salts,
        (n, r, p): (u64, u32, u32),
    ) -> Result<Self, KeystoreError> {
        let params =
            KdfParams { dklen: 32, salt: salt.to_vec(), n: Some(n), r: Some(r), p: Some(p), c: None, prf: None };
        let derived = derive("scrypt", &params, password)?;
        let [cipher_key, mac_key] = halves(&derived);
        let mut ciphertext = *secret;
        Ctr128BE::<Aes128>::new(&cipher_key.into(), iv.into()).apply_keystream(&mut ciphertext);
        let mac = keccak256([mac_key.as_slice(), &ciphertext].concat()).0;
        let hex = |bytes: &[u8]| const_hex::encode(bytes);
        let keystore = json!({
            "address": hex(account.as_bytes()),
            "crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": { "iv": hex(iv) },
                "ciphertext": hex(&ciphertext),
                "kdf": "scrypt",
                "kdfparams": { "dklen": 32, "n": n, "p": p, "r": r, "salt": hex(salt) },
                "mac": hex(&mac),
            },
            "id": uuid(*id),
            "version": 3,
        });
        Ok(Self { account, text: Zeroizing::new(keystore.to_string()) })
    }

    /// The address of the account.
    pub(crate) const fn account(&self) -> Account {
        self.account
    }

    /// Writes the file, which only this user can read, into a directory that exists. Durable when this returns.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`], [`KeystoreError::NoDirectory`], [`KeystoreError::Write`].
    pub(crate) fn write(&self, path: &Path) -> Result<(), KeystoreError> {
        let failed = |error| KeystoreError::Write { path: path.to_owned(), error };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        let dir = open_directory_of(path)?;
        match dir.open_file(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Err(KeystoreError::Exists { path: path.to_owned() }),
        }
        dir.replace_file(name, self.text.as_bytes()).map(drop).map_err(failed)
    }
}

/// Opens the directory of a new keystore, which is not created: a user who mistyped its name would not find the key again.
///
/// # Errors
/// [`KeystoreError::NoDirectory`], [`KeystoreError::Write`].
pub(crate) fn open_directory_of(path: &Path) -> Result<OpenDir, KeystoreError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    OpenDir::open(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeystoreError::NoDirectory { dir: dir.to_owned() },
        _ => KeystoreError::Write { path: path.to_owned(), error },
    })
}

/// The random bytes as a UUID of version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = const_hex::encode(bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

/// Where a keystore is written by default: `$XDG_DATA_HOME/vipnode/keystore`, else `~/.local/share/vipnode/keystore`, in a file
/// named after the account. The directory is created.
///
/// # Errors
/// [`KeystoreError::NoHome`], [`KeystoreError::Write`].
pub(crate) fn default_path(account: &Account) -> Result<PathBuf, KeystoreError> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::choose_base_strategy().map_err(|_no_home| KeystoreError::NoHome)?;
    let dir = strategy.data_dir().join("vipnode").join("keystore");
    let path = dir.join(format!("{account}.json"));
    OpenDir::create(&dir).map_err(|error| KeystoreError::Write { path: path.clone(), error })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;
    use crate::account::keystore::read_keystore;

    const SALTS: Salts = Salts { salt: [1; 32], iv: [2; 16], id: [0xff; 16] };

    fn keystore() -> (AccountKey, NewKeystore) {
        let key = AccountKey::from_bytes([7; 32]).unwrap();
        let made = NewKeystore::encrypt(&[7; 32], key.account(), "a password", &SALTS, (4_096, 8, 1)).unwrap();
        (key, made)
    }

    #[test]
    fn what_is_written_is_read_with_the_password_only_and_is_not_overwritten() {
        let (key, made) = keystore();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("wallet.json");
        let missing = made.write(&path).unwrap_err();
        assert!(matches!(&missing, KeystoreError::NoDirectory { .. }), "{missing}");
        assert!(missing.hint().unwrap().contains("mkdir -p") && !dir.path().join("new").exists(), "{missing}");
        std::fs::create_dir(dir.path().join("new")).unwrap();
        made.write(&path).unwrap();
        assert_eq!(read_keystore(&path, "a password").unwrap().account(), key.account());
        assert!(matches!(read_keystore(&path, "a passwort"), Err(KeystoreError::Password)));
        assert!(matches!(made.write(&path), Err(KeystoreError::Exists { .. })));
        assert!(matches!(made.write(&dir.path().join("new")), Err(KeystoreError::Exists { .. })), "a directory");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn the_file_names_the_account_and_has_an_id_of_version_4() {
        let (key, made) = keystore();
        let json: serde_json::Value = serde_json::from_str(&made.text).unwrap();
        assert_eq!(format!("0x{}", json["address"].as_str().unwrap()), key.account().to_string().to_lowercase());
        assert_eq!(json["id"], "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(!made.text.contains(&const_hex::encode([7; 32])));
    }

    #[test]
    fn each_key_is_another_one() {
        let [one, other] = [(); 2].map(|()| NewKeystore::make("x").unwrap());
        assert_ne!(one.account(), other.account());
    }
}
