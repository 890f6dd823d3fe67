use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{NodeId, is_unprintable};

/// What members of a closed pool know. It never travels: a [`JoinProof`] does.
#[derive(Clone)]
pub struct JoinSecret(Zeroizing<String>);

/// Proof of a [`JoinSecret`] for one node and one nonce, as hex of an HMAC-SHA256.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct JoinProof(String);

impl JoinSecret {
    /// The secret without surrounding white space and invisible characters, such as a byte order mark; `None` if nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || is_unprintable(c));
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The proof for `node` under `nonce` (the nonce of the signed envelope that carries it).
    #[must_use]
    pub fn prove(&self, node: &NodeId, nonce: &str) -> JoinProof {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else {
            return JoinProof(String::new());
        };
        mac.update(b"vipnode/3 join\n");
        mac.update(node.as_bytes());
        mac.update(nonce.as_bytes());
        JoinProof(const_hex::encode(mac.finalize().into_bytes()))
    }

    /// Whether `proof` was made with this secret, in constant time.
    #[must_use]
    pub fn accepts(&self, proof: &JoinProof, node: &NodeId, nonce: &str) -> bool {
        let expected = self.prove(node, nonce);
        !expected.0.is_empty() && bool::from(expected.0.as_bytes().ct_eq(proof.0.as_bytes()))
    }
}

impl fmt::Debug for JoinSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinSecret(…)")
    }
}

impl fmt::Debug for JoinProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinProof(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_one_node_and_one_nonce() {
        let secret = JoinSecret::new(" open sesame\n").unwrap();
        let (a, b) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let proof = secret.prove(&a, "n1");
        assert!(secret.accepts(&proof, &a, "n1"));
        assert!(!secret.accepts(&proof, &a, "n2"));
        assert!(!secret.accepts(&proof, &b, "n1"));
        assert!(!JoinSecret::new("other").unwrap().accepts(&proof, &a, "n1"));
        assert!(JoinSecret::new("  ").is_none() && JoinSecret::new("\u{feff}\r\n").is_none());
        for text in ["\u{feff}open sesame\r\n", "\u{200b}open sesame\u{a0}", "open sesame\u{2060}"] {
            assert!(JoinSecret::new(text).unwrap().accepts(&proof, &a, "n1"), "{text:?}");
        }
        assert_eq!(format!("{secret:?}"), "JoinSecret(…)");
    }
}
