use serde::{Deserialize, Serialize};
use vipnode_types::{Account, LeaseId, Ms, NodeId, Price};

/// Requests a page of the running leases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LeasesRequest {
    /// Filters the list: only leases of nodes whose ID begins with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Filters the list: only leases that this account pays for, or earns from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// [`AdminLeases::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<LeaseId>,
    /// The maximum number of leases to return; never more than 1,000.
    pub most: u32,
}

/// A page of the running leases, by ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminLeases {
    /// The number of the newest batch of changes in the database.
    pub batch: u64,
    /// The leases on this page.
    pub leases: Vec<AdminLease>,
    /// The value of `after` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<LeaseId>,
}

/// A running lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminLease {
    /// The lease ID, as known to both agents.
    pub lease: LeaseId,
    /// The number of the lease's current billing period.
    pub row: u32,
    /// The node that uses the slot.
    pub client: NodeId,
    /// The node that provides the slot.
    pub host: NodeId,
    /// The account that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Account>,
    /// The account that earns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Account>,
    /// The price of the slot.
    pub price: Price,
    /// Whether the lease is its client's free trial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    /// The time at which the pool offered the lease.
    pub offered_ms: Ms,
    /// The time at which both sides were first connected to each other in this billing period; `None` before that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Ms>,
}
