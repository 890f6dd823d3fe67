use serde::{Deserialize, Serialize};

use crate::{Account, Ms, NodeId, NodeKey, errors, keccak256, signed::Signature};

/// A node's instruction to pay its earnings to an account. The node key signs it, so that nobody can redirect earnings
/// with an agent's key alone.
///
/// A pool stores the newest `counter` of each node and ignores older instructions. The instruction is valid at every
/// pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PayoutOrder {
    /// The account that receives the earnings.
    pub account: Account,
    /// The time of the signature, in Unix milliseconds.
    pub counter: Ms,
    /// The signature by the node key.
    pub signature: Signature,
}

errors! {
    /// Why a [`PayoutOrder`] is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum PayoutOrderError {
        /// The payout account was signed with a different key, or changed after it was signed.
        Signature: Unauthorized, "the payout account was not signed with the node's key",
            hint "Run `vipnode account payout ADDRESS` where the node key is readable.";
    }
}

impl PayoutOrder {
    /// Signs the order with the node's key.
    ///
    /// ```
    /// use vipnode_types::{Ms, NodeKey, PayoutOrder};
    ///
    /// let node = NodeKey::read(&[1; 32])?;
    /// let order = PayoutOrder::sign(&node, "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".parse()?, Ms::new(1_000));
    /// assert_eq!(order.verify(&node.id()), Ok(()));
    /// assert!(order.verify(&NodeKey::read(&[2; 32])?.id()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign(key: &NodeKey, account: Account, counter: Ms) -> Self {
        let signature = Signature::new(key.sign(digest(&key.id(), &account, counter)));
        Self { account, counter, signature }
    }

    /// Checks that `node` signed the order.
    ///
    /// # Errors
    /// [`PayoutOrderError::Signature`]. The counter is the caller's to judge, and only after this (fault D8,
    /// docs/faults.md).
    pub fn verify(&self, node: &NodeId) -> Result<(), PayoutOrderError> {
        let valid = node.verifies(digest(node, &self.account, self.counter), self.signature.as_bytes());
        valid.then_some(()).ok_or(PayoutOrderError::Signature)
    }
}

fn digest(node: &NodeId, account: &Account, counter: Ms) -> [u8; 32] {
    let mut text = b"vipnode/3 payout\n".to_vec();
    text.extend_from_slice(node.as_bytes());
    text.extend_from_slice(account.as_bytes());
    text.extend_from_slice(&counter.get().to_be_bytes());
    keccak256(text).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> (NodeKey, PayoutOrder) {
        let key = NodeKey::read(&[7; 32]).unwrap();
        let order = PayoutOrder::sign(&key, Account::new([9; 20]), Ms::new(1_000));
        (key, order)
    }

    const GOLDEN: &str = "769de3fc0d4239d798cf8883c93854ff477d2836126d4ba0f289a7baad00997912b0b1f6c86caa175bb42bb45856c3383a4452b7adbb2bf39e172609689458b1";

    /// Made by this code on 2026-11-29; a change of it breaks every agent in the field.
    #[test]
    fn golden_vector() {
        assert_eq!(const_hex::encode(order().1.signature.as_bytes()), GOLDEN);
    }

    #[test]
    fn nothing_in_it_can_be_changed() {
        let (key, good) = order();
        assert_eq!(good.verify(&key.id()), Ok(()));
        for forged in [
            PayoutOrder { account: Account::new([8; 20]), ..good.clone() },
            PayoutOrder { counter: Ms::new(1_001), ..good },
        ] {
            assert_eq!(forged.verify(&key.id()), Err(PayoutOrderError::Signature));
        }
        assert_eq!(good.verify(&NodeKey::read(&[6; 32]).unwrap().id()), Err(PayoutOrderError::Signature));
    }
}
