//! How a client pays from its payment channel (x402): what it signed, how much of it is used, and how much it may sign for
//! within a day. Belongs to no socket: a record outlives pools and runs. May call nothing. When to sign is in `flows`.

mod cannot_pay;
pub(crate) mod channel_payments;
mod pay_config;
mod voucher_record;

pub use cannot_pay::CannotPay;
pub use pay_config::PayConfig;
pub use voucher_record::{SignedAmountAt, VoucherRecord};
