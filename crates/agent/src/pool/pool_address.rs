use std::fmt;

use vipnode_rpc::{OpenError, Trust, check_address};
use vipnode_types::{RpcUrl, RpcUrlError, hide_url_credentials};

use crate::AgentError;

/// The address of a pool, as its user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolAddress {
    url: RpcUrl,
    /// Whether its user wrote the scheme.
    has_scheme: bool,
}

impl PoolAddress {
    /// Reads `ws://host:port`, `wss://`, `http://` or `https://`, with a path or without. Without a scheme it
    /// is `ws://` on this machine and `wss://` beyond.
    ///
    /// # Errors
    /// [`AgentError::PoolIsEnode`], [`AgentError::PoolScheme`], [`AgentError::PoolHost`], or
    /// [`OpenError::Address`] for what else is wrong.
    pub fn read(text: &str) -> Result<Self, AgentError> {
        let shown = || hide_url_credentials(text).chars().take(200).collect::<String>();
        if text.trim().starts_with("enode://") {
            return Err(AgentError::PoolIsEnode { text: shown() });
        }
        match RpcUrl::with_default_scheme(text) {
            Ok(url) => Ok(Self { url, has_scheme: text.contains("://") }),
            Err(RpcUrlError::Scheme) => Err(AgentError::PoolScheme { text: shown() }),
            Err(RpcUrlError::Host) => Err(AgentError::PoolHost { text: shown() }),
            Err(error) => Err(OpenError::Address { url: shown(), why: error.to_string() }.into()),
        }
    }

    /// The URL in its one spelling. What is signed for the pool names it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Whether it can be used at all: beyond this machine without TLS only where that was allowed.
    ///
    /// # Errors
    /// [`AgentError::Pool`].
    pub fn check(&self, trust: &Trust) -> Result<(), AgentError> {
        Ok(check_address(&self.url, trust)?)
    }

    /// Whether its user named a URL. A text without a scheme may be a mistyped command or the name of a file.
    #[must_use]
    pub const fn is_named_by_url(&self) -> bool {
        self.has_scheme
    }

    /// Whether it leads to this machine by its form.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.url.is_local()
    }

    /// Whether the pool can call back there. Over HTTP it cannot, so a host needs a socket.
    #[must_use]
    pub fn calls_back(&self) -> bool {
        self.url.is_websocket()
    }
}

impl fmt::Display for PoolAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
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
    fn a_password_is_refused_and_not_repeated() {
        for text in [
            "ws://me:secret@pool.example",
            "me:secret@pool.example",
            "ftp://me:secret@pool.example",
            "wss://me:secret/more@pool.example",
            "wss://me:secret more@pool.example",
            "http//me:secret@pool.example",
            "http:/me:secret@pool.example",
        ] {
            let error = PoolAddress::read(text).unwrap_err().to_string();
            assert!(!error.contains("secret") && error.contains("pool.example"), "{error}");
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
