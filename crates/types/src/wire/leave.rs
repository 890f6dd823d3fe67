use serde::{Deserialize, Serialize};

use super::PairFault;
use crate::LeaseId;

/// An agent's request to end leases, from either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaveRequest {
    /// The leases to end.
    pub leases: Vec<LeaseId>,
    /// The reason why the agent ends the leases.
    pub reason: LeaveReason,
    /// The problem that the agent's node observed, if it is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PairFault>,
}

/// The reason why an agent ends a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// The peers never connected.
    NotConnected,
    /// The peer connected and disconnected repeatedly.
    Unstable,
    /// The agent rejects peers of the version that the pool reported.
    Rejected,
    /// The peer does not match what the pool reported: it lacks a capability, or runs a different version, which the
    /// agent rejects.
    Mismatch,
    /// The agent no longer needs the lease.
    Surplus,
    /// The slot costs more than the client's maximum price.
    Price,
    /// The host takes the slot back.
    Drained,
    /// The agent's changes for the lease were lost (the node restarted and the journal has no entry).
    Lost,
}

/// Ends all leases of an agent that is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ByeRequest {}
