use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LeaseId, NodeId, Price};

/// A client asks why it has the hosts that it has. It is told of its own leases and its own wish only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExplainRequest {}

/// Why a client has these hosts and no others. Hosts that it has not are numbers and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExplainReply {
    /// Hosts that it wants in all; 0 before it asked.
    pub want: u32,
    /// How many of them are missing.
    pub missing: u32,
    /// Where some are missing: why, for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What a place costs here now.
    pub price: Price,
    /// Connected hosts of the pool.
    pub hosts: u64,
    /// How many of them were looked at for this answer, at most a limit of the pool.
    pub looked_at: u32,
    /// Of those, how many could be given now.
    pub candidates: u32,
    /// Of those, how many could not, by the first reason that holds.
    pub excluded: Excluded,
    /// The hosts that it was given.
    pub given: Vec<GivenHost>,
}

/// How many hosts a client is not given, by reason. Their sum with the candidates is the number looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Excluded {
    /// They follow another chain.
    pub chain: u32,
    /// The client has them already.
    pub yours: u32,
    /// They have no free place, or take none now: they did not answer of late, or cannot be reached.
    pub full: u32,
    /// A place costs more than the client takes.
    pub price: u32,
    /// The client said that it does not want them.
    pub avoided: u32,
    /// They and the client did not come together a moment ago.
    pub failed: u32,
    /// They were given to another client of the same address a moment ago.
    pub address: u32,
    /// They do not do what the client needs, or one of the two takes no peer of the other's version.
    pub capability: u32,
}

/// A host that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenHost {
    /// The lease.
    pub lease: LeaseId,
    /// The host.
    pub host: NodeId,
    /// How it won; `None` where the pool does not remember: it was started anew, or has given too many places
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub won: Option<Won>,
}

/// How a host won, at the moment when it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Won {
    /// What spoke for it and against it.
    pub score: Score,
    /// Among how many hosts that could be given, itself included.
    pub among: u32,
}

/// What speaks for giving a host to a client, and what against it, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Score {
    /// The sum.
    pub total: i32,
    /// The share of its places that are free.
    pub free_places: i32,
    /// Its round trip to the pool.
    pub latency: i32,
    /// For how long it is connected.
    pub uptime: i32,
    /// Admits of late that it did not answer with yes.
    pub refusals: i32,
    /// Offers of late that never connected.
    pub strikes: i32,
    /// Another host of the client seems to be of the same operator.
    pub same_operator: i32,
    /// The two are connected already, the other way round.
    pub mutual: i32,
}

impl Score {
    /// The sum of its parts set.
    #[must_use]
    pub fn summed(self) -> Self {
        let Self { free_places, latency, uptime, refusals, strikes, same_operator, mutual, .. } = self;
        let parts = [free_places, latency, uptime, refusals, strikes, same_operator, mutual];
        Self { total: parts.into_iter().fold(0, i32::saturating_add), ..self }
    }
}
