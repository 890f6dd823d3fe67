//! What crosses owners: one file for each command, and for what follows from it. A flow asks the owners (agents,
//! matching, leases, metering) in order and hands each what it needs of another. It may call everything; nothing
//! but `core` calls it. State never lives here.

pub(crate) mod ask;
pub(crate) mod connect;
pub(crate) mod leave;
pub(crate) mod reload;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod status;
