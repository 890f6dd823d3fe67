use std::{io::ErrorKind, net::IpAddr};

use vipnode_types::{RpcUrl, errors};

use super::transport_text::transport_text;
use crate::CertificateProblem;

errors! {
    /// Why a connection could not be opened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OpenError {
        /// The URL has another scheme, no host, or a character that is not allowed.
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
        /// The server ended the TLS handshake, which does not mean that its certificate is wrong.
        Alert {
            /// As it was given.
            url: String,
            /// The name of the alert.
            alert: String,
        }: local, "{url} ended the TLS handshake with the alert {alert}", hint "{fix}" (fix = alert_fix(alert)), kind alert;
        /// The connection was refused or lost, or could not be opened.
        Unreachable {
            /// URL or path.
            address: String,
            /// How the system classifies it; [`ErrorKind::Other`] where it does not.
            kind: ErrorKind,
            /// What the system reports.
            why: String,
        }: local, "cannot reach {address}: {why}",
            hint "Check the address{port}, {next}." (port = port_note(address), next = unreachable_fix(address)),
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
            hint "{fix}" (fix = status_fix(*status, url)), kind status;
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
            hint "Check the port and the path of the address{port}, {next}." (port = port_note(url), next = other_server_fix(url));
        /// The connection did not open in time.
        Timeout {
            /// URL or path.
            address: String,
            /// The limit, in milliseconds.
            ms: u128,
        }: local, "{address} did not answer within {ms} ms",
            hint "Check the address{port}, {next}." (port = port_note(address), next = unreachable_fix(address));
    }
}

impl OpenError {
    /// The error for a TLS handshake that failed.
    pub(crate) fn of_tls(url: String, fault: CertificateProblem) -> Self {
        match fault {
            CertificateProblem::Alert { alert } => Self::Alert { url, alert },
            fault => Self::Tls { url, fault },
        }
    }
}

/// What a pool means by an alert, or else what the alert can mean.
fn alert_fix(alert: &str) -> &'static str {
    match alert {
        "AccessDenied" => "Ask the operator of the pool: it sends this alert to an address that is banned.",
        "InternalError" => "Try again later: a pool sends this alert when it has too many connections.",
        _ => "Check the host name in the address. The server's log may contain details.",
    }
}

/// Whose server an address leads to, which decides what its user can do. The hints are for the addresses of pools: those of
/// nodes have errors of their own.
enum Place {
    /// Not a URL but the path of a socket.
    Path,
    /// This machine.
    Here,
    /// Another machine, named by its address, as in a network of the user's own.
    Address,
    /// A server with a name, which is usually run by another person.
    Name,
}

impl Place {
    fn of(address: &str) -> Self {
        match address.parse::<RpcUrl>() {
            Err(_) => Self::Path,
            Ok(url) if url.is_local() => Self::Here,
            Ok(url) if url.host().parse::<IpAddr>().is_ok() => Self::Address,
            Ok(_) => Self::Name,
        }
    }
}

const START_POOL: &str = "and start a pool there if none is running: `vipnode pool`";

/// The end of a hint: what to check beyond the address, if nothing answers there.
fn unreachable_fix(address: &str) -> &'static str {
    match Place::of(address) {
        Place::Path => "and that the program that listens there is running",
        Place::Here => START_POOL,
        Place::Address => {
            "and that the pool is running there and accepts connections from other machines (`vipnode pool --bind \
             0.0.0.0:PORT`)"
        }
        Place::Name => {
            "and this machine's network; if both are right, ask the pool's operator whether the pool is running"
        }
    }
}

/// The end of a hint: what to check beyond the address, if another server answers there.
fn other_server_fix(address: &str) -> &'static str {
    match Place::of(address) {
        Place::Path => "and that the right program listens there",
        Place::Here => START_POOL,
        Place::Address | Place::Name => "or ask the pool's operator for the pool's URL",
    }
}

/// Which port a URL without a port means, in parentheses. A pool listens on another one by default, but one with a name and
/// TLS is usually at the port that the URL means.
fn port_note(address: &str) -> String {
    match address.parse::<RpcUrl>() {
        Ok(url) if url.url().port().is_some() => String::new(),
        Ok(url) if url.is_tls() && matches!(Place::of(address), Place::Name) => {
            format!(" (it means port {})", url.port())
        }
        Ok(url) => format!(" (it means port {}; a pool listens on port 8080 by default)", url.port()),
        Err(_) => String::new(),
    }
}

