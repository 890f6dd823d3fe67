use crate::TlsFault;

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not an address of the kind.
    #[error("{url} is no address to connect to: {why}")]
    Address {
        /// As it was given.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// Unencrypted, and not this machine.
    #[error(
        "{url} goes over the network without encryption, where anyone on the way could read and change it; \
         add --insecure if that network is your own"
    )]
    Insecure {
        /// As it was given.
        url: String,
    },
    /// What answers cannot show that it is who it should be, or speaks no TLS.
    #[error("{url} is not trusted: {fault}")]
    Tls {
        /// As it was given.
        url: String,
        /// What is wrong with it, and how to fix it.
        fault: TlsFault,
    },
    /// Nobody answers there.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// URL or path.
        place: String,
        /// What the system says.
        why: String,
    },
    /// It answers, and does not open.
    #[error("{url} refused the connection with HTTP status {status}: {body}")]
    Refused {
        /// As it was given.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The first line of what it said.
        body: String,
    },
    /// It takes too long.
    #[error("{place} did not answer within {ms} ms")]
    Timeout {
        /// URL or path.
        place: String,
        /// How long was waited.
        ms: u128,
    },
}
