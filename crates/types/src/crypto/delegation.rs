use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{AgentPublic, Ms, NodeId, NodeKey, errors, keccak256, signed::Signature};

/// A node's statement that an agent may act for it until a given time. Signed by the node key.
///
/// A pool stores the newest `issued_ms` of each node and refuses older ones, so a new delegation revokes all earlier
/// ones there. No pool accepts one that is older than 366 days, so the pool does not have to remember it for longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The node that delegates.
    pub node: NodeId,
    /// The agent that may act for the node.
    pub agent: AgentPublic,
    /// The time at which the delegation was signed.
    pub issued_ms: Ms,
    /// The time at which the delegation expires: at most 366 days after `issued_ms`.
    pub expires_ms: Ms,
    /// The signature by the node key.
    pub signature: Signature,
}

errors! {
    /// Why a [`Delegation`] is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum DelegationError {
        /// The delegation was signed with a different key, or changed after it was signed.
        Signature: Unauthorized, "the delegation was not signed by the node that it names",
            hint "Run `vipnode link` to delegate again.";
        /// A delegation is valid for at most 366 days, and this one was not renewed in time.
        Expired: Unauthorized, "the delegation has expired", hint "Run `vipnode link` to delegate again.";
        /// The clock of the machine that signed the delegation was more than five minutes ahead, or this machine's
        /// clock is behind.
        Future: Unauthorized, "the delegation was issued in the future",
            hint "Set this machine's clock (timedatectl), then run `vipnode link`.";
        /// A part of the text was lost when it was copied.
        Text: local, "this is not the complete text that `vipnode link --agent` printed",
            hint "Copy all of the text that `vipnode link --agent` printed.";
    }
}

/// One word, to be carried to another machine: base64 (URL-safe, without padding) of the JSON.
impl fmt::Display for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

/// Reads what [`Delegation`] prints; the signature is not checked, see [`Delegation::verify`].
impl FromStr for Delegation {
    type Err = DelegationError;

    fn from_str(text: &str) -> Result<Self, DelegationError> {
        if text.len() > MAX_TEXT {
            return Err(DelegationError::Text);
        }
        let json = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| DelegationError::Text)?;
        serde_json::from_slice(&json).map_err(|_| DelegationError::Text)
    }
}

/// The limit on the text of a delegation, in bytes.
const MAX_TEXT: usize = 2_048;

/// How far a signer's clock may be ahead, in milliseconds.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;

impl Delegation {
    /// How long a delegation holds at most, in milliseconds, whatever end it names.
    pub const LONGEST_MS: u64 = 366 * 24 * 60 * 60 * 1000;

    /// Signs a delegation to `agent` with the node's key.
    ///
    /// ```
    /// use vipnode_types::{AgentKey, Delegation, DelegationError, Ms, NodeKey};
    ///
    /// let node = NodeKey::read(&[1; 32])?;
    /// let agent = AgentKey::from_random([2; 32])?;
    /// let delegation = Delegation::sign(&node, agent.public(), Ms::new(1_000), Ms::new(9_000));
    /// // One word for another machine, and back.
    /// let carried: Delegation = delegation.to_string().parse()?;
    /// assert_eq!(carried.verify(Ms::new(5_000)), Ok(()));
    /// assert_eq!(carried.verify(Ms::new(9_000)), Err(DelegationError::Expired));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign(key: &NodeKey, agent: AgentPublic, issued_ms: Ms, expires_ms: Ms) -> Self {
        let node = key.id();
        let digest = digest(&node, &agent, issued_ms, expires_ms);
        Self { node, agent, issued_ms, expires_ms, signature: Signature::new(key.sign(digest)) }
    }

    /// When a delegation that was signed at this time ends at the latest.
    #[must_use]
    pub const fn longest(issued: Ms) -> Ms {
        issued.plus(Self::LONGEST_MS)
    }

    /// Checks the signature and both dates.
    ///
    /// # Errors
    /// See [`DelegationError`].
    pub fn verify(&self, now: Ms) -> Result<(), DelegationError> {
        if now >= self.expires_ms.min(Self::longest(self.issued_ms)) {
            return Err(DelegationError::Expired);
        }
        if self.issued_ms > now.plus(MAX_AHEAD_MS) {
            return Err(DelegationError::Future);
        }
        let digest = digest(&self.node, &self.agent, self.issued_ms, self.expires_ms);
        if self.node.verifies(digest, self.signature.as_bytes()) { Ok(()) } else { Err(DelegationError::Signature) }
    }
}

fn digest(node: &NodeId, agent: &AgentPublic, issued: Ms, expires: Ms) -> [u8; 32] {
    let mut text = b"vipnode/3 delegation\n".to_vec();
    text.extend_from_slice(node.as_bytes());
    text.extend_from_slice(agent.as_bytes());
    text.extend_from_slice(&issued.get().to_be_bytes());
    text.extend_from_slice(&expires.get().to_be_bytes());
    keccak256(text).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AgentKey;

    fn keys() -> (NodeKey, AgentPublic) {
        (NodeKey::read(&[7; 32]).unwrap(), AgentKey::from_random([9; 32]).unwrap().public())
    }

    #[test]
    fn holds_until_it_expires() {
        let (node, agent) = keys();
        let delegation = Delegation::sign(&node, agent, Ms::new(1000), Ms::new(2000));
        assert_eq!(delegation.verify(Ms::new(1999)), Ok(()));
        assert_eq!(delegation.verify(Ms::new(2000)), Err(DelegationError::Expired));
    }

    #[test]
    fn it_ends_after_a_year_whatever_it_names() {
        let (node, agent) = keys();
        let delegation = Delegation::sign(&node, agent, Ms::new(1000), Ms::NEVER);
        let ends = Ms::new(1000 + Delegation::LONGEST_MS);
        assert_eq!(delegation.verify(ends.minus(1)), Ok(()));
        assert_eq!(delegation.verify(ends), Err(DelegationError::Expired));
    }

    #[test]
    fn it_travels_as_one_word() {
        let (node, agent) = keys();
        let delegation = Delegation::sign(&node, agent, Ms::new(1000), Ms::new(2000));
        let text = delegation.to_string();
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{text}");
        assert_eq!(text.parse(), Ok(delegation));
        for bad in ["", "x", &text[1..], &text[..text.len() - 4], &text.repeat(9)] {
            assert_eq!(bad.parse::<Delegation>(), Err(DelegationError::Text), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_it(text in ".{0,80}", cut in 0_usize..700) {
            let (node, agent) = keys();
            let word = Delegation::sign(&node, agent, Ms::new(1000), Ms::new(2000)).to_string();
            let part = word.get(..cut.min(word.len() - 1)).unwrap();
            proptest::prop_assert_eq!(part.parse::<Delegation>(), Err(DelegationError::Text));
            proptest::prop_assert_eq!(text.parse::<Delegation>(), Err(DelegationError::Text));
        }
    }

    #[test]
    fn nothing_in_it_can_be_changed() {
        let (node, agent) = keys();
        let good = Delegation::sign(&node, agent, Ms::new(1000), Ms::new(2000));
        let other = AgentKey::from_random([8; 32]).unwrap().public();
        let forged = [
            Delegation { agent: other, ..good.clone() },
            Delegation { expires_ms: Ms::new(3000), ..good.clone() },
            Delegation { issued_ms: Ms::new(1500), ..good.clone() },
            Delegation { node: NodeKey::read(&[6; 32]).unwrap().id(), ..good },
        ];
        for forged in forged {
            assert_eq!(forged.verify(Ms::new(1500)), Err(DelegationError::Signature));
        }
    }
}
