//! Why something on a chain could not be read, built, or sent.
//!
//! This module uses `abi`.
//!
//! No call to a node belongs here.

mod chain_error;

pub use chain_error::ChainError;
