//! Signs that a proxy passed on a request, whether or not `--proxy` names it.
//!
//! A request that has one is never treated as one from this machine. Without any, it still may be from a proxy that adds nothing
//! and keeps the Host header of a loopback address, as nginx does by default.

use axum::http::{HeaderMap, header};
use vipnode_types::RpcUrl;

use crate::net::trusted_proxies::ProxyHeader;

/// The headers, besides those in which a named proxy can name its client, that reverse proxies, balancers, and content delivery
/// networks add to a request, and that nobody else sends.
pub(crate) const HEADERS: [&str; 39] = [
    "akamai-origin-hop",
    "cdn-loop",
    "client-ip",
    "do-connecting-ip",
    "forwarded-for",
    "incap-client-ip",
    "max-forwards",
    "proxy-client-ip",
    "true-client-ip",
    "via",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "x-arr-log-id",
    "x-arr-ssl",
    "x-client-ip",
    "x-client-real-ip",
    "x-cloud-trace-context",
    "x-cluster-client-ip",
    "x-coming-from",
    "x-host",
    "x-iinfo",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-proto",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-proxied-for",
    "x-proxy-id",
    "x-proxyuser-ip",
    "x-real-port",
    "x-remote-addr",
    "x-remote-ip",
    "x-scheme",
    "x-sigsci-client-ip",
    "x-true-client-ip",
    "x-url-scheme",
    "x-varnish",
];

/// The beginnings of further such headers: each of these products adds several.
pub(crate) const PREFIXES: [&str; 9] =
    ["cf-", "cloudfront-", "fastly-", "fly-", "x-amz", "x-azure-", "x-envoy-", "x-forwarded", "x-vercel-"];

/// Whether a request that arrived from this machine was passed on by a proxy.
pub(crate) fn is_passed_on(headers: &HeaderMap) -> bool {
    has_proxy_header(headers) || names_other_host(headers)
}

fn has_proxy_header(headers: &HeaderMap) -> bool {
    let is_one = |name: &str| HEADERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    ProxyHeader::ALL.iter().any(|header| headers.contains_key(header.name()))
        || headers.keys().any(|name| is_one(name.as_str()))
}

/// Whether the Host header names a host that is not this machine. Who connects to a loopback address names that address, unless
/// it is a proxy that passes on the name that its client used.
fn names_other_host(headers: &HeaderMap) -> bool {
    let is_local =
        |host: &str| host.is_empty() || format!("ws://{host}").parse::<RpcUrl>().is_ok_and(|url| url.is_local());
    headers.get_all(header::HOST).iter().any(|host| !host.to_str().is_ok_and(is_local))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn passed_on(name: &str, value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value));
        is_passed_on(&headers)
    }

    #[test]
    fn each_header_of_a_proxy_is_a_sign_of_one() {
        let named = ProxyHeader::ALL.map(|header| header.name().to_string());
        let prefixed = PREFIXES.map(|prefix| format!("{prefix}x"));
        let listed = HEADERS.map(str::to_owned);
        for name in named.iter().chain(&prefixed).chain(&listed) {
            assert!(passed_on(name, "192.0.2.7"), "{name}");
        }
        let examples =
            ["Fly-Client-IP", "X-Envoy-External-Address", "CF-Connecting-IP", "X-Forwarded-Proto", "X-Amzn-Trace-Id"];
        for name in examples {
            assert!(passed_on(name, "192.0.2.7"), "{name}");
        }
        for name in ["user-agent", "accept", "authorization", "content-type", "origin", "upgrade", "sec-websocket-key"]
        {
            assert!(!passed_on(name, "192.0.2.7"), "{name}");
        }
    }

    #[test]
    fn a_host_header_that_names_another_host_is_a_sign_of_a_proxy() {
        for local in ["127.0.0.1:8080", "127.0.0.9", "[::1]:8080", "localhost", "localhost:1", "pool.localhost", ""] {
            assert!(!passed_on("host", local), "{local}");
        }
        for other in
            ["pool.example", "10.0.0.1:8080", "vipnode_pool", "localhost.example", "a b", "127.0.0.1@pool.example"]
        {
            assert!(passed_on("host", other), "{other}");
        }
    }
}
