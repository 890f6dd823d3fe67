//! The rows of a claim and the fields of a channel, as the ABI writes them.

use vipnode_types::payment::{ChannelConfig, VoucherClaim};

use crate::abi::AbiValue;

pub(super) fn row(claim: &VoucherClaim) -> AbiValue {
    let voucher = AbiValue::Tuple(vec![channel(&claim.channel), claim.max_claimable.into()]);
    let signature = AbiValue::Bytes(claim.signature.to_bytes().to_vec());
    AbiValue::Tuple(vec![voucher, signature, claim.total_claimed.into()])
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
