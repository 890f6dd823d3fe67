use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::HeaderValue;
use vipnode_types::{RpcUrl, sanitize};

use crate::{
    auth::{Arrival, OwnCertificate},
    call_refusal::CallRefusal,
    local_addresses::addresses_at,
};

/// The URLs that agents may sign for this pool. The Host header does not count, because the caller controls it.
///
/// An agent remembers what belongs to a pool by its URL, so the path counts: with an unknown one, the pool would be another
/// pool to the agent. Only the operator knows of a proxy that leads a path to this pool, so any other URL has none.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    bound: SocketAddr,
    public_urls: Vec<RpcUrl>,
    /// The pool's own certificate, if its port accepts TLS.
    tls: Option<Arc<dyn OwnCertificate>>,
}

impl Audience {
    pub(crate) fn new(bound: SocketAddr, public_urls: &[RpcUrl], tls: Option<Arc<dyn OwnCertificate>>) -> Self {
        Self { bound, public_urls: public_urls.to_vec(), tls }
    }

    /// Checks the URL that a call is signed for, and returns it. `arrival` is how the call reached the pool.
    pub(crate) fn check(&self, audience: &str, arrival: &Arrival) -> Result<RpcUrl, CallRefusal> {
        if let Some(url) = audience.parse().ok().filter(|url| self.is_named(url) || self.is_without_path(url, arrival))
        {
            return Ok(url);
        }
        let audience = sanitize(audience, 200);
        let mut known: Vec<String> = self.public_urls.iter().map(shown).collect();
        known.extend(self.certificate_urls());
        known.extend(arrival.local().map(|local| self.url_of(local.ip(), local.port())));
        let known = without_repeats(known);
        if known.is_empty() {
            return Err(CallRefusal::NoAudience { audience });
        }
        Err(CallRefusal::Audience { audience, known: known.join(", ") })
    }

    /// Returns the URLs that agents can use, the most useful first: those of the operator, those of the certificate's names,
    /// and the addresses at which the pool listens, unless the certificate is for names only. At a loopback address, other
    /// machines cannot use the names.
    pub(crate) fn urls(&self) -> Vec<String> {
        let named = self.certificate_urls();
        let by_address = named.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.has_addresses());
        let addresses = if by_address { addresses_at(self.bound.ip()) } else { Vec::new() };
        let named = if by_address && self.bound.ip().to_canonical().is_loopback() { Vec::new() } else { named };
        let addresses = addresses.into_iter().map(|ip| self.url_of(ip, self.bound.port()));
        without_repeats(self.public_urls.iter().map(shown).chain(addresses).chain(named))
    }

    fn url_of(&self, ip: IpAddr, port: u16) -> String {
        let (scheme, usual) = if self.tls.is_some() { ("wss", 443) } else { ("ws", 80) };
        match (ip.to_canonical(), port == usual) {
            (IpAddr::V4(ip), true) => format!("{scheme}://{ip}"),
            (IpAddr::V6(ip), true) => format!("{scheme}://[{ip}]"),
            (ip, false) => format!("{scheme}://{}", SocketAddr::new(ip, port)),
        }
    }

    fn certificate_urls(&self) -> Vec<String> {
        let names = self.tls.iter().flat_map(|tls| tls.names()).filter(|name| is_public_name(name));
        let port = match self.ports() {
            [443, _] | [_, 443] => String::new(),
            [port, _] => format!(":{port}"),
        };
        names.map(|name| format!("wss://{name}{port}")).collect()
    }

    /// The ports at which agents reach the pool under a name of its certificate.
    fn ports(&self) -> [u16; 2] {
        let other = self.tls.as_ref().and_then(|tls| tls.other_port());
        [self.bound.port(), other.unwrap_or(self.bound.port())]
    }

    /// Whether a web page was loaded from this pool, by the origin that its browser reports.
    pub(crate) fn is_own_page(&self, page: &HeaderValue, arrival: &Arrival) -> bool {
        let Some(page) = page.to_str().ok().and_then(|page| page.parse::<RpcUrl>().ok()) else { return false };
        let is_public = || self.public_urls.iter().any(|public| public.origin() == page.origin());
        is_public() || self.is_without_path(&page, arrival)
    }

    /// Whether the operator named the URL. WebSocket and HTTP are the same.
    fn is_named(&self, url: &RpcUrl) -> bool {
        self.public_urls.iter().any(|public| public.origin() == url.origin() && public.path() == url.path())
    }

    /// Names count only from the operator or the certificate. An address counts if the call arrived at it.
    fn is_without_path(&self, url: &RpcUrl, arrival: &Arrival) -> bool {
        let arrived = || url.is_tls() == self.tls.is_some() && arrival.is_at(url);
        url.path() == "/" && (arrived() || self.is_certified(url))
    }

    /// Whether the URL has a name of the pool's certificate.
    fn is_certified(&self, url: &RpcUrl) -> bool {
        let Some(tls) = &self.tls else { return false };
        let is_name = |name: &String| is_public_name(name) && name.eq_ignore_ascii_case(url.host());
        url.is_tls() && self.ports().contains(&url.port()) && tls.names().iter().any(is_name)
    }
}

