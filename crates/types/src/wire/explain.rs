use serde::{Deserialize, Serialize};

use crate::{LeaseId, NodeId, Price};

/// A client asks why it has these hosts. The answer covers its own leases and its own request only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainRequest {}

/// Why a client has these hosts and no others. Other hosts appear as counts only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainReply {
    /// The total number of hosts that the client wants; 0 before its first ask.
    pub want: u32,
    /// How many of the wanted hosts are missing.
    pub missing: u32,
    /// Why hosts are missing, as text for the user; `None` if none are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The current price of a slot at this pool.
    pub price: Price,
    /// Hosts with a connection to the pool.
    pub connected_hosts: u64,
    /// How many connected hosts were examined for this answer (at most `explained_hosts`).
    pub examined: u32,
    /// How many of the examined hosts the client could get now.
    pub candidates: u32,
    /// The number of examined hosts that it could not get, by the first reason that applies.
    pub excluded: Excluded,
    /// The hosts that the client has.
    pub hosts: Vec<ExplainedHost>,
}

/// How many hosts a client cannot get, by reason. Their sum plus the candidates is the number examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Excluded {
    /// They follow another chain.
    pub other_chain: u32,
    /// The client has them already.
    pub already_leased: u32,
    /// All their slots are taken.
    pub full: u32,
    /// They offer no slots: the node is not in sync or not reachable, or the host is stopping.
    pub offers_none: u32,
    /// The pool does not assign clients to them now: they recently refused one or did not respond, or they are new, and
    /// clients have yet to connect with them.
    pub waiting: u32,
    /// A slot costs more than the client's maximum price.
    pub too_expensive: u32,
    /// They offer no free trials, and no account with enough funds pays for the client.
    pub no_trials: u32,
    /// The client asked to avoid them.
    pub avoided: u32,
    /// They and the client recently failed to connect.
    pub recently_failed: u32,
    /// They were recently given to another client at the same address.
    pub same_address: u32,
    /// They run on the pool's own machine or in its private network, at no address that the client can reach.
    pub unreachable: u32,
    /// They do not serve what the client requires, or one side rejects the other's version.
    pub incompatible: u32,
}

/// A host that the client has, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainedHost {
    /// ID of the lease.
    pub lease: LeaseId,
    /// Public key of the host's node.
    pub host: NodeId,
    /// How the pool selected it; `None` if the pool does not remember, because it restarted or has since assigned too
    /// many other hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
}

/// How the pool selected a host, as of that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Selection {
    /// The host's score at that moment.
    pub score: Score,
    /// The number of hosts that the client could have gotten, including this one.
    pub candidates: u32,
}

/// How well a host suits a client, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Score {
    /// The sum of all parts of the score.
    pub total: i32,
    /// The share of the host's slots that are free. The number of free slots that count is limited to the number that
    /// clients from two wide address blocks (/16, /32) have used at the same time.
    pub free_slots: i32,
    /// Its round-trip time to the pool.
    pub latency: i32,
    /// How long it has been connected.
    pub uptime: i32,
    /// Recent admit calls that it refused or did not answer.
    pub refusals: i32,
    /// Recent clients that never connected to it, and whether this client failed to connect to a host in the same
    /// address block.
    pub strikes: i32,
    /// Connected clients observed that it does not serve a capability that the client requires, although it claims to
    /// serve it.
    pub contradicted: i32,
    /// Its node and the client's node dialed each other recently and may wait before they do so again.
    pub redial: i32,
    /// Another host of the client seems to belong to the same operator.
    pub same_operator: i32,
    /// The two are connected already, with the roles reversed.
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
