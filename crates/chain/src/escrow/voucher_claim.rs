use vipnode_types::{
    Amount,
    payment::{ChannelConfig, TypedDataSignature},
};

use crate::abi::AbiValue;

/// A row of a claim: a voucher, and how much of it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoucherClaim {
    /// The channel.
    pub channel: ChannelConfig,
    /// What the voucher permits in all.
    pub max_claimable: Amount,
    /// The signature of the voucher by the channel's payer authorizer.
    pub signature: TypedDataSignature,
    /// What shall have been claimed in all: at most what the voucher permits and what the channel holds.
    pub total_claimed: Amount,
}

impl VoucherClaim {
    pub(super) fn to_abi(self) -> AbiValue {
        let voucher = AbiValue::Tuple(vec![channel(&self.channel), self.max_claimable.into()]);
        let signature = AbiValue::Bytes(self.signature.to_bytes().to_vec());
        AbiValue::Tuple(vec![voucher, signature, self.total_claimed.into()])
    }
}

/// The seven fields of a channel.
pub(super) fn channel(config: &ChannelConfig) -> AbiValue {
    AbiValue::Tuple(vec![
        config.payer.into(),
        config.payer_authorizer.into(),
        config.receiver.into(),
        config.receiver_authorizer.into(),
        config.token.into(),
        u64::from(config.withdraw_delay_s).into(),
        config.salt.into(),
    ])
}
