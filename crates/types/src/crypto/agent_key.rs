use std::fmt;

use secp256k1::{PublicKey, SecretKey, ecdsa};
use zeroize::Zeroizing;

use super::{
    account_key::address,
    account_signature::AccountSignature,
    node_key::{NodeKeyError, verifies},
};
use crate::{Account, text_form::hex_bytes};

/// The secret key of an agent. A node delegates to it, so that the node's own key file need not
/// stay readable.
pub struct AgentKey(SecretKey);

/// The public half of an [`AgentKey`]: a compressed secp256k1 point, 66 hex characters on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentPublic([u8; 33]);

hex_bytes!(AgentPublic, 33, "an agent key");

impl AgentKey {
    /// The key made of 32 random bytes.
    ///
    /// # Errors
    /// [`NodeKeyError::Range`] for the few values that are not a key: draw again.
    pub fn from_random(bytes: [u8; 32]) -> Result<Self, NodeKeyError> {
        SecretKey::from_secret_bytes(bytes).map(Self).map_err(|_| NodeKeyError::Range)
    }

    /// Reads what [`AgentKey::to_hex`] wrote.
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
    pub fn public(&self) -> AgentPublic {
        AgentPublic(PublicKey::from_secret_key(&self.0).serialize())
    }

    /// The address of the key: the payer authorizer of the channels that its vouchers are for.
    #[must_use]
    pub fn account(&self) -> Account {
        address(&PublicKey::from_secret_key(&self.0))
    }

    pub(crate) fn sign_digest(&self, digest: [u8; 32]) -> AccountSignature {
        AccountSignature::of_digest(digest, &self.0)
    }

    pub(crate) fn sign(&self, digest: [u8; 32]) -> [u8; 64] {
        ecdsa::sign(secp256k1::Message::from_digest(digest), &self.0).serialize_compact()
    }
}

impl AgentPublic {
    /// The key of these bytes, which are not checked: no signature verifies if they are not a point.
    #[must_use]
    pub const fn new(bytes: [u8; 33]) -> Self {
        Self(bytes)
    }

    /// The 33 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The address of the key; `None` if the bytes are not a point.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        PublicKey::from_byte_array_compressed(self.0).ok().map(|key| address(&key))
    }

    pub(crate) fn verifies(&self, digest: [u8; 32], signature: &[u8; 64]) -> bool {
        PublicKey::from_byte_array_compressed(self.0).is_ok_and(|key| verifies(&key, digest, signature))
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey(of {:?})", self.public())
    }
}
