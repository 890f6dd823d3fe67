//! Which servers a client trusts, and what a failed handshake means to a person.
//!
//! This room wraps rustls and uses nothing else of the crate. Sockets and addresses never enter.

mod tls_fault;
mod trust;

pub use tls_fault::TlsFault;
pub use trust::{Trust, TrustError};
