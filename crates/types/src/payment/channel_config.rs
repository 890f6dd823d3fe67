use serde::{Deserialize, Serialize};

use super::{ChannelId, TypedData, TypedStruct, TypedValue};
use crate::{Account, Hash256};

/// The seven fields of a payment channel, which never change. Their hash is the channel's ID, so changing one field
/// makes a different channel. The names in JSON are those of x402.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelConfig {
    /// The account that deposited and that receives refunds and withdrawals. Anyone can create a channel that names
    /// this payer, so this field does not prove the payer's consent.
    pub payer: Account,
    /// The account that signs the vouchers: the agent's key. With the zero address, the payer, which may be a contract,
    /// would sign the vouchers.
    pub payer_authorizer: Account,
    /// The account that receives the claimed amounts.
    pub receiver: Account,
    /// The account that may claim and refund in addition to the receiver.
    pub receiver_authorizer: Account,
    /// The token that is deposited.
    pub token: Account,
    /// The number of seconds between the start of a withdrawal and its end: 15 minutes to 30 days. (`uint40` in the
    /// contract.)
    #[serde(rename = "withdrawDelay")]
    pub withdraw_delay_s: u32,
    /// Distinguishes channels that are otherwise equal.
    pub salt: Hash256,
}

impl ChannelConfig {
    /// Returns the ID of the channel on a chain: the EIP-712 hash in the domain of the escrow there.
    ///
    /// ```
    /// use vipnode_types::payment::ChannelConfig;
    ///
    /// let json =
    /// r#"{"payer":"0x7e5f4552091a69125d5dfcb7b8c2659029395bdf","payerAuthorizer":"0x2b5ad5c4795c026514f8317c7a215e218dccd6cf",
    /// "receiver":"0x6813eb9362372eef6200f3b1dbc3f819671cba69","receiverAuthorizer":"0x6813eb9362372eef6200f3b1dbc3f819671cba69",
    ///     "token":"0x833589fcd6edb6e08f4c7c32d4f71b54bda02913","withdrawDelay":1209600,
    ///     "salt":"0x0000000000000000000000000000000000000000000000000000000000000000"}"#;
    /// let config: ChannelConfig = serde_json::from_str(json)?;
    /// assert_ne!(config.id(8453), config.id(84532), "another chain, another channel");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self, chain_id: u64) -> ChannelId {
        ChannelId::new(Hash256(TypedData::of_escrow(chain_id, self.typed()).digest()))
    }

    fn typed(&self) -> TypedStruct {
        TypedStruct::new("ChannelConfig")
            .with("payer", TypedValue::Account(self.payer))
            .with("payerAuthorizer", TypedValue::Account(self.payer_authorizer))
            .with("receiver", TypedValue::Account(self.receiver))
            .with("receiverAuthorizer", TypedValue::Account(self.receiver_authorizer))
            .with("token", TypedValue::Account(self.token))
            .with("withdrawDelay", TypedValue::Uint(40, self.withdraw_delay_s.into()))
            .with("salt", TypedValue::Bytes32(self.salt))
    }
}