/// Whether a name of a certificate leads to one pool from every machine: it is neither a wildcard, nor an address, nor this
/// machine's name for itself.
fn is_public_name(name: &str) -> bool {
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    !local && !name.contains('*') && name.parse::<IpAddr>().is_err()
}

/// The first URL of each origin: a certificate may be for the operator's own URL.
fn without_repeats(urls: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    let is_new = |url: &String| {
        let origin = url.parse::<RpcUrl>().ok().map(|url| url.origin());
        let is_new = origin.is_none() || !seen.contains(&origin);
        seen.push(origin);
        is_new
    };
    urls.into_iter().filter(is_new).collect()
}

/// The URL without the slash of an empty path.
fn shown(url: &RpcUrl) -> String {
    let text = url.as_str();
    if url.path() == "/" { text.trim_end_matches('/').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Certificate(&'static [&'static str], Option<u16>);

    impl OwnCertificate for Certificate {
        fn names(&self) -> Vec<String> {
            self.0.iter().map(ToString::to_string).collect()
        }

        fn other_port(&self) -> Option<u16> {
            self.1
        }

        fn has_addresses(&self) -> bool {
            self.1.is_none()
        }
    }

    fn url(text: &str) -> RpcUrl {
        text.parse().unwrap()
    }

    fn here(local: &str, remote: &str) -> Arrival {
        Arrival::Direct { local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    #[test]
    fn d12_only_urls_of_this_pool_are_accepted() {
        let audience = Audience::new("0.0.0.0:8080".parse().unwrap(), &[url("wss://Pool.Example/x")], None);
        let (local, lan) = (here("127.0.0.1:8080", "127.0.0.1"), here("10.0.0.1:8080", "10.0.0.9"));
        for (good, arrival) in [
            ("ws://127.0.0.1:8080", &local),
            ("http://localhost:8080", &local),
            ("ws://[::1]:8080/", &local),
            ("ws://10.0.0.1:8080", &lan),
            ("wss://pool.example/x", &lan),
            ("https://pool.example:443/x", &Arrival::Proxied),
            ("https://POOL.example:443/x", &Arrival::Hidden),
        ] {
            assert!(audience.check(good, arrival).is_ok(), "{good}");
        }
        for (bad, arrival) in [
            ("ws://127.0.0.1:8081", &local),
            ("wss://127.0.0.1:8080", &local),
            ("ws://127.0.0.1:8080", &lan),
            ("ws://127.0.0.1:8080", &Arrival::Proxied),
            ("ws://127.0.0.1:8080", &Arrival::Hidden),
            ("ws://10.0.0.2:8080", &lan),
            ("ws://pool.example/x", &local),
            ("wss://pool.example.evil/x", &local),
            ("pool.example", &local),
            ("", &local),
            ("ws://", &local),
        ] {
            let error = audience.check(bad, arrival).unwrap_err();
            assert!(error.to_string().contains("wss://pool.example/x"), "{bad}: {error}");
        }
        let error = audience.check("", &lan).unwrap_err().to_string();
        assert!(error.contains("ws://10.0.0.1:8080") && !error.contains("127.0.0.1"), "{error}");
    }

    /// Otherwise, the pool would be several pools to an agent, each with a state and a pinned ID of its own.
    #[test]
    fn a_url_with_another_path_is_refused() {
        let bind = "0.0.0.0:8080".parse().unwrap();
        let local = here("127.0.0.1:8080", "127.0.0.1");
        let public = [url("wss://pool.example"), url("wss://shared.example/a/")];
        let audience = Audience::new(bind, &public, None);
        for good in
            ["wss://pool.example/", "wss://pool.example:443", "https://shared.example/a/", "ws://127.0.0.1:8080/"]
        {
            assert!(audience.check(good, &local).is_ok(), "{good}");
        }
        for bad in [
            "wss://pool.example/foo",
            "wss://pool.example//",
            "wss://pool.example/?a",
            "wss://pool.example/#a",
            "wss://shared.example/",
            "wss://shared.example/a",
            "wss://shared.example/b/",
            "ws://127.0.0.1:8080/foo",
        ] {
            let error = audience.check(bad, &local).unwrap_err().to_string();
            assert!(
                error.contains(bad) && error.contains("are wss://pool.example, wss://shared.example/a/, ws://127"),
                "{error}"
            );
        }
        let certificate = Arc::new(Certificate(&["pool.lan"], None));
        let certified = Audience::new(bind, &[], Some(certificate));
        assert!(certified.check("wss://pool.lan:8080", &local).is_ok());
        assert!(certified.check("wss://pool.lan:8080/foo", &local).is_err());
        // A browser reports no path.
        assert!(audience.is_own_page(&HeaderValue::from_static("https://shared.example"), &local));
    }

    #[test]
    fn d12_a_published_port_is_named_by_the_operator() {
        let container = here("172.17.0.2:8080", "172.17.0.1");
        let bind = "0.0.0.0:8080".parse().unwrap();
        assert!(Audience::new(bind, &[], None).check("ws://127.0.0.1:8080", &container).is_err());
        let named = Audience::new(bind, &[url("ws://127.0.0.1:8080")], None);
        assert!(named.check("ws://127.0.0.1:8080", &container).is_ok());
    }

    #[test]
    fn a_page_is_the_pools_own_at_the_urls_that_an_agent_may_sign() {
        let audience = Audience::new("127.0.0.1:8080".parse().unwrap(), &[url("wss://pool.example")], None);
        let local = here("127.0.0.1:8080", "127.0.0.1");
        let own = |page: &'static str, arrival| audience.is_own_page(&HeaderValue::from_static(page), arrival);
        assert!(own("https://pool.example", &Arrival::Proxied) && own("http://localhost:8080", &local));
        for other in ["https://evil.example", "http://pool.example", "null", "http://localhost:3000"] {
            assert!(!own(other, &local), "{other}");
        }
        assert!(!own("http://localhost:8080", &Arrival::Hidden));
    }

    #[test]
    fn d12_the_names_of_the_certificate_are_urls_of_the_pool() {
        let names = &["pool.lan", "*.wild.lan", "localhost", "10.0.0.1"];
        let audience = Audience::new("10.0.0.1:8443".parse().unwrap(), &[], Some(Arc::new(Certificate(names, None))));
        let lan = here("10.0.0.1:8443", "10.0.0.9");
        for good in ["wss://pool.lan:8443", "https://POOL.lan:8443", "wss://10.0.0.1:8443"] {
            assert!(audience.check(good, &lan).is_ok(), "{good}");
        }
        for bad in ["ws://pool.lan:8443", "wss://pool.lan", "wss://a.wild.lan:8443", "wss://localhost:8443"] {
            assert!(audience.check(bad, &lan).is_err(), "{bad}");
        }
        // An address in the certificate is not a name: the call has to arrive at it.
        assert!(audience.check("wss://10.0.0.1:8443", &here("10.0.0.2:8443", "10.0.0.9")).is_err());
        assert_eq!(audience.urls(), ["wss://10.0.0.1:8443", "wss://pool.lan:8443"]);
        let acme = Certificate(&["pool.example"], Some(443));
        let audience = Audience::new("0.0.0.0:8443".parse().unwrap(), &[], Some(Arc::new(acme)));
        assert_eq!(audience.urls(), ["wss://pool.example"]);
        assert!(
            audience.check("wss://pool.example", &lan).is_ok()
                && audience.check("wss://pool.example:8443", &lan).is_ok()
        );
    }

    #[test]
    fn a_refusal_never_names_an_empty_list() {
        let audience = Audience::new("127.0.0.1:8080".parse().unwrap(), &[], None);
        let error = audience.check("wss://pool.example/", &Arrival::Proxied).unwrap_err();
        assert!(matches!(&error, CallRefusal::NoAudience { .. }), "{error}");
        assert!(vipnode_types::TypedError::hint(&error).unwrap().contains("--public-url wss://pool.example/"));
    }

    #[test]
    fn agents_are_shown_urls_that_they_can_use() {
        let urls = |bound: &str, public: &[RpcUrl]| Audience::new(bound.parse().unwrap(), public, None).urls();
        assert_eq!(urls("10.0.0.1:8080", &[]), ["ws://10.0.0.1:8080"]);
        assert_eq!(urls("[fd00::1]:80", &[]), ["ws://[fd00::1]"]);
        assert_eq!(urls("127.0.0.1:8080", &[url("wss://pool.example")])[0], "wss://pool.example");
        let any = urls("0.0.0.0:8080", &[]);
        assert!(!any.is_empty() && any.iter().all(|url| !url.contains("0.0.0.0")), "{any:?}");
    }

    #[test]
    fn a_public_url_with_a_name_of_the_certificate_is_shown_once() {
        let certificate = Arc::new(Certificate(&["pool.lan", "10.0.0.1"], None));
        let public = [url("wss://Pool.lan:8443"), url("wss://10.0.0.1:8443")];
        let audience = Audience::new("10.0.0.1:8443".parse().unwrap(), &public, Some(certificate));
        assert_eq!(audience.urls(), ["wss://pool.lan:8443", "wss://10.0.0.1:8443"]);
        let error = audience.check("wss://other", &here("10.0.0.1:8443", "10.0.0.9")).unwrap_err().to_string();
        assert_eq!(error.matches("pool.lan").count(), 1, "{error}");
    }

    #[test]
    fn a_pool_at_a_loopback_address_names_only_that_address() {
        let urls = |names: &'static [&'static str], addresses: bool| {
            let certificate: Arc<dyn OwnCertificate> = Arc::new(Certificate(names, (!addresses).then_some(8080)));
            Audience::new("127.0.0.1:8080".parse().unwrap(), &[], Some(certificate)).urls()
        };
        assert_eq!(urls(&["mybox", "localhost", "127.0.0.1"], true), ["wss://127.0.0.1:8080"]);
        assert_eq!(urls(&["pool.example"], false), ["wss://pool.example:8080"], "the certificate has no address");
    }
}
