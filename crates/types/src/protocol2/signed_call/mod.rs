//! A signed call of protocol 2: its params, and the check of its signature.

mod params;
mod verify;

pub use params::{FormError, SignedCall};
pub use verify::{SignatureError, sign_call, signed_params};
