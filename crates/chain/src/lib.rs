//! The escrow of x402 and its tokens on an EVM. This crate reads, signs, and sends; it decides nothing and keeps nothing.
//!
//! - [`EvmNodes`] calls an execution client over JSON-RPC: blocks, logs, simulated calls, gas, receipts. Each answer has
//!   a limit ([`ChainLimits`]), and an error shows neither the path of the URL, which may contain an API key, nor a
//!   character that could paint on a terminal.
//! - [`Escrow`] and [`Token`] read the contracts; [`escrow_calls`] and [`token_calls`] make what is sent to them.
//! - [`escrow_event`] reads a log of the escrow.
//! - [`development`] is a chain for the demo and for tests, with doubles of the contracts.
//! - [`Eip1559`] is a transaction: built from a [`GasPlan`], signed, and sent as raw bytes, so that a caller can store
//!   them before they leave.
//!
//! Who owes what, which channels count, and when to claim belongs to `pool-core`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod abi;
pub mod development;
mod error;
mod escrow;
mod node;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod token;
mod transaction;

pub use abi::{AbiValue, ContractCall, RevertReason};
pub use error::ChainError;
pub use escrow::{Escrow, calls as escrow_calls, escrow_event};
pub use node::{BlockTag, ChainLimits, EVM_NODES, EvmBlock, EvmLog, EvmNodes, EvmReceipt};
pub use token::{Token, calls as token_calls};
pub use transaction::{Eip1559, GasFees, GasPlan, SignedTransaction, unsigned_json, wait_for_receipt};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] =
    &[vipnode_types::ErrorTable { title: "EVM nodes and the escrow", rows: ChainError::ROWS }];
