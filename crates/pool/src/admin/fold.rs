//! Folds billing periods of one lease and day into one while the pool runs, step by step.

use serde::{Deserialize, Serialize};
use vipnode_store::FoldStep;
use vipnode_types::{Ms, wire::WireError};

use super::{AdminService, with_store::with_store};

/// Folds billing periods of the next entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FoldRequest {
    /// The time before which a day must have ended for its billing periods to be folded.
    pub before_ms: Ms,
    /// `position` of the previous step; `None` for the first step, which the audit log records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// The result of one step of folding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminFolded {
    /// The number of billing periods that were merged into another one.
    pub folded: u64,
    /// The number of the last entry that was examined.
    pub position: u64,
    /// Whether no other day is old enough to fold.
    pub is_done: bool,
}

/// Folds the next part.
pub(super) async fn fold(admin: &AdminService, request: FoldRequest) -> Result<AdminFolded, WireError> {
    let (FoldRequest { before_ms, after }, most) = (request, admin.service.limits.prune_rows);
    let step = with_store(admin, move |store| store.fold(before_ms, after.unwrap_or(0), most)).await?;
    let FoldStep { folded, position, is_done } = step;
    Ok(AdminFolded { folded, position, is_done })
}