/// What to do about an HTTP status that is not a success.
fn status_fix(status: u16, url: &str) -> String {
    let is_here = matches!(Place::of(url), Place::Here);
    match status {
        401 | 407 => "Pass an address that needs no login: a pool does not ask for one, but a proxy may.".to_owned(),
        403 => "Have the proxy or the firewall in front of this address accept connections from here.".to_owned(),
        404 | 405 => format!("Check the path and the port of the address, {}.", other_server_fix(url)),
        429 => "Try again later, or raise the limit in the proxy in front of this address.".to_owned(),
        502..=504 if is_here => {
            "Start the pool (`vipnode pool`) behind this proxy, or pass the pool's own address.".to_owned()
        }
        502..=504 => {
            "Try again later. If the proxy at this address still cannot reach the pool, report it to the pool's \
                      operator."
                .to_owned()
        }
        _ => format!("Check the address, {}.", other_server_fix(url)),
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
        for (status, here, there) in [
            (401, "login", "login"),
            (403, "firewall", "firewall"),
            (404, "path", "path"),
            (405, "`vipnode pool`", "ask the pool's operator"),
            (429, "limit in the proxy", "limit in the proxy"),
            (502, "`vipnode pool`) behind this proxy", "report it to the pool's operator"),
            (503, "`vipnode pool`) behind this proxy", "report it to the pool's operator"),
            (418, "`vipnode pool`", "ask the pool's operator"),
        ] {
            for (url, hint) in [("ws://127.0.0.1:8080/", here), ("wss://p", there)] {
                let error = OpenError::Refused { url: url.into(), status, body: String::new() };
                assert_eq!(error.to_string(), format!("{url} refused the connection with HTTP status {status}"));
                assert!(error.hint().unwrap().contains(hint), "{status}: {:?}", error.hint());
            }
        }
    }

    fn hints(address: &str) -> [String; 3] {
        let (url, why) = (address.to_owned(), "refused".to_owned());
        let unreachable = OpenError::Unreachable { address: url.clone(), kind: ErrorKind::Other, why };
        let late = OpenError::Timeout { address: url.clone(), ms: 1 };
        [unreachable, late, OpenError::WebPage { url }].map(|error| error.hint().unwrap())
    }

    /// Nobody can start the pool behind a name, and no pool has the port 8080 by default there.
    #[test]
    fn only_a_hint_about_this_machine_suggests_to_start_a_pool() {
        for here in ["ws://127.0.0.1:8080/", "ws://localhost/", "wss://[::1]:1/"] {
            assert!(
                hints(here).iter().all(|hint| hint.contains("start a pool there if none is running: `vipnode pool`")),
                "{here}: {:?}",
                hints(here)
            );
        }
        for there in ["wss://pool.example/", "https://pool.example:8443/", "ws://pool.example:8080/", "wss://10.0.0.1/"]
        {
            assert!(hints(there).iter().all(|hint| !hint.contains("start a pool")), "{there}: {:?}", hints(there));
        }
        let [unreachable, late, page] = hints("wss://pool.example/");
        assert!(unreachable.contains("ask the pool's operator") && unreachable == late, "{unreachable}");
        assert!(page.contains("ask the pool's operator for the pool's URL"), "{page}");
        assert!(hints("ws://10.0.0.1:8080/")[0].contains("`vipnode pool --bind 0.0.0.0:PORT`"));
        assert!(hints("/run/geth.ipc").iter().all(|hint| !hint.contains("pool")), "{:?}", hints("/run/geth.ipc"));
    }

    #[test]
    fn a_url_without_a_port_says_which_one_it_means() {
        let hint = |address: &str| hints(address)[0].clone();
        assert!(hint("wss://10.0.0.1/").contains("it means port 443; a pool listens on port 8080"));
        assert!(hint("http://127.0.0.1/").contains("it means port 80; a pool listens"));
        assert!(hint("ws://pool.example/").contains("it means port 80; a pool listens"));
        assert!(hint("wss://pool.example/").starts_with("Check the address (it means port 443), "));
        for whole in ["ws://127.0.0.1:8080/", "/run/geth.ipc"] {
            assert!(hint(whole).starts_with("Check the address, "), "{whole}");
        }
    }
}
