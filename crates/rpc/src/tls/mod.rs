//! Which servers a client trusts, and why a handshake failed, in words for a user.
//!
//! This module wraps rustls and uses nothing else in the crate. Sockets and addresses do not belong here.

mod certificate_problem;
mod trust;

pub use certificate_problem::CertificateProblem;
pub use trust::{Trust, TrustError};
