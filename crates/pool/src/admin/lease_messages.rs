use serde::{Deserialize, Serialize};
use vipnode_types::{Account, LeaseId, Ms, NodeId, Price};

/// Requests a page of the running leases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeasesRequest {
    /// Only leases of nodes whose ID begins with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only leases that this account pays for, or earns from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// [`AdminLeases::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<LeaseId>,
    /// How many leases, at most; never more than 1,000.
    pub most: u32,
}

/// A page of the running leases, by ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminLeases {
    /// The number of the newest batch of changes that the database had.
    pub batch: u64,
    /// The leases on this page.
    pub leases: Vec<AdminLease>,
    /// Where the next page begins; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<LeaseId>,
}

/// A running lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminLease {
    /// The ID that both agents know it by.
    pub lease: LeaseId,
    /// The number of its billing period.
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
    /// Whether it is the free trial of its client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    /// When the pool offered it.
    pub offered_ms: Ms,
    /// When both sides first saw each other in this billing period; `None` while they have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Ms>,
}
