use serde::{Deserialize, Serialize};

use super::PairFault;
use crate::LeaseId;

/// An agent ends leases, from either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaveRequest {
    /// Which.
    pub leases: Vec<LeaseId>,
    /// Why.
    pub reason: LeaveReason,
    /// What the agent's node saw, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PairFault>,
}

/// Why an agent ends a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// It was never connected.
    NotConnected,
    /// Connected, then gone again and again.
    Unstable,
    /// The agent rejects peers of the version that the pool reported.
    Rejected,
    /// The peer is not what the pool reported: it lacks a capability, or has another version, which is rejected.
    Mismatch,
    /// No longer needed.
    Surplus,
    /// It costs more than the client pays.
    Price,
    /// The host takes the slot back.
    Drained,
    /// What the agent did for it was lost (its node restarted, its journal says nothing).
    Lost,
}

/// An agent stops; every lease it has ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ByeRequest {}
