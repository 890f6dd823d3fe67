use serde::{Deserialize, Serialize};

use super::{ChannelConfig, TypedDataSignature};
use crate::Amount;

/// A row of a claim: a voucher, and how much of it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VoucherClaim {
    /// The payment channel that it is about.
    pub channel: ChannelConfig,
    /// What the voucher permits in all.
    pub max_claimable: Amount,
    /// The signature of the voucher by the channel's payer authorizer.
    pub signature: TypedDataSignature,
    /// The total claimed from the channel after this claim: at most what the voucher permits and what the channel holds.
    pub total_claimed: Amount,
}
