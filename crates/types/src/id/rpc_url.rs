use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

use crate::errors;

/// The URL of a JSON-RPC server, a pool or an execution client: `ws://`, `wss://`, `http://` or `https://`.
///
/// Signatures cover it as their audience, so it has one spelling, [`RpcUrl::as_str`]: scheme and host in lower case, no
/// default port, a slash for an empty path, and everything else byte for byte as written. Host, port and [`Origin`] are
/// parsed by the `url` crate, as browsers do.
///
/// ```
/// use vipnode_types::RpcUrl;
///
/// let url: RpcUrl = "WSS://Pool.Example:443".parse()?;
/// assert_eq!(url.as_str(), "wss://pool.example/");
/// // A user may leave the scheme out: TLS beyond this machine.
/// assert_eq!(RpcUrl::with_default_scheme("pool.example")?.as_str(), "wss://pool.example/");
/// assert_eq!(RpcUrl::with_default_scheme("localhost:8080")?.as_str(), "ws://localhost:8080/");
/// // WebSocket and HTTP are one origin, since a pool serves both on one port.
/// assert_eq!(url.origin(), "https://pool.example/".parse::<RpcUrl>()?.origin());
/// # Ok::<(), vipnode_types::RpcUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RpcUrl {
    spelling: String,
    url: Url,
}

/// The server of an [`RpcUrl`]: host, port, and whether TLS protects the connection. WebSocket and HTTP are one origin,
/// because a pool serves both on one port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    tls: bool,
    host: Host<String>,
    port: u16,
}

errors! {
    /// Why a text is not an [`RpcUrl`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum RpcUrlError {
        /// The text does not begin with a supported scheme.
        Scheme: local, "it does not begin with ws://, wss://, http://, or https://",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// A user name or a password before the host would end up in logs and signatures.
        UserInfo: local, "a user name or password in the address is not supported",
            hint "Remove everything before the @, and the @.";
        /// The host is mistyped, or a part of the URL was lost when it was copied.
        Host: local, "the host is missing, or contains a space or another character that is not allowed",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// The text after the colon is not a number from 1 to 65535.
        Port: local, "the port is not a number from 1 to 65535",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// The colon or a slash after the scheme is missing; the rest would be taken for a host or a port.
        Slashes {
            /// The address that was probably meant, without its path.
            meant: String,
        }: local, "the scheme and the host are not separated by ://; did you mean {meant}?",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// The text contains a control character, which could forge a line of the signed message.
        Control: local, "it contains a control character",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
        /// The URL is not valid for another reason.
        Form {
            /// What it reports.
            why: url::ParseError,
        }: local, "{why}",
            hint "Write it as wss://HOST, ws://HOST:PORT, https://HOST, or http://HOST:PORT.";
    }
}

impl RpcUrl {
    /// Reads what a user typed: without a scheme it is `ws://` on this machine (`localhost` or a loopback address) and
    /// `wss://` beyond.
    ///
    /// # Errors
    /// See [`RpcUrlError`].
    pub fn with_default_scheme(text: &str) -> Result<Self, RpcUrlError> {
        let text = text.trim();
        if text.contains("://") {
            return text.parse();
        }
        // Without a scheme, http//me:secret@h would be the host "http".
        if text.contains('@') {
            return Err(RpcUrlError::UserInfo);
        }
        if let Some(meant) = with_slashes(text) {
            return Err(RpcUrlError::Slashes { meant });
        }
        let authority = text.split('/').next().unwrap_or_default();
        let name = authority.rsplit_once(':').map_or(authority, |(name, _port)| name).trim_matches(['[', ']']);
        let here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        format!("{}://{text}", if here { "ws" } else { "wss" }).parse()
    }

    /// The one spelling, which a signature names as its audience.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.spelling
    }

    /// Lower-case: `ws`, `wss`, `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Whether it is a WebSocket, on which the server can call back.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        matches!(self.scheme(), "ws" | "wss")
    }

    /// Whether TLS protects the connection.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.scheme(), "wss" | "https")
    }

    /// The host, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, that of the scheme (80 or 443) where none was written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Everything after host and port, as written: the path, which begins with a slash, and a query or a fragment.
    #[must_use]
    pub fn path(&self) -> &str {
        let authority = self.spelling.split_once("://").map_or("", |(_, rest)| rest);
        authority.find('/').and_then(|at| authority.get(at..)).unwrap_or_default()
    }

    /// Whether it leads to this machine by its form: a loopback address, `localhost` or a name below it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    /// Returns the server that it leads to.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let host = self.url.host().map_or(Host::Domain(String::new()), |host| host.to_owned());
        Origin { tls: self.is_tls(), host, port: self.port() }
    }

    /// The URL as a client puts it into a request, with host and path encoded.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

impl FromStr for RpcUrl {
    type Err = RpcUrlError;

    fn from_str(text: &str) -> Result<Self, RpcUrlError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(RpcUrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "ws" | "http" => ":80",
            "wss" | "https" => ":443",
            _ => return Err(RpcUrlError::Scheme),
        };
        // The url crate would drop tabs and line breaks.
        if rest.chars().any(char::is_control) {
            return Err(RpcUrlError::Control);
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_authority(authority).map_err(|error| match path.contains('@') {
            // The user name or the password contains a slash, which ends the authority too early.
            true => RpcUrlError::UserInfo,
            false => error,
        })?;
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        let slash = if path.starts_with('/') { "" } else { "/" };
        let spelling = format!("{scheme}://{authority}{slash}{path}");
        match Url::parse(&spelling) {
            Ok(url) => Ok(Self { spelling, url }),
            Err(url::ParseError::InvalidPort) => Err(RpcUrlError::Port),
            Err(url::ParseError::EmptyHost) => Err(RpcUrlError::Host),
            Err(error) => Err(RpcUrlError::Form { why: error }),
        }
    }
}

/// Returns what was meant by a text whose scheme lacks a part of its `://`, such as `https//HOST` or `wss:/HOST`. A
/// `http/x` or a `ws:8080` may be a host.
fn with_slashes(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (scheme, rest) = (text.get(..end)?.to_ascii_lowercase(), text.get(end..)?);
    let rest = rest.strip_prefix("//").or_else(|| rest.strip_prefix(":/"))?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    let known = matches!(&*scheme, "ws" | "wss" | "http" | "https");
    let meant = format!("{scheme}://{host}");
    (known && meant.parse::<RpcUrl>().is_ok()).then_some(meant)
}

/// What stands between the scheme and the path: a host, and behind a colon its port. The url crate is more lenient.
fn check_authority(authority: &str) -> Result<(), RpcUrlError> {
    if authority.contains('@') {
        return Err(RpcUrlError::UserInfo);
    }
    if authority.chars().any(|c| c.is_whitespace() || c == '\\') {
        return Err(RpcUrlError::Host);
    }
    let (host, port) = match authority.find(']') {
        Some(end) => authority.split_at(end.saturating_add(1)),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let number = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n != 0);
    if host.is_empty() {
        return Err(RpcUrlError::Host);
    }
    let fits = port.is_empty() || port.strip_prefix(':').is_some_and(number);
    fits.then_some(()).ok_or(RpcUrlError::Port)
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelling)
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcUrl({})", self.spelling)
    }
}

#[cfg(test)]
mod tests;
