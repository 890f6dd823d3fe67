use serde::{Deserialize, Serialize};

use crate::{LeaseId, NodeId, Price};

/// A client's request to explain why it has its hosts. The answer covers only the client's own leases and its own
/// request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainRequest {}

/// The reasons why a client has its hosts and no others. Other hosts appear as counts only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainReply {
    /// The total number of hosts that the client wants; 0 before its first ask.
    pub want: u32,
    /// The number of wanted hosts that are missing.
    pub missing: u32,
    /// The reason why hosts are missing, as text for the user; `None` if none are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The current price of a slot at this pool.
    pub price: Price,
    /// The number of hosts with a connection to the pool.
    pub connected_hosts: u64,
    /// The number of connected hosts that were examined for this answer (at most `explained_hosts`).
    pub examined: u32,
    /// The number of examined hosts that the client could get now.
    pub candidates: u32,
    /// The number of examined hosts that the client could not get, by the first reason that applies.
    pub excluded: Excluded,
    /// The hosts that the client has.
    pub hosts: Vec<ExplainedHost>,
}

/// The numbers of hosts that a client cannot get, by reason. Their sum plus the candidates is the number examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Excluded {
    /// Hosts on another chain.
    pub other_chain: u32,
    /// Hosts that the client already has.
    pub already_leased: u32,
    /// Hosts whose slots are all taken.
    pub full: u32,
    /// Hosts that offer no slots: the node is not in sync or not reachable, or the host is stopping.
    pub offers_none: u32,
    /// Hosts to which the pool assigns no clients now: they recently refused a client or did not respond, or they are
    /// new, and clients have yet to connect to them.
    pub waiting: u32,
    /// Hosts whose slots cost more than the client's maximum price.
    pub too_expensive: u32,
    /// Hosts that offer no free trials, if no account with enough funds pays for the client.
    pub no_trials: u32,
    /// Hosts that the client asked to avoid.
    pub avoided: u32,
    /// Hosts that recently failed to connect to the client.
    pub recently_failed: u32,
    /// Hosts that were recently assigned to another client at the same address.
    pub same_address: u32,
    /// Hosts on the pool's own machine or on its private network, with no address that the client can reach.
    pub unreachable: u32,
    /// Hosts that do not serve what the client requires, or where one side rejects the other's version.
    pub incompatible: u32,
}

/// A host that the client has, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainedHost {
    /// ID of the lease.
    pub lease: LeaseId,
    /// Public key of the host's node.
    pub host: NodeId,
    /// The pool's selection of the host; `None` if the pool does not remember it, because the pool restarted or has
    /// since assigned too many other hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
}

/// The pool's selection of a host, as of the time when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Selection {
    /// The host's score at the time of the selection.
    pub score: Score,
    /// The number of hosts that the client could have gotten, including the selected one.
    pub candidates: u32,
}

/// The suitability of a host for a client, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Score {
    /// The sum of all parts of the score.
    pub total: i32,
    /// Points for the share of the host's slots that are free. The number of free slots that count is limited to the
    /// number that clients from two wide address blocks (/16, /32) have used at the same time.
    pub free_slots: i32,
    /// Points for the host's round-trip time to the pool.
    pub latency: i32,
    /// Points for the time for which the host has been connected.
    pub uptime: i32,
    /// Points deducted for recent admit calls that the host refused or did not answer.
    pub refusals: i32,
    /// Points deducted for recent clients that never connected to the host, and if this client failed to connect to a
    /// host in the same address block.
    pub strikes: i32,
    /// Points deducted if connected clients observed that the host does not serve a capability that the client
    /// requires, although it claims to serve it.
    pub contradicted: i32,
    /// Points deducted if the host's node and the client's node dialed each other recently and may wait before they do
    /// so again.
    pub redial: i32,
    /// Points deducted if another host of the client seems to belong to the same operator.
    pub same_operator: i32,
    /// Points deducted if the two nodes are connected already, with the roles reversed.
    pub mutual: i32,
}

impl Score {
    /// The sum of its parts set.
    #[must_use]
    pub fn summed(self) -> Self {
        let Self {
            free_slots, latency, uptime, refusals, strikes, contradicted, redial, same_operator, mutual, ..
        } = self;
        let parts = [free_slots, latency, uptime, refusals, strikes, contradicted, redial, same_operator, mutual];
        Self { total: parts.into_iter().fold(0, i32::saturating_add), ..self }
    }
}
