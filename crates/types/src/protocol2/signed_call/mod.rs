//! A signed call of protocol 2: its params, and the check of its signature.
//!
//! This module uses only IDs from the rest of the crate. The meaning of the params does not belong here.

mod params;
mod verify;

pub use params::{FormError, SignedCall};
pub use verify::{SignatureError, sign_call, signed_params};
