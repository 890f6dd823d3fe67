//! TLS on the pool's port: its certificate, the handshake, and ACME.

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
