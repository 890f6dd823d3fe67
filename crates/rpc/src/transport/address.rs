use reqwest::Url;

use crate::{OpenError, Trust};

/// Whether a WebSocket or HTTP address can be used at all, as far as it tells by itself.
///
/// # Errors
/// [`OpenError::Address`] and [`OpenError::Insecure`].
pub fn check_address(url: &str, trust: &Trust) -> Result<(), OpenError> {
    let (plain, tls) = if url.starts_with("http") { ("http", "https") } else { ("ws", "wss") };
    checked(url, plain, tls, trust.plain()).map(drop)
}

/// Reads a URL and applies the rule: `plain` beyond this machine only with `insecure`.
pub(crate) fn checked(url: &str, plain: &str, tls: &str, insecure: bool) -> Result<Url, OpenError> {
    let address = |why: &str| OpenError::Address { url: url.to_owned(), why: why.to_owned() };
    let parsed = Url::parse(url).map_err(|error| address(&error.to_string()))?;
    if parsed.scheme() != plain && parsed.scheme() != tls {
        return Err(address(&format!("it begins with neither {plain}:// nor {tls}://")));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(address("user and password in an address are not supported"));
    }
    let host = parsed.host_str().ok_or_else(|| address("it names no host"))?;
    if parsed.scheme() == plain && !insecure && !is_loopback(host) {
        return Err(OpenError::Insecure { url: url.to_owned() });
    }
    Ok(parsed)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_stays_on_this_machine_unless_told() {
        for url in ["ws://127.0.0.1:8080", "ws://localhost:1/x", "ws://[::1]:8080/"] {
            assert!(checked(url, "ws", "wss", false).is_ok(), "{url}");
        }
        let refused = checked("ws://pool.example:8080", "ws", "wss", false).unwrap_err();
        assert!(refused.to_string().contains("--insecure"), "{refused}");
        assert!(checked("ws://127.0.0.1.example/", "ws", "wss", false).is_err());
        assert!(checked("ws://pool.example:8080", "ws", "wss", true).is_ok());
    }

    #[test]
    fn an_address_is_judged_before_it_is_used() {
        let (strict, plain) = (Trust::default(), Trust::default().allow_plain(true));
        for (url, by_itself) in [("wss://pool.example/", true), ("http://127.0.0.1/", true), ("ws://10.0.0.1/", false)]
        {
            assert_eq!(check_address(url, &strict).is_ok(), by_itself, "{url}");
            assert!(check_address(url, &plain).is_ok(), "{url}");
        }
        assert!(check_address("ftp://127.0.0.1/", &plain).is_err());
    }

    #[test]
    fn tls_goes_anywhere_and_other_schemes_nowhere() {
        assert!(checked("wss://pool.example", "ws", "wss", false).is_ok());
        assert!(matches!(checked("ftp://127.0.0.1", "ws", "wss", true), Err(OpenError::Address { .. })));
        assert!(matches!(checked("wss://a:b@127.0.0.1", "ws", "wss", true), Err(OpenError::Address { .. })));
    }
}
