use std::fmt;

use secp256k1::{PublicKey, SecretKey, ecdsa};
use zeroize::Zeroizing;

use super::{
    MeterId,
    node_key::{NodeKeyError, verifies},
    signed::Signature,
};
use crate::{
    Account,
    id::{Keccak256, keccak256},
    text_form::hex_bytes,
};

/// The secret key of a pool, made at its first start with a data directory.
pub struct PoolKey(SecretKey);

/// The id of a pool: the public half of its [`PoolKey`], a compressed secp256k1 point, 66 hex characters on the wire.
///
/// It is in the header [`crate::wire::POOL_ID_HEADER`] of the 101 response, in [`crate::wire::ConnectReply::pool_id`], and in
/// [`crate::wire::PoolStatus::pool_id`]. Anyone can copy an id, so the header [`crate::wire::POOL_PROOF_HEADER`] proves that
/// the pool has the key. A pool without a data directory has no id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId([u8; 33]);

hex_bytes!(PoolId, 33, "a pool id");

impl PoolKey {
    /// The key made of 32 random bytes.
    ///
    /// # Errors
    /// [`NodeKeyError::Range`] for the few values that are not a key: draw again.
    pub fn from_random(bytes: [u8; 32]) -> Result<Self, NodeKeyError> {
        SecretKey::from_secret_bytes(bytes).map(Self).map_err(|_| NodeKeyError::Range)
    }

    /// Reads what [`PoolKey::to_hex`] wrote.
    ///
    /// # Errors
    /// See [`NodeKeyError`].
    pub fn read(file: &[u8]) -> Result<Self, NodeKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        const_hex::decode_to_slice(file.trim_ascii(), bytes.as_mut_slice()).map_err(|_| NodeKeyError::Form)?;
        Self::from_random(*bytes)
    }

    /// 64 hex characters for the key file, which only its owner may read.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(const_hex::encode(self.0.to_secret_bytes()))
    }

    /// The public half.
    #[must_use]
    pub fn id(&self) -> PoolId {
        PoolId(PublicKey::from_secret_key(&self.0).serialize())
    }

    /// Proves to the other end of a WebSocket that this pool has the key: a signature over the challenge of its 101
    /// response.
    ///
    /// ```
    /// use vipnode_types::PoolKey;
    ///
    /// let key = PoolKey::from_random([7; 32])?;
    /// let proof = key.prove("c0ffee");
    /// assert!(key.id().proved_by(&proof, "c0ffee"));
    /// assert!(!key.id().proved_by(&proof, "c0ffef"));
    /// # Ok::<(), vipnode_types::NodeKeyError>(())
    /// ```
    #[must_use]
    pub fn prove(&self, challenge: &str) -> Signature {
        self.sign(digest(challenge))
    }

    /// Signs the text of a page of a daily statement.
    pub(crate) fn sign_statement(&self, text: &str) -> Signature {
        self.sign(statement_digest(text))
    }

    /// Returns a name for the meter of a payer: the hash of a signature over the account. Nobody else can compute it from the
    /// account, but the pool can show that signature to prove whose meter it is.
    ///
    /// ```
    /// use vipnode_types::{Account, PoolKey};
    ///
    /// let key = PoolKey::from_random([7; 32])?;
    /// assert_eq!(key.meter_of(&Account::new([1; 20])), key.meter_of(&Account::new([1; 20])));
    /// assert_ne!(key.meter_of(&Account::new([1; 20])), key.meter_of(&Account::new([2; 20])));
    /// # Ok::<(), vipnode_types::NodeKeyError>(())
    /// ```
    #[must_use]
    pub fn meter_of(&self, payer: &Account) -> MeterId {
        let signature = self.sign(digest_of("vipnode/3 meter\n", &payer.to_string()));
        MeterId::of_hash(&keccak256(signature.as_bytes()).0)
    }

    pub(super) fn sign(&self, digest: [u8; 32]) -> Signature {
        Signature::new(ecdsa::sign(secp256k1::Message::from_digest(digest), &self.0).serialize_compact())
    }
}

impl PoolId {
    /// The first 12 characters, for people.
    ///
    /// ```
    /// let id = vipnode_types::PoolKey::from_random([7; 32])?.id();
    /// assert!(id.to_string().starts_with(&id.short()) && id.short().len() == 12);
    /// # Ok::<(), vipnode_types::NodeKeyError>(())
    /// ```
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }

    /// Whether `proof` was made by [`PoolKey::prove`] with this pool's key, for this challenge.
    #[must_use]
    pub fn proved_by(&self, proof: &Signature, challenge: &str) -> bool {
        self.verifies(digest(challenge), proof)
    }

    /// Whether this pool signed the text of a page of a daily statement.
    pub(crate) fn signed_statement(&self, text: &str, signature: &Signature) -> bool {
        self.verifies(statement_digest(text), signature)
    }

    pub(super) fn verifies(&self, digest: [u8; 32], signature: &Signature) -> bool {
        let key = PublicKey::from_byte_array_compressed(self.0);
        key.is_ok_and(|key| verifies(&key, digest, signature.as_bytes()))
    }
}

/// keccak256 of the lines `vipnode/3 pool` and the challenge, joined by `\n`.
fn digest(challenge: &str) -> [u8; 32] {
    digest_of("vipnode/3 pool\n", challenge)
}

/// keccak256 of the line `vipnode/3 daily statement` and the text.
fn statement_digest(text: &str) -> [u8; 32] {
    digest_of("vipnode/3 daily statement\n", text)
}

fn digest_of(purpose: &str, text: &str) -> [u8; 32] {
    let mut hasher = Keccak256::default();
    hasher.update(purpose);
    hasher.update(text);
    hasher.finish()
}

impl fmt::Debug for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolKey(of {:?})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_shows_nothing_of_itself() {
        let key = PoolKey::from_random([9; 32]).unwrap();
        let text = key.to_hex();
        assert_eq!(PoolKey::read(format!("{}\n", *text).as_bytes()).unwrap().id(), key.id());
        assert_eq!(PoolKey::read(b"09").unwrap_err(), NodeKeyError::Form);
        assert_eq!(PoolKey::from_random([0; 32]).unwrap_err(), NodeKeyError::Range);
        assert!(!format!("{key:?}").contains(&**text));
    }

    #[test]
    fn a_proof_holds_for_one_key_and_one_challenge() {
        let (key, other) = (PoolKey::from_random([1; 32]).unwrap(), PoolKey::from_random([2; 32]).unwrap());
        let proof = key.prove("challenge");
        assert!(key.id().proved_by(&proof, "challenge"));
        assert!(!key.id().proved_by(&proof, "another"));
        assert!(!other.id().proved_by(&proof, "challenge"));
        assert!(!PoolId([0; 33]).proved_by(&proof, "challenge"), "not a key");
    }
}
