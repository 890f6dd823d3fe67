use std::{fmt, net::Ipv6Addr};

use vipnode_rpc::{Trust, check_address};

use crate::AgentError;

/// Where a pool is, as its user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolAddress {
    url: String,
    scheme: Scheme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Socket,
    Http,
}

impl PoolAddress {
    /// Reads `ws://host:port`, `wss://`, `http://` or `https://`, with a path or without. Without a scheme it
    /// is `ws://` on this machine and `wss://` beyond.
    ///
    /// # Errors
    /// [`AgentError::PoolIsEnode`], [`AgentError::PoolScheme`], [`AgentError::PoolHost`].
    pub fn read(text: &str) -> Result<Self, AgentError> {
        let shown = || text.chars().take(200).collect();
        let trimmed = text.trim();
        if trimmed.starts_with("enode://") {
            return Err(AgentError::PoolIsEnode { text: shown() });
        }
        let (scheme, rest) = trimmed.split_once("://").unwrap_or_else(|| (default_scheme(trimmed), trimmed));
        let scheme = scheme.to_ascii_lowercase();
        let kind = match scheme.as_str() {
            "ws" | "wss" => Scheme::Socket,
            "http" | "https" => Scheme::Http,
            _ => return Err(AgentError::PoolScheme { text: shown() }),
        };
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !names_a_host(place)
            || place.contains(['@', '?', '#'])
            || place.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(AgentError::PoolHost { text: shown() });
        }
        let place = place.to_ascii_lowercase();
        let default_port = if scheme.ends_with('s') && scheme != "ws" { ":443" } else { ":80" };
        let place = place.strip_suffix(default_port).unwrap_or(&place);
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { url: format!("{scheme}://{place}{path}"), scheme: kind })
    }

    /// The URL in the one form that pool and agent agree on: lower-case scheme and host, no default port, a
    /// slash at the end where there is no path. What is signed for the pool names it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it can be used at all: beyond this machine without TLS only where that was allowed.
    ///
    /// # Errors
    /// [`AgentError::Pool`].
    pub fn check(&self, trust: &Trust) -> Result<(), AgentError> {
        Ok(check_address(&self.url, trust)?)
    }

    /// Whether the pool can call back there. Over HTTP it cannot, so a host needs a socket.
    #[must_use]
    pub fn calls_back(&self) -> bool {
        self.scheme == Scheme::Socket
    }
}

/// A host, and behind it a port or nothing; IPv6 in brackets.
fn names_a_host(place: &str) -> bool {
    let (host, port) = match place.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((v6, port))) => (v6.parse::<Ipv6Addr>().is_ok(), port),
        Some(None) => return false,
        None => {
            let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
            (!host.is_empty(), port)
        }
    };
    let number = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n != 0);
    host && (port.is_empty() || port.strip_prefix(':').is_some_and(number))
}

impl fmt::Display for PoolAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

fn default_scheme(place: &str) -> &'static str {
    let host = place.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).trim_matches(['[', ']']);
    let here = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if here { "ws" } else { "wss" }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    #[test]
    fn has_one_form() {
        for (text, url) in [
            ("WS://Pool.Example:8080", "ws://pool.example:8080/"),
            ("ws://127.0.0.1:8080/", "ws://127.0.0.1:8080/"),
            ("wss://pool.example:443/A", "wss://pool.example/A"),
            ("ws://pool.example:80", "ws://pool.example/"),
            ("ws://pool.example:443", "ws://pool.example:443/"),
            ("http://[::1]:8080", "http://[::1]:8080/"),
            ("127.0.0.1:8080", "ws://127.0.0.1:8080/"),
            ("[::1]:8080", "ws://[::1]:8080/"),
            ("localhost:1", "ws://localhost:1/"),
            ("pool.example", "wss://pool.example/"),
        ] {
            assert_eq!(PoolAddress::read(text).unwrap().url(), url, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_with_a_hint() {
        for text in [
            "",
            "ftp://a",
            "ws://",
            "ws://a b",
            "ws://u:p@a",
            "enode://00@127.0.0.1:30303",
            // Found by fuzzing: a port alone, and more than one.
            ":443",
            "wss://a:443:443",
            "ws://a:",
            "ws://a:65536",
            "ws://a:+1",
            "ws://[::1",
            "ws://[a]:1",
            "ws://[::1]1",
        ] {
            assert!(!PoolAddress::read(text).unwrap_err().hint().unwrap().is_empty(), "{text}");
        }
    }
}
