//! Golden cases, and the spelling of the parser that this one replaced: signatures in the field cover it.

use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::*;

/// The audience as agents wrote it before there was [`RpcUrl`]; `None` where they refused the address.
fn earlier_audience(text: &str) -> Option<String> {
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
    fn default_scheme(place: &str) -> &'static str {
        let host = place.split('/').next().unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).trim_matches(['[', ']']);
        let here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if here { "ws" } else { "wss" }
    }
    let trimmed = text.trim();
    let (scheme, rest) = trimmed.split_once("://").unwrap_or_else(|| (default_scheme(trimmed), trimmed));
    let scheme = scheme.to_ascii_lowercase();
    if !["ws", "wss", "http", "https"].contains(&scheme.as_str()) {
        return None;
    }
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let odd = place.contains(['@', '?', '#']) || place.chars().any(|c| c.is_whitespace() || c.is_control());
    if !names_a_host(place) || odd {
        return None;
    }
    let place = place.to_ascii_lowercase();
    let default_port = if scheme.ends_with('s') && scheme != "ws" { ":443" } else { ":80" };
    let place = place.strip_suffix(default_port).unwrap_or(&place);
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{place}{path}"))
}

fn spelling(text: &str) -> Result<String, RpcUrlError> {
    RpcUrl::with_default_scheme(text).map(|url| url.to_string())
}

#[test]
fn the_path_is_everything_after_host_and_port() {
    for (text, path) in
        [("wss://h", "/"), ("wss://h:443/", "/"), ("ws://[::1]:1/A/%41/", "/A/%41/"), ("https://h?q=/#f", "/?q=/#f")]
    {
        assert_eq!(text.parse::<RpcUrl>().unwrap().path(), path, "{text}");
    }
}

