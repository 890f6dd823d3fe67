//! For tests: a real EVM with the contracts of the standard, and a token like USDC.
//!
//! The contracts are doubles, written from the specification (`contracts/README.md`), put at the addresses of the standard.
//!
//! Uses the public functions of this crate, as its users do; nothing outside tests calls it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a failure here is the failure of a test"
)]

mod anvil;

pub use anvil::Anvil;
