//! Signed calls of protocol 3: `params = [object, envelope]`.
//!
//! The agent's key signs the bytes of the object as they stand in the frame, so nothing is ever
//! marshaled again to be verified. On a WebSocket only `vipnode_connect` is signed
//! and its nonce is the challenge of the 101 response; over HTTP every call is, and its nonce is a
//! decimal number of milliseconds that grows from call to call.
//!
//! The digest is keccak256 of these lines, joined by `\n`: `vipnode/3 call`, method, audience,
//! nonce, node id in hex, then the raw object.

use serde::{Deserialize, Serialize};

use crate::{AgentKey, Delegation, DelegationError, Ms, errors, id::Keccak256, text_form::hex_bytes};

/// The signature of one call. It identifies the caller and the pool, and the nonce makes it valid only once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The node's statement that this agent may act for it. It contains the node ID and the agent's key.
    pub delegation: Delegation,
    /// The pool's URL as the agent knows it: a signature for one pool is not valid at another.
    pub audience: String,
    /// The challenge; over HTTP, a number that increases with each call.
    pub nonce: String,
    /// The signature by the agent's key.
    pub signature: Signature,
}

/// An ECDSA signature over secp256k1, R‖S, 128 hex characters on the wire.
///
/// ```
/// use vipnode_types::signed::Signature;
///
/// let signature: Signature = "ab".repeat(64).parse()?;
/// assert_eq!(signature.as_bytes(), &[0xab; 64]);
/// assert!("ab".parse::<Signature>().is_err());
/// # Ok::<(), vipnode_types::HexError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

hex_bytes!(Signature, 64, "a signature");

errors! {
    /// Why an [`Envelope`] is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum EnvelopeError {
        /// The call was signed with a different key, or changed after it was signed.
        Signature: Unauthorized, "the agent's signature does not match this object, method, audience, and nonce",
            hint "Run `vipnode link`: the agent's key file and its delegation must belong together.";
    }
    also {
        /// The agent may not speak for the node.
        Delegation(DelegationError);
    }
}

impl Envelope {
    /// Signs the raw JSON of a params object.
    ///
    /// ```
    /// use vipnode_types::{AgentKey, Delegation, Ms, NodeKey, signed::{Envelope, EnvelopeError}};
    ///
    /// let (node, agent) = (NodeKey::read(&[1; 32])?, AgentKey::from_random([2; 32])?);
    /// let delegation = Delegation::sign(&node, agent.public(), Ms::new(1_000), Ms::new(9_000));
    /// let (method, params) = ("vipnode_ask", r#"{"want":2}"#);
    /// let envelope = Envelope::sign(&agent, delegation, method, "wss://pool.example/", "1600000000000", params);
    /// assert_eq!(envelope.verify(Ms::new(5_000), method, params), Ok(()));
    /// // The raw text is signed: the same JSON with a space is another text.
    /// let spaced = r#"{"want": 2}"#;
    /// assert_eq!(envelope.verify(Ms::new(5_000), method, spaced), Err(EnvelopeError::Signature));
    /// # Ok::<(), vipnode_types::NodeKeyError>(())
    /// ```
    #[must_use]
    pub fn sign(key: &AgentKey, delegation: Delegation, method: &str, audience: &str, nonce: &str, raw: &str) -> Self {
        let digest = digest(method, audience, nonce, &delegation, raw);
        Self {
            delegation,
            audience: audience.to_owned(),
            nonce: nonce.to_owned(),
            signature: Signature(key.sign(digest)),
        }
    }

    /// Checks both signatures over the raw JSON of the params object, as received. The caller checks audience and nonce.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn verify(&self, now: Ms, method: &str, raw: &str) -> Result<(), EnvelopeError> {
        self.verify_agent(method, raw)?;
        Ok(self.delegation.verify(now)?)
    }

    /// The first half of [`Envelope::verify`]: checks that the agent signed this, not whether its delegation permits it.
    ///
    /// # Errors
    /// [`EnvelopeError::Signature`].
    pub fn verify_agent(&self, method: &str, raw: &str) -> Result<(), EnvelopeError> {
        let digest = digest(method, &self.audience, &self.nonce, &self.delegation, raw);
        let holds = self.delegation.agent.verifies(digest, &self.signature.0);
        holds.then_some(()).ok_or(EnvelopeError::Signature)
    }
}

fn digest(method: &str, audience: &str, nonce: &str, delegation: &Delegation, raw: &str) -> [u8; 32] {
    let mut hasher = Keccak256::default();
    for line in ["vipnode/3 call", method, audience, nonce, &delegation.node.to_string()] {
        hasher.update(line);
        hasher.update("\n");
    }
    hasher.update(raw);
    hasher.finish()
}

impl Signature {
    /// R‖S.
    #[must_use]
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// R‖S.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeKey;

    fn signed(raw: &str) -> Envelope {
        let agent = AgentKey::from_random([9; 32]).unwrap();
        let node = NodeKey::read(&[7; 32]).unwrap();
        let delegation = Delegation::sign(&node, agent.public(), Ms::new(1), Ms::new(1_000));
        Envelope::sign(&agent, delegation, "vipnode_connect", "ws://pool/", "c0ffee", raw)
    }

    /// Made by this code on 2026-11-23; a change of it breaks every agent in the field.
    #[test]
    fn golden_vector() {
        assert_eq!(
            const_hex::encode(signed(r#"{"a":1}"#).signature.as_bytes()),
            "3001e7a7e5e3ef90c152329b65a2031e8792ec2905d01960592873748722638b6ba2895ee1882a0f49b3168d4949db85d7cbea4566d0a4d4bf4aa97a169c4332"
        );
    }

    #[test]
    fn covers_every_byte_and_every_field() {
        let raw = r#"{"a": 1}"#;
        let good = signed(raw);
        let verify = |envelope: &Envelope, raw| envelope.verify(Ms::new(5), "vipnode_connect", raw);
        assert_eq!(verify(&good, raw), Ok(()));
        assert_eq!(verify(&good, r#"{"a":1}"#), Err(EnvelopeError::Signature));
        assert_eq!(good.verify(Ms::new(5), "vipnode_ask", raw), Err(EnvelopeError::Signature));
        let elsewhere = Envelope { audience: "ws://other/".into(), ..good.clone() };
        assert_eq!(verify(&elsewhere, raw), Err(EnvelopeError::Signature));
        let again = Envelope { nonce: "c0ffef".into(), ..good.clone() };
        assert_eq!(verify(&again, raw), Err(EnvelopeError::Signature));
        assert_eq!(
            good.verify(Ms::new(1_000), "vipnode_connect", raw),
            Err(EnvelopeError::Delegation(DelegationError::Expired))
        );
    }

    #[test]
    fn d1_a_short_signature_is_an_error_and_no_panic() {
        for text in ["\"\"", "\"00\"", "\"zz\"", "5", "null"] {
            assert!(serde_json::from_str::<Signature>(text).is_err());
        }
        assert!(serde_json::from_str::<Signature>(&format!("\"{}\"", "00".repeat(63))).is_err());
    }
}
