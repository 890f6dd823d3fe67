//! How much: amounts, prices, and the meter that turns two sides' reports into a bill.
//!
//! Integers only; each division states its rounding. This room uses [`crate::Ms`] and nothing else of the crate.
//! Balances, payments and floating-point numbers never enter.

pub mod meter;
mod price;
mod wei;

pub use price::Price;
pub use wei::{Wei, WeiError};