#[test]
fn has_one_spelling_which_is_the_earlier_one() {
    for (text, expected) in [
        ("WS://Pool.Example:8080", "ws://pool.example:8080/"),
        ("ws://127.0.0.1:8080/", "ws://127.0.0.1:8080/"),
        ("wss://pool.example:443/A", "wss://pool.example/A"),
        ("ws://pool.example:80", "ws://pool.example/"),
        ("ws://pool.example:443", "ws://pool.example:443/"),
        ("https://pool.example:443", "https://pool.example/"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("ws://[0:0::1]:80/x", "ws://[0:0::1]/x"),
        ("wss://pool.example.", "wss://pool.example./"),
        ("wss://MÜNCHEN.example/ü", "wss://mÜnchen.example/ü"),
        ("wss://pool.example/a/../b%20c?d=E", "wss://pool.example/a/../b%20c?d=E"),
        ("127.1:8080", "wss://127.1:8080/"),
        ("127.0.0.1:8080", "ws://127.0.0.1:8080/"),
        ("[::1]:8080", "ws://[::1]:8080/"),
        ("localhost:1", "ws://localhost:1/"),
        ("LOCALHOST:1", "wss://localhost:1/"),
        (" pool.example ", "wss://pool.example/"),
    ] {
        assert_eq!(spelling(text).as_deref(), Ok(expected), "{text}");
        assert_eq!(earlier_audience(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_it_means_is_read_as_browsers_do() {
    let read = |text: &str| text.parse::<RpcUrl>().unwrap();
    for (text, host, port, local) in [
        ("ws://LocalHost/", "localhost", 80, true),
        ("https://a.localhost", "a.localhost", 443, true),
        ("wss://pool.example.", "pool.example.", 443, false),
        ("ws://127.1:8080", "127.0.0.1", 8080, true),
        ("ws://127.0.0.1.example/", "127.0.0.1.example", 80, false),
        ("ws://[::ffff:127.0.0.1]:1", "::ffff:7f00:1", 1, true),
        ("ws://[::1]:8080/", "::1", 8080, true),
        ("wss://münchen.example", "xn--mnchen-3ya.example", 443, false),
        ("https://rpc.example?key=1", "rpc.example", 443, false),
    ] {
        let url = read(text);
        assert_eq!((url.host(), url.port(), url.is_local()), (host, port, local), "{text}");
    }
    assert_eq!(read("wss://Pool.Example/x").origin(), read("https://pool.example:443/y").origin());
    assert_ne!(read("wss://pool.example").origin(), read("ws://pool.example:443").origin());
    assert_ne!(read("wss://pool.example").origin(), read("wss://pool.example.").origin());
}

#[test]
fn refuses_the_rest_by_name() {
    for (text, error) in [
        ("", RpcUrlError::Host),
        ("ftp://a", RpcUrlError::Scheme),
        ("enode://00@127.0.0.1:30303", RpcUrlError::Scheme),
        ("ws://", RpcUrlError::Host),
        ("ws:///x", RpcUrlError::Host),
        ("ws://a b", RpcUrlError::Host),
        ("ws://a\\b", RpcUrlError::Host),
        ("ws://u:p@a", RpcUrlError::UserInfo),
        ("ws://@a", RpcUrlError::UserInfo),
        ("ws://u:p/q@a", RpcUrlError::UserInfo),
        ("ws://u:p#q@a", RpcUrlError::UserInfo),
        ("u:p@a", RpcUrlError::UserInfo),
        ("http//u:p@a", RpcUrlError::UserInfo),
        ("http:/u:p@a", RpcUrlError::UserInfo),
        (":443", RpcUrlError::Host),
        ("wss://a:443:443", RpcUrlError::Port),
        ("ws://a:", RpcUrlError::Port),
        ("ws://a:0", RpcUrlError::Port),
        ("ws://a:65536", RpcUrlError::Port),
        ("ws://a:+1", RpcUrlError::Port),
        ("ws://[::1]1", RpcUrlError::Port),
        ("ws://a/\n/b", RpcUrlError::Control),
    ] {
        assert_eq!(spelling(text), Err(error), "{text}");
    }
    for text in ["ws://[::1", "ws://[a]:1", "ws://a<b", "ws://256.0.0.1"] {
        assert!(spelling(text).is_err(), "{text}");
    }
}

#[test]
fn a_scheme_without_its_colon_or_slash_is_not_a_host() {
    for (text, meant) in [
        ("https//10.0.0.1:8443", "https://10.0.0.1:8443"),
        ("WSS:/pool.example/x?y", "wss://pool.example"),
        ("ws//localhost", "ws://localhost"),
    ] {
        assert_eq!(spelling(text), Err(RpcUrlError::Slashes { meant: meant.to_owned() }), "{text}");
    }
    for host in ["http/x", "ws:8080", "https", "pool.example//x", "wss.example:1/"] {
        assert!(spelling(host).is_ok(), "{host}");
    }
}

proptest! {
    /// What is read is spelled as before, or could not be connected to before either; and its spelling is read back.
    #[test]
    fn signatures_cover_what_they_covered(
        text in "((ws|wss|WSS|http|https)://)?[a-zA-Z0-9.\\[\\]:ü_-]{0,20}(:(80|443|8080))?(/[a-z0-9./?#=%ü -]{0,12})?",
    ) {
        if let Ok(url) = RpcUrl::with_default_scheme(&text) {
            prop_assert_eq!(earlier_audience(&text), Some(url.to_string()));
            prop_assert_eq!(url.as_str().parse::<RpcUrl>(), Ok(url.clone()));
            prop_assert_eq!(url.as_str().parse::<RpcUrl>().map(|again| again.origin()), Ok(url.origin()));
        } else if let Some(audience) = earlier_audience(&text).filter(|_| with_slashes(&text).is_none()) {
            prop_assert!(Url::parse(&audience).is_err(), "{} was connected to", audience);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        let _any = RpcUrl::with_default_scheme(&text);
    }
}
