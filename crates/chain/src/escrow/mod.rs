//! The x402 escrow: its state, its events, and what is called of it.
//!
//! This module uses `abi`, `error`, and `node`. Which of its channels count does not belong here.

pub mod calls;
mod channel_state;
mod escrow_event;
mod escrow_reads;
mod voucher_claim;

pub use channel_state::{ChannelState, PendingWithdrawal, ReceiverTotals};
pub use escrow_event::EscrowEvent;
pub use escrow_reads::Escrow;
pub use voucher_claim::VoucherClaim;
