use serde::{Deserialize, Serialize};

use super::{ChannelConfig, TypedDataSignature};
use crate::Amount;

/// A row of a claim: a voucher, and the claimed part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VoucherClaim {
    /// The payment channel from which the claim is made.
    pub channel: ChannelConfig,
    /// The total amount that the voucher permits.
    pub max_claimable: Amount,
    /// The signature of the voucher by the channel's payer authorizer.
    pub signature: TypedDataSignature,
    /// The total claimed from the channel after this claim: at most what the voucher permits and what the channel holds.
    pub total_claimed: Amount,
}
