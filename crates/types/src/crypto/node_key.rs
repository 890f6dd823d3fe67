use std::fmt;

use secp256k1::{
    PublicKey, SecretKey,
    ecdsa::{self, RecoverableSignature},
};
use zeroize::Zeroizing;

use crate::{NodeId, errors, typed_text};

/// The secret key of a node. With protocol 3, it signs a [`crate::Delegation`] once and is then discarded; with protocol 2,
/// it signs each call.
pub struct NodeKey(SecretKey);

errors! {
    /// Why bytes are not a secret key. Never shows the bytes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum NodeKeyError {
        /// The file is not a node key, or it contains more than the key.
        Form: local,
            "a node key file must contain 64 hex characters (geth, reth, Besu) or 32 raw bytes (Nethermind)",
            hint "Pass the node's key file with --nodekey FILE (for geth, DATADIR/geth/nodekey).";
        /// The number is zero, or not below the order of the curve.
        Range: local, "these 32 bytes are not a valid secp256k1 secret key",
            hint "Pass the node's key file with --nodekey FILE (for geth, DATADIR/geth/nodekey).";
    }
}

impl NodeKey {
    /// Reads the key file of any execution client: 32 raw bytes, or 64 hex characters, also with `0x`, quotes, white space, and the
    /// byte order mark of an editor.
    ///
    /// # Errors
    /// See [`NodeKeyError`].
    pub fn read(file: &[u8]) -> Result<Self, NodeKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        if let Ok(raw) = <[u8; 32]>::try_from(file) {
            *bytes = raw;
        } else {
            let text = typed_text(str::from_utf8(file).map_err(|_| NodeKeyError::Form)?);
            let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
            const_hex::decode_to_slice(hex, bytes.as_mut_slice()).map_err(|_| NodeKeyError::Form)?;
        }
        SecretKey::from_secret_bytes(*bytes).map(Self).map_err(|_| NodeKeyError::Range)
    }

    /// The id of the node that this is the key of.
    #[must_use]
    pub fn id(&self) -> NodeId {
        let [_, id @ ..] = PublicKey::from_secret_key(&self.0).serialize_uncompressed();
        NodeId::new(id)
    }

    pub(crate) fn sign(&self, digest: [u8; 32]) -> [u8; 64] {
        ecdsa::sign(secp256k1::Message::from_digest(digest), &self.0).serialize_compact()
    }
}

impl NodeKey {
    /// R‖S‖V, V being 0 or 1.
    pub(crate) fn sign_recoverable(&self, digest: [u8; 32]) -> [u8; 65] {
        let signature = RecoverableSignature::sign_ecdsa_recoverable(secp256k1::Message::from_digest(digest), &self.0);
        let (recovery, compact) = signature.serialize_compact();
        let mut bytes = [0; 65];
        for (to, from) in bytes.iter_mut().zip(compact.into_iter().chain([recovery.to_u8()])) {
            *to = from;
        }
        bytes
    }
}

impl NodeId {
    /// Whether `signature` (R‖S) over `digest` was made by this node's key.
    pub(crate) fn verifies(&self, digest: [u8; 32], signature: &[u8; 64]) -> bool {
        let mut sec1 = [4; 65];
        sec1[1..].copy_from_slice(self.as_bytes());
        let Ok(key) = PublicKey::from_byte_array_uncompressed(sec1) else { return false };
        verifies(&key, digest, signature)
    }
}

/// Whether `signature` (R‖S) over `digest` is of `key`.
pub(crate) fn verifies(key: &PublicKey, digest: [u8; 32], signature: &[u8; 64]) -> bool {
    ecdsa::Signature::from_compact(signature)
        .is_ok_and(|signature| ecdsa::verify(&signature, secp256k1::Message::from_digest(digest), key).is_ok())
}

/// Protocol 2 keeps a key for as long as an agent runs; it does not stay in memory after.
impl Drop for NodeKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey(of {:?})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_files_of_all_clients() {
        let hex = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        let id = NodeKey::read(hex.as_bytes()).unwrap().id();
        assert_eq!(NodeKey::read(format!("0x{hex}\n").as_bytes()).unwrap().id(), id);
        assert_eq!(NodeKey::read(&const_hex::decode(hex).unwrap()).unwrap().id(), id);
        assert_eq!(NodeKey::read(format!("\u{feff}\"0x{hex}\"\r\n").as_bytes()).unwrap().id(), id);
        assert_eq!(NodeKey::read(b"0x12").unwrap_err(), NodeKeyError::Form);
        assert_eq!(NodeKey::read(&[0; 32]).unwrap_err(), NodeKeyError::Range);
        assert_eq!(NodeKey::read(&[]).unwrap_err(), NodeKeyError::Form);
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = NodeKey::read(&[7; 32]).unwrap();
        assert!(!format!("{key:?}").contains("0707"));
    }
}
