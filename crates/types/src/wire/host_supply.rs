use serde::{Deserialize, Serialize};

use super::{FundsLow, PaymentTerms, WireError};
use crate::Price;

/// The hosts that a pool has for a node that is not connected, and their price. Other hosts appear as counts only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostSupply {
    /// The current price of a slot at this pool.
    pub price: Price,
    /// The number of connected hosts on the node's chain that were examined (at most `explained_hosts`, of all chains),
    /// not counting the node itself.
    pub hosts: u32,
    /// The number of examined hosts that the pool could assign to the node now, if it were a client.
    pub candidates: u32,
    /// The reason why the pool would assign no host, as text for the user; `None` if it would assign one, or if it did
    /// not examine all hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The payment mode of this pool, and its payment terms.
    #[serde(default)]
    pub terms: PaymentTerms,
    /// The number of hosts that the node is connected to now, as the client of a lease.
    #[serde(default)]
    pub served: u32,
    /// Only for a client: the error that the node's request for one more host would get, because no account with enough
    /// funds pays for the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpaid: Option<WireError>,
    /// Only for a client that no account with enough funds pays for: how much is left of its free trial, in milliseconds,
    /// whether the trial runs or not. Absent if it has none left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_left_ms: Option<u64>,
    /// Only for a client with leases that cost something: its funds, if they last no longer than the time of the pool's
    /// first notice that they run low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_low: Option<FundsLow>,
    /// The pool's fee, which is taken off what a host earns, in basis points.
    #[serde(default)]
    pub fee_bps: u16,
    /// Whether the operator has paused new leases, for the node or for the whole pool.
    #[serde(default)]
    pub drained: bool,
}
