use serde::{Deserialize, Serialize};

use super::{ChannelId, TypedData, TypedDataSignature, TypedStruct, TypedValue};
use crate::{Account, Amount, errors};

/// A promise on a channel: the total that the receiver may claim over the channel's lifetime. A later voucher replaces an
/// earlier one, and vouchers do not expire. The names in JSON are those of x402.
///
/// ```
/// use vipnode_types::{AgentKey, Amount, payment::{ChannelId, Voucher}, keccak256};
///
/// let key = AgentKey::from_random([7; 32])?;
/// let voucher = Voucher { channel: ChannelId::new(keccak256("a channel")), max_claimable: Amount::new(5_000) };
/// let signature = key.sign_typed(&voucher.typed_data(8453));
/// assert!(voucher.verify(8453, &signature, &key.account()).is_ok());
/// assert!(voucher.verify(1, &signature, &key.account()).is_err(), "another chain");
/// # Ok::<(), vipnode_types::NodeKeyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Voucher {
    /// The channel from which the amount may be claimed.
    #[serde(rename = "channelId")]
    pub channel: ChannelId,
    /// The total that may be claimed, in the smallest unit of the channel's token.
    #[serde(rename = "maxClaimableAmount")]
    pub max_claimable: Amount,
}

errors! {
    /// Why a [`Voucher`] is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum VoucherError {
        /// A different key signed, or the signature is for a different channel, amount, chain, or escrow.
        Signature {
            /// The account whose key has to sign.
            authorizer: Account,
        }: Unauthorized, "the voucher was not signed with the key of {authorizer} for this channel and amount",
            hint "Sign the voucher with the channel's payer authorizer, which is the agent's key.";
    }
}

impl Voucher {
    /// Returns what is signed: the struct of the standard in the domain of the escrow on this chain.
    #[must_use]
    pub fn typed_data(&self, chain_id: u64) -> TypedData {
        let message = TypedStruct::new("Voucher")
            .with("channelId", TypedValue::Bytes32(self.channel.hash()))
            .with("maxClaimableAmount", TypedValue::Uint(128, self.max_claimable.get()));
        TypedData::of_escrow(chain_id, message)
    }

    /// Checks that the channel's payer authorizer signed it.
    ///
    /// # Errors
    /// [`VoucherError::Signature`].
    pub fn verify(
        &self,
        chain_id: u64,
        signature: &TypedDataSignature,
        authorizer: &Account,
    ) -> Result<(), VoucherError> {
        let signed = signature.signer(&self.typed_data(chain_id)) == Some(*authorizer);
        signed.then_some(()).ok_or(VoucherError::Signature { authorizer: *authorizer })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{AccountKey, AgentKey, keccak256};

    proptest! {
        #[test]
        fn a_voucher_holds_for_its_channel_amount_chain_and_key_only(
            secret in 1_u8..255, channel: [u8; 32], amount: u128, chain_id: u64,
        ) {
            let key = AgentKey::from_random([secret; 32]).unwrap();
            let voucher = Voucher { channel: ChannelId::new(channel.into()), max_claimable: Amount::new(amount) };
            let signature = key.sign_typed(&voucher.typed_data(chain_id));
            let refused = Err(VoucherError::Signature { authorizer: key.account() });
            prop_assert_eq!(voucher.verify(chain_id, &signature, &key.account()), Ok(()));
            let other = Voucher { max_claimable: Amount::new(amount ^ 1), ..voucher };
            prop_assert_eq!(other.verify(chain_id, &signature, &key.account()), refused);
            let other = Voucher { channel: ChannelId::new(keccak256(channel)), ..voucher };
            prop_assert_eq!(other.verify(chain_id, &signature, &key.account()), refused);
            prop_assert_eq!(voucher.verify(chain_id ^ 1, &signature, &key.account()), refused);
            let stranger = AccountKey::from_bytes([0xff; 32].map(|byte: u8| byte ^ secret)).unwrap();
            prop_assert!(voucher.verify(chain_id, &signature, &stranger.account()).is_err());
        }

        #[test]
        fn reads_the_json_that_it_writes(channel: [u8; 32], amount: u128) {
            let voucher = Voucher { channel: ChannelId::new(channel.into()), max_claimable: Amount::new(amount) };
            let json = serde_json::to_string(&voucher).unwrap();
            let named = format!("\"maxClaimableAmount\":\"{amount}\"");
            prop_assert!(json.contains(&named));
            prop_assert_eq!(serde_json::from_str::<Voucher>(&json).unwrap(), voucher);
        }
    }
}
