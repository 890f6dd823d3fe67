use serde::{Deserialize, Serialize};

use crate::{
    Amount, Ms,
    payment::{ChannelConfig, ChannelId, TypedDataSignature, Voucher, VoucherError},
};

/// Has the node spend from a payment channel, up to an amount. The voucher's signer is the agent's key.
///
/// The first voucher of a channel names it to the pool, which reads its deposit from the chain before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VoucherRequest {
    /// The payment channel that it is about.
    pub channel: ChannelConfig,
    /// The most that the pool may claim of the channel in all, in the smallest unit of its token. It never decreases.
    pub max_claimable: Amount,
    /// The signature of the [`Voucher`] with the channel's payer authorizer.
    pub signature: TypedDataSignature,
}

/// What a pool knows of a payment channel, in the smallest unit of its token. `signed`, `claimed`, and `metered` never decrease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelFunds {
    /// The payment channel that it is about.
    pub id: ChannelId,
    /// The amount of the newest voucher.
    pub signed: Amount,
    /// Its signature, so that an agent that lost its own record can take it over after checking it.
    pub signature: TypedDataSignature,
    /// What is deposited: deposits less refunds and withdrawals.
    pub deposited: Amount,
    /// What a withdrawal under way takes from the deposit.
    pub withdrawing: Amount,
    /// What the pool has claimed in all.
    pub claimed: Amount,
    /// What the channel owes in all: what was claimed when the pool accepted it, and what its billing periods cost since, the
    /// running ones included.
    pub metered: Amount,
    /// What the running leases cost at most in the next hour.
    pub hourly: Amount,
    /// When the deposit was read from the chain, by the pool's clock.
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
