//! The x402 escrow: its state, its events, and what is called of it.
//!
//! This module uses `abi`, `error`, and `node`. Which of its channels count does not belong here.

mod abi_fields;
pub mod calls;
mod escrow_reads;
mod event_log;

pub use escrow_reads::Escrow;
pub use event_log::escrow_event;
