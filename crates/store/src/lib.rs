//! Durable state of the pool.
//!
//! [`Store`] is the contract. [`SqliteStore`] implements it in a database, [`MemoryStore`] in memory. `conformance`
//! (feature `testing`) is the test suite that every implementation must pass. A [`StoreReader`] reads a store while it
//! is written. A [`RecordFile`] is a list that is written whole, for the few admin commands of an operator.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

#[cfg(any(test, feature = "testing"))]
#[allow(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a test suite that other crates call: it fails by panicking"
)]
pub mod conformance;
mod database_check;
mod database_file;
mod lost_entries;
mod memory_store;
mod read_permits;
mod record_file;
mod restore_choice;
mod sqlite_store;
mod statement;
mod store;
mod store_error;
mod store_reader;

pub use database_check::DatabaseCheck;
pub use database_file::DatabaseFile;
pub use lost_entries::LostEntries;
pub use memory_store::MemoryStore;
pub use record_file::RecordFile;
pub use restore_choice::RestoreChoice;
pub use sqlite_store::{
    DroppedPeers, FoldStep, FoldedDatabase, FormerDatabase, InterruptedPrune, PruneOrder, PrunePlan, PruneStep,
    PrunedDatabase, RestoredDatabase, SqliteReader, SqliteStore,
};
pub use statement::{DailyRead, StatementParties, account_statement, daily_statement, node_statement};
pub use store::Store;
pub use store_error::StoreError;
pub use store_reader::{ReadLimits, StoreReader, StoreSnapshot, TrimmedJournal};
