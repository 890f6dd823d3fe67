use std::fmt;

use secp256k1::{PublicKey, SecretKey};

use super::{
    account_signature::{AccountSignature, personal_digest},
    node_key::NodeKeyError,
};
use crate::{Account, Hash256, keccak256};

/// The secret key of an [`Account`], read from a keystore for one signature.
pub struct AccountKey(SecretKey);

impl AccountKey {
    /// The key of these 32 bytes.
    ///
    /// # Errors
    /// [`NodeKeyError::Range`] for the few values that are not a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, NodeKeyError> {
        SecretKey::from_secret_bytes(bytes).map(Self).map_err(|_| NodeKeyError::Range)
    }

    /// The address of the account.
    #[must_use]
    pub fn account(&self) -> Account {
        address(&PublicKey::from_secret_key(&self.0))
    }

    /// Signs a text as a wallet does (EIP-191, `personal_sign`).
    #[must_use]
    pub fn sign(&self, text: &str) -> AccountSignature {
        AccountSignature::of_digest(personal_digest(&[text]), &self.0)
    }

    /// Signs the hash of a transaction. Returns R, S, and whether Y is odd.
    ///
    /// The caller has built what the hash is of: a hash from another party could be one of anything.
    #[must_use]
    pub fn sign_transaction(&self, hash: Hash256) -> ([u8; 32], [u8; 32], bool) {
        AccountSignature::of_digest(hash.0, &self.0).parts()
    }

    pub(crate) fn sign_digest(&self, digest: [u8; 32]) -> AccountSignature {
        AccountSignature::of_digest(digest, &self.0)
    }
}

/// The last 20 bytes of the key's hash.
pub(crate) fn address(key: &PublicKey) -> Account {
    let [_, point @ ..] = key.serialize_uncompressed();
    let [_, _, _, _, _, _, _, _, _, _, _, _, bytes @ ..] = keccak256(point).0;
    Account::new(bytes)
}

impl Drop for AccountKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey(of {})", self.account())
    }
}
