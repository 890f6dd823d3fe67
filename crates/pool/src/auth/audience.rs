use std::net::SocketAddr;

use axum::http::HeaderValue;
use vipnode_types::{Origin, RpcUrl, sanitize};

use crate::{auth::Arrival, error::Refusal};

/// The URLs that agents may sign for this pool. The Host header does not count, because the caller controls it.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    origins: Vec<Origin>,
    /// Whether the pool's own port accepts TLS.
    tls: bool,
    /// The URLs as text, for error messages.
    listed: Vec<String>,
}

impl Audience {
    /// `hosts` are the names in the pool's own certificate, if it has one; then its URLs apart from `public_urls` start
    /// with `wss://`.
    pub(crate) fn new(bound: SocketAddr, public_urls: &[String], hosts: Option<&[String]>) -> Self {
        let tls = hosts.is_some();
        let mut urls = public_urls.to_vec();
        urls.extend(hosts.unwrap_or_default().iter().map(|host| format!("wss://{host}:{}", bound.port())));
        Self { origins: urls.iter().filter_map(|url| origin(url)).collect(), tls, listed: urls }
    }

    /// Checks the URL that a call is signed for. `arrival` is how the call reached the pool.
    pub(crate) fn check(&self, audience: &str, arrival: &Arrival) -> Result<(), Refusal> {
        if audience.parse().is_ok_and(|url| self.is_own(&url, arrival)) {
            return Ok(());
        }
        let mut known = self.listed.clone();
        let scheme = if self.tls { "wss" } else { "ws" };
        known.extend(arrival.local().map(|local| format!("{scheme}://{}", canonical(local))));
        let known = if known.is_empty() { "not known".to_owned() } else { known.join(", ") };
        Err(Refusal::Audience { audience: sanitize(audience, 200), known })
    }

    /// Whether a web page was loaded from this pool, by the origin that its browser reports.
    pub(crate) fn is_own_page(&self, page: &HeaderValue, arrival: &Arrival) -> bool {
        page.to_str().ok().and_then(|page| page.parse().ok()).is_some_and(|url| self.is_own(&url, arrival))
    }

    /// Names count only from the operator or the certificate. An address counts if the call arrived at it.
    fn is_own(&self, url: &RpcUrl, arrival: &Arrival) -> bool {
        self.origins.contains(&url.origin()) || (url.is_tls() == self.tls && arrival.is_at(url))
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Returns the origin of a URL; `None` if the text is not a URL.
fn origin(url: &str) -> Option<Origin> {
    url.parse::<RpcUrl>().ok().map(|url| url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(local: &str, remote: &str) -> Arrival {
        Arrival::Direct { local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    #[test]
    fn d12_only_urls_of_this_pool_are_accepted() {
        let audience = Audience::new("0.0.0.0:8080".parse().unwrap(), &["wss://Pool.Example/x".to_owned()], None);
        let (local, lan) = (here("127.0.0.1:8080", "127.0.0.1"), here("10.0.0.1:8080", "10.0.0.9"));
        for (good, arrival) in [
            ("ws://127.0.0.1:8080", &local),
            ("http://localhost:8080/rpc", &local),
            ("ws://[::1]:8080/", &local),
            ("ws://10.0.0.1:8080", &lan),
            ("wss://pool.example", &lan),
            ("https://pool.example:443/y", &Arrival::Proxied),
            ("https://pool.example:443/y", &Arrival::UnnamedProxy),
        ] {
            assert!(audience.check(good, arrival).is_ok(), "{good}");
        }
        for (bad, arrival) in [
            ("ws://127.0.0.1:8081", &local),
            ("wss://127.0.0.1:8080", &local),
            ("ws://127.0.0.1:8080", &lan),
            ("ws://127.0.0.1:8080", &Arrival::Proxied),
            ("ws://127.0.0.1:8080", &Arrival::UnnamedProxy),
            ("ws://10.0.0.2:8080", &lan),
            ("ws://pool.example", &local),
            ("wss://pool.example.evil", &local),
            ("pool.example", &local),
            ("", &local),
            ("ws://", &local),
        ] {
            let error = audience.check(bad, arrival).unwrap_err();
            assert!(error.to_string().contains("wss://Pool.Example/x"), "{bad}: {error}");
        }
        let error = audience.check("", &lan).unwrap_err().to_string();
        assert!(error.contains("ws://10.0.0.1:8080") && !error.contains("127.0.0.1"), "{error}");
    }

    #[test]
    fn d12_a_published_port_is_named_by_the_operator() {
        let container = here("172.17.0.2:8080", "172.17.0.1");
        let bind = "0.0.0.0:8080".parse().unwrap();
        assert!(Audience::new(bind, &[], None).check("ws://127.0.0.1:8080", &container).is_err());
        let named = Audience::new(bind, &["ws://127.0.0.1:8080".to_owned()], None);
        assert!(named.check("ws://127.0.0.1:8080", &container).is_ok());
    }

    #[test]
    fn a_page_is_the_pools_own_at_the_urls_that_an_agent_may_sign() {
        let audience = Audience::new("127.0.0.1:8080".parse().unwrap(), &["wss://pool.example".to_owned()], None);
        let local = here("127.0.0.1:8080", "127.0.0.1");
        let own = |page: &'static str, arrival| audience.is_own_page(&HeaderValue::from_static(page), arrival);
        assert!(own("https://pool.example", &Arrival::Proxied) && own("http://localhost:8080", &local));
        for other in ["https://evil.example", "http://pool.example", "null", "http://localhost:3000"] {
            assert!(!own(other, &local), "{other}");
        }
        assert!(!own("http://localhost:8080", &Arrival::UnnamedProxy));
    }
}
