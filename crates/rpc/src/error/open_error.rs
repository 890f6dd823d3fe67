use std::io::ErrorKind;

use vipnode_types::errors;

use crate::TlsFault;

errors! {
    /// Why a connection could not be opened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OpenError {
        /// The text is not a valid URL.
        Address {
            /// As it was given.
            url: String,
            /// What is wrong.
            why: String,
        }: local, "{url} is not a valid address: {why}",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// The connection would leave this machine without encryption.
        Insecure {
            /// As it was given.
            url: String,
        }: local,
            "{url} would send traffic over the network without encryption; anyone on the path could read and change \
             it",
            hint "Use the wss:// or https:// address. Pass --insecure only if you control every machine on the path.";
        /// The server's certificate is not trusted, or the server does not use TLS.
        Tls {
            /// As it was given.
            url: String,
            /// What is wrong with it, and how to fix it.
            fault: TlsFault,
        }: local, "{url} is not trusted: {fault}", hint_of fault;
        /// The connection was refused or lost, or could not be opened.
        Unreachable {
            /// URL or path.
            address: String,
            /// How the system classifies it; [`ErrorKind::Other`] where it does not.
            kind: ErrorKind,
            /// What the system reports.
            why: String,
        }: local, "cannot reach {address}: {why}",
            hint "Check the address, and that a pool (`vipnode pool`) or a node runs there.";
        /// An HTTP server answers with an error instead of opening the connection.
        Refused {
            /// As it was given.
            url: String,
            /// The HTTP status.
            status: u16,
            /// The first line of the answer.
            body: String,
        }: local, "{url} refused the connection with HTTP status {status}: {body}",
            hint "Check the address, and that a pool (`vipnode pool`) or a node runs there.";
        /// The connection did not open in time.
        Timeout {
            /// URL or path.
            address: String,
            /// The limit, in milliseconds.
            ms: u128,
        }: local, "{address} did not answer within {ms} ms",
            hint "Check the address, and that a pool (`vipnode pool`) or a node runs there.";
    }
}

impl OpenError {
    /// An address that the system could not connect to.
    pub(crate) fn unreachable(address: &str, error: &std::io::Error) -> Self {
        Self::Unreachable { address: address.to_owned(), kind: error.kind(), why: error.to_string() }
    }
}
