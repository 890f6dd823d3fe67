use serde::{Deserialize, Serialize};

use crate::{
    Amount, Ms,
    payment::{ChannelConfig, ChannelId, TypedDataSignature, Voucher, VoucherError},
};

/// Lets the node spend from a payment channel, up to a total amount. The agent's key signs the voucher.
///
/// Before the pool answers the first voucher for a channel, it reads the channel's deposit from the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VoucherRequest {
    /// The payment channel.
    pub channel: ChannelConfig,
    /// The total that the pool may claim from the channel, in the smallest unit of the channel's token. The total never
    /// decreases.
    pub max_claimable: Amount,
    /// The signature of the [`Voucher`] by the channel's payer authorizer.
    pub signature: TypedDataSignature,
}

/// The state of a payment channel as known to a pool, in the smallest unit of its token. `signed`, `claimed`, and
/// `metered` never decrease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelFunds {
    /// The ID of the payment channel.
    pub id: ChannelId,
    /// The amount of the newest voucher.
    pub signed: Amount,
    /// The signature of the newest voucher, so that an agent that lost its own record can check the voucher and
    /// continue from its amount.
    pub signature: TypedDataSignature,
    /// The current deposit: deposits less refunds and withdrawals.
    pub deposited: Amount,
    /// The amount that a pending withdrawal takes from the deposit.
    pub withdrawing: Amount,
    /// The total that the pool has claimed.
    pub claimed: Amount,
    /// The total cost of the channel: the amount that was claimed when the pool accepted it, and the cost of its
    /// billing periods since then, including the running ones.
    pub metered: Amount,
    /// The highest possible cost of the running leases in the next hour.
    pub hourly: Amount,
    /// The time at which the deposit was read from the chain, by the pool's clock.
    pub read_ms: Ms,
}

impl VoucherRequest {
    /// The channel's ID and the voucher on it, for this chain.
    #[must_use]
    pub fn voucher(&self, chain_id: u64) -> Voucher {
        Voucher { channel: self.channel.id(chain_id), max_claimable: self.max_claimable }
    }

    /// Checks that the channel's payer authorizer signed the voucher for this chain.
    ///
    /// # Errors
    /// [`VoucherError::Signature`].
    pub fn verify(&self, chain_id: u64) -> Result<ChannelId, VoucherError> {
        let voucher = self.voucher(chain_id);
        voucher.verify(chain_id, &self.signature, &self.channel.payer_authorizer)?;
        Ok(voucher.channel)
    }
}

impl ChannelFunds {
    /// What the pool can claim at most: what is signed and covered by the deposit.
    #[must_use]
    pub fn secured(&self) -> Amount {
        self.signed.min(self.deposited.checked_sub(self.withdrawing).unwrap_or_default())
    }
}
