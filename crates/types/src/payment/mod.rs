//! Payment channels of the public standard x402 (scheme `batch-settlement` on an EVM): the channel, its state and events,
//! the voucher, the addresses of its contracts, and what a wallet signs to deposit.
//!
//! This module uses `id`, `money`, and `crypto`. What a contract is called with does not belong here but in the crate
//! `chain`, and what a channel owes in the ledger of `pool-core`.

mod abi_word;
mod channel_config;
mod channel_id;
mod channel_state;
mod channel_terms;
pub mod contracts;
mod deposit_authorization;
mod escrow_event;
mod typed_data;
mod typed_data_signature;
mod voucher;
mod voucher_claim;

pub use abi_word::AbiWord;
pub use channel_config::ChannelConfig;
pub use channel_id::ChannelId;
pub use channel_state::{ChannelState, PendingWithdrawal, ReceiverTotals};
pub use channel_terms::{ChannelTerms, ChannelTermsError};
pub use deposit_authorization::{DepositAuthorization, TokenDomain};
pub use escrow_event::EscrowEvent;
pub use typed_data::{TypedData, TypedStruct, TypedValue};
pub use typed_data_signature::{TypedDataSignature, TypedDataSignatureError};
pub use voucher::{Voucher, VoucherError};
pub use voucher_claim::VoucherClaim;
