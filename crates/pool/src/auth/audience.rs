use std::net::SocketAddr;

use vipnode_types::{Origin, RpcUrl, sanitize};

use crate::error::Refusal;

/// The URLs that agents may sign for this pool. The Host header does not count, because the caller controls it.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    origins: Vec<Origin>,
    /// The URLs as text, for error messages.
    listed: String,
}

impl Audience {
    /// `hosts` are the names in the pool's own certificate, if it has one; then its URLs apart from `public_urls` start
    /// with `wss://`.
    pub(crate) fn new(bound: SocketAddr, public_urls: &[String], hosts: Option<&[String]>) -> Self {
        let scheme = if hosts.is_some() { "wss" } else { "ws" };
        let mut urls = public_urls.to_vec();
        let hosts = hosts.unwrap_or_default();
        urls.extend(hosts.iter().map(|host| format!("{scheme}://{host}:{}", bound.port())));
        let (ip, port) = (bound.ip().to_canonical(), bound.port());
        if ip.is_unspecified() || ip.is_loopback() {
            urls.extend(["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{scheme}://{host}:{port}")));
        }
        if ip.is_loopback() {
            urls.push(format!("{scheme}://{}", SocketAddr::new(ip, port)));
        }
        let origins = urls.iter().filter_map(|url| origin(url)).collect();
        Self { origins, listed: urls.join(", ") }
    }

    pub(crate) fn check(&self, audience: &str) -> Result<(), Refusal> {
        if origin(audience).is_some_and(|origin| self.origins.contains(&origin)) {
            return Ok(());
        }
        let shown = sanitize(audience, 200);
        Err(Refusal::Audience { audience: shown, known: self.listed.clone() })
    }
}

/// Returns the origin of a URL; `None` if the text is not a URL.
fn origin(url: &str) -> Option<Origin> {
    url.parse::<RpcUrl>().ok().map(|url| url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_only_urls_of_this_pool_are_accepted() {
        let audience = Audience::new("0.0.0.0:8080".parse().unwrap(), &["wss://Pool.Example/x".to_owned()], None);
        for good in [
            "ws://127.0.0.1:8080",
            "http://localhost:8080/rpc",
            "ws://[::1]:8080/",
            "wss://pool.example",
            "https://pool.example:443/y",
        ] {
            assert!(audience.check(good).is_ok(), "{good}");
        }
        for bad in ["ws://127.0.0.1:8081", "ws://pool.example", "wss://pool.example.evil", "pool.example", "", "ws://"]
        {
            let error = audience.check(bad).unwrap_err();
            assert!(error.to_string().contains("wss://Pool.Example/x"), "{bad}: {error}");
        }
        let narrow = Audience::new("10.0.0.1:8080".parse().unwrap(), &[], None);
        assert!(narrow.check("ws://127.0.0.1:8080").is_err());
    }
}
