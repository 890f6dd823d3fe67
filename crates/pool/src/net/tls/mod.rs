//! TLS on the pool's port: its certificate, the handshake, and ACME.
//!
//! May use `auth`, which asks it for the names in the certificate, and the port. Requests and their answers do not belong here.

mod accept;
#[cfg(feature = "acme")]
mod acme;
mod certificate;
mod handshakes;
mod internal_ca;
mod pool_tls;
mod tls_error;

pub use certificate::CertificateFacts;
pub use pool_tls::{PoolTls, RenewalResult};
pub use tls_error::TlsError;

pub(crate) use accept::accept;
pub(crate) use handshakes::Handshakes;

#[cfg(feature = "acme")]
pub use acme::{AcmeConfig, LETS_ENCRYPT};
