//! Money: assets, amounts, prices, and the meter that turns the reports of two sides into billed time.
//!
//! All values are integers; each division documents its rounding. This module uses only [`crate::Ms`] from the rest of
//! the crate. Balances, payments, and floating-point numbers do not belong here.

mod amount;
mod amount_error;
mod asset;
mod basis_points;
pub mod meter;
mod payment_mode;
mod price;
mod quoted_price;
mod signed_amount;

pub use amount::Amount;
pub use amount_error::AmountError;
pub use asset::{Asset, ShownAmount};
pub use basis_points::{WHOLE_BPS, percent};
pub use payment_mode::{PaymentMode, PaymentModeError};
pub use price::Price;
pub use quoted_price::QuotedPrice;
pub use signed_amount::SignedAmount;
