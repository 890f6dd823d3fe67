//! Transactions: what they cost, their bytes, and whether they were mined.
//!
//! This module uses `abi`, `error`, and `node`. What is called does not belong here, nor does the order of an account's
//! transactions.

mod eip1559;
mod gas_fees;
mod gas_plan;
mod mined;
mod rlp;

pub use eip1559::{Eip1559, SignedTransaction};
pub use gas_fees::GasFees;
pub use gas_plan::{GasPlan, unsigned_json};
pub use mined::wait_for_receipt;
