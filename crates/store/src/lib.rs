//! Durable state of the pool.
//!
//! [`Store`] is the contract. [`MemoryStore`] implements it in memory. [`FileStore`] also keeps a few kinds of records in
//! files, one [`RecordFile`] each. `conformance` (feature `testing`) is the test suite that every implementation must pass.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

#[cfg(any(test, feature = "testing"))]
#[allow(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a test suite that other crates call: it fails by panicking"
)]
pub mod conformance;
mod file_store;
mod memory_store;
mod store;
mod store_error;

pub use file_store::{FileStore, RecordFile};
pub use memory_store::MemoryStore;
pub use store::Store;
pub use store_error::StoreError;
