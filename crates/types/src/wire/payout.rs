use serde::{Deserialize, Serialize};

use crate::{Account, Ms, NodeId, PayoutOrder};

/// Names the account that receives a node's earnings. The node key has signed the account, so the call needs no
/// envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayoutRequest {
    /// The node that signed.
    pub node: NodeId,
    /// The signed instruction that names the account.
    pub order: PayoutOrder,
}

/// The account that receives a node's earnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayoutView {
    /// The account that receives the earnings now.
    pub account: Account,
    /// The pending account, which the node key signed; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPayout>,
}

/// A payout account that has been signed and has not taken effect yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextPayout {
    /// The account that will receive the earnings.
    pub account: Account,
    /// The time at which the account takes effect, by the pool's clock, in Unix milliseconds. Until then, signing the
    /// current account again cancels the change.
    pub from_ms: Ms,
}
