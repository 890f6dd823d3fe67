use serde::{Deserialize, Serialize};
use serde_json::Value;
use vipnode_types::Ms;

/// Requests a page of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditRequest {
    /// The value of [`AdminAudit::earlier`] from the response with the next newer records; `None` for the newest
    /// records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The maximum number of records to return; never more than 1,000.
    pub most: u32,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminAudit {
    /// The records, oldest first.
    pub records: Vec<AuditRecord>,
    /// The value of `before` for the page with the next older records; `None` if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<u64>,
}

/// An admin command. The pool records each command before it executes it, and adds a second record if the command is
/// refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// The time at which the pool received the command.
    pub at_ms: Ms,
    /// The ID of the user at the other end of the local socket, if the system reports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// The ID of the process at the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// The method that was called, or the flag with which the pool was started.
    pub method: String,
    /// The parameters of the call, as received.
    pub params: Value,
    /// The message of the error, if the command was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
