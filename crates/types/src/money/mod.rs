//! Money: amounts, prices, and the meter that turns the reports of two sides into a bill.
//!
//! All values are integers; each division documents its rounding. This module uses only [`crate::Ms`] from the rest of
//! the crate. Balances, payments, and floating-point numbers do not belong here.

pub mod meter;
mod price;
mod wei;

pub use price::Price;
pub use wei::{Wei, WeiError};
