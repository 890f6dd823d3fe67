use std::io::ErrorKind;

use vipnode_types::{RpcUrl, errors};

use super::transport_text::transport_text;
use crate::CertificateProblem;

errors! {
    /// Why a connection could not be opened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OpenError {
        /// The URL has an unsupported scheme, no host, or a character that is not allowed.
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
            fault: CertificateProblem,
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
            hint "Check the address{port}, and that a pool (`vipnode pool`) or a node is running there."
                (port = port_note(address)),
            kind kind;
        /// An HTTP server answers with an error instead of opening the connection.
        Refused {
            /// As it was given.
            url: String,
            /// The HTTP status.
            status: u16,
            /// The first line of the answer; empty for a web page.
            body: String,
        }: local, "{url} refused the connection with HTTP status {status}{said}" (said = after_colon(body)),
            hint "{fix}" (fix = status_fix(*status)), kind status;
        /// An HTTP server redirects to another address. vipnode does not follow redirects, because signatures contain
        /// the address.
        Redirected {
            /// As it was given.
            url: String,
            /// The HTTP status.
            status: u16,
            /// Where it leads, without a query.
            to: String,
        }: local, "{url} redirects to {to} (HTTP status {status}); redirects are not followed",
            hint "Pass the address of the pool or node itself. {to} may be this address, or a login page.";
        /// A web server answers with a web page instead of JSON-RPC.
        WebPage {
            /// As it was given.
            url: String,
        }: local, "a web page answers at {url}, not a pool or a node",
            hint "Check the port and the path of the address{port}, and that a pool (`vipnode pool`) or a node is \
                  running there."
                (port = port_note(url));
        /// The connection did not open in time.
        Timeout {
            /// URL or path.
            address: String,
            /// The limit, in milliseconds.
            ms: u128,
        }: local, "{address} did not answer within {ms} ms",
            hint "Check the address{port}, and that a pool (`vipnode pool`) or a node is running there."
                (port = port_note(address));
    }
}

/// Which port a URL without a port means, in parentheses: a pool listens on another one by default.
fn port_note(address: &str) -> String {
    match address.parse::<RpcUrl>() {
        Ok(url) if url.url().port().is_none() => {
            format!(" (it means port {}; a pool listens on port 8080 by default)", url.port())
        }
        _ => String::new(),
    }
}

/// What to do about an HTTP status that is not a success.
const fn status_fix(status: u16) -> &'static str {
    match status {
        401 | 407 => "Pass an address that needs no login: neither a pool nor a node asks for one, but a proxy may.",
        403 => "Have the proxy or the firewall in front of this address accept connections from here.",
        404 | 405 => {
            "Check the path and the port of the address, and that a pool (`vipnode pool`) or a node is running there."
        }
        429 => "Try again later, or raise the limit in the proxy in front of this address.",
        502..=504 => "Start the pool (`vipnode pool`) or the node behind this proxy, or pass its own address.",
        _ => "Check the address, and that a pool (`vipnode pool`) or a node is running there.",
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl OpenError {
    /// An address that the system could not connect to.
    pub(crate) fn unreachable(address: &str, error: &std::io::Error) -> Self {
        Self::Unreachable {
            address: address.to_owned(),
            kind: error.kind(),
            why: transport_text(&error.to_string()).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    #[test]
    fn a_status_says_what_to_do() {
        for (status, hint) in [
            (401, "login"),
            (403, "firewall"),
            (404, "path"),
            (405, "path"),
            (429, "limit in the proxy"),
            (502, "behind this proxy"),
            (503, "behind this proxy"),
            (418, "`vipnode pool`"),
        ] {
            let error = OpenError::Refused { url: "wss://p".into(), status, body: String::new() };
            assert_eq!(error.to_string(), format!("wss://p refused the connection with HTTP status {status}"));
            assert!(error.hint().unwrap().contains(hint), "{status}: {:?}", error.hint());
        }
    }

    #[test]
    fn a_url_without_a_port_says_which_one_it_means() {
        let hint = |address: &str| OpenError::Timeout { address: address.to_owned(), ms: 1 }.hint().unwrap();
        assert!(hint("wss://pool.example/").contains("it means port 443; a pool listens on port 8080"));
        assert!(hint("http://127.0.0.1/").contains("it means port 80;"));
        for whole in ["ws://127.0.0.1:8080/", "/run/geth.ipc"] {
            assert!(hint(whole).starts_with("Check the address, and"), "{whole}");
        }
    }
}
