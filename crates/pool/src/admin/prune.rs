//! Removes the oldest part of the journals while the pool runs, step by step. The caller has it in a file.

use serde::{Deserialize, Serialize};
use vipnode_store::{PruneOrder, PruneStep};
use vipnode_types::{Ms, wire::WireError};

use super::{AdminService, with_store::with_store};
use crate::engine::OperatorQuery;

/// Removes the next part of the journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PruneRequest {
    /// The time before which a billing period that nobody pays for must have ended to be removed.
    pub before_ms: Ms,
    /// The number of the last entry to remove, together with the billing periods that the removed entries bill.
    pub last_entry: u64,
    /// The position of the last billing period that may be removed.
    pub last_position: u64,
    /// `position` of the previous step; `None` for the first step, which the audit log records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// The result of one step of pruning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPruned {
    /// The number of ledger entries that were removed.
    pub entries: u64,
    /// The number of billing periods that were removed.
    pub periods: u64,
    /// The position at which the next step begins.
    pub position: u64,
    /// Whether nothing is left to remove.
    pub is_done: bool,
}

/// Removes the next part.
pub(super) async fn prune(admin: &AdminService, request: PruneRequest) -> Result<AdminPruned, WireError> {
    let PruneRequest { before_ms: before, last_entry, last_position, position } = request;
    let (order, most) = (PruneOrder { before, last_entry, last_position }, admin.service.limits.prune_rows);
    let step = with_store(admin, move |store| store.prune(order, position.unwrap_or(0), most)).await?;
    let PruneStep { entries, periods, position, last_entry, is_done } = step;
    admin.service.gateway.query(OperatorQuery::Pruned { last_entry });
    Ok(AdminPruned { entries, periods, position, is_done })
}
