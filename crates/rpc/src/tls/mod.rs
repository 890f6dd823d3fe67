//! Which servers a client trusts, and what a failed handshake means to a person.
//!
//! This module wraps rustls and uses nothing else in the crate. Sockets and addresses do not belong here.

mod tls_fault;
mod trust;

pub use tls_fault::TlsFault;
pub use trust::{Trust, TrustError};
