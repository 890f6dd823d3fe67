//! What can fail: opening a connection, a call, and the connection itself.
//!
//! This folder uses [`crate::tls`] for what is wrong with a certificate. Session and transport use it, so that neither
//! needs the other for its errors. Errors of single frames live in `protocol`.

mod call_error;
mod open_error;
mod session_end;
mod transport_text;

pub use call_error::CallError;
pub use open_error::OpenError;
pub use session_end::SessionEnd;
