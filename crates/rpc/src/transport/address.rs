use vipnode_types::{RpcUrl, hide_url_credentials};

use crate::{OpenError, Trust};

/// Checks whether a URL may be used at all, without resolving its name.
///
/// # Errors
/// [`OpenError::Insecure`] for a connection without TLS that goes beyond this machine.
pub fn check_address(url: &RpcUrl, trust: &Trust) -> Result<(), OpenError> {
    if url.is_tls() || url.is_local() || trust.plain() {
        return Ok(());
    }
    Err(OpenError::Insecure { url: url.to_string() })
}

/// Reads a URL of a WebSocket, or else of HTTP, and checks it; without TLS it goes beyond this machine only with
/// `insecure`.
pub(crate) fn checked(text: &str, websocket: bool, insecure: bool) -> Result<RpcUrl, OpenError> {
    let refused = |why: &str| OpenError::Address { url: hide_url_credentials(text), why: why.to_owned() };
    let url: RpcUrl = text.parse().map_err(|error: vipnode_types::RpcUrlError| refused(&error.to_string()))?;
    if url.is_websocket() != websocket {
        let schemes = if websocket { "ws:// nor wss://" } else { "http:// nor https://" };
        return Err(refused(&format!("it begins with neither {schemes}")));
    }
    check_address(&url, &Trust::default().allow_plain(insecure))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    fn read(url: &str) -> RpcUrl {
        url.parse().unwrap()
    }

    #[test]
    fn plain_stays_on_this_machine_unless_insecure_is_set() {
        for url in ["ws://127.0.0.1:8080", "ws://localhost:1/x", "ws://[::1]:8080/"] {
            assert!(checked(url, true, false).is_ok(), "{url}");
        }
        let refused = checked("ws://pool.example:8080", true, false).unwrap_err();
        assert!(refused.hint().unwrap().contains("--insecure"), "{refused}");
        assert!(checked("ws://127.0.0.1.example/", true, false).is_err());
        assert!(checked("ws://pool.example:8080", true, true).is_ok());
    }

    #[test]
    fn an_address_is_judged_before_it_is_used() {
        let (strict, plain) = (Trust::default(), Trust::default().allow_plain(true));
        for (url, by_itself) in [("wss://pool.example/", true), ("http://127.0.0.1/", true), ("ws://10.0.0.1/", false)]
        {
            assert_eq!(check_address(&read(url), &strict).is_ok(), by_itself, "{url}");
            assert!(check_address(&read(url), &plain).is_ok(), "{url}");
        }
    }

    #[test]
    fn tls_goes_anywhere_and_other_schemes_nowhere() {
        assert!(checked("wss://pool.example", true, false).is_ok());
        assert!(matches!(checked("ftp://127.0.0.1", true, true), Err(OpenError::Address { .. })));
        assert!(matches!(checked("wss://a:b@127.0.0.1", true, true), Err(OpenError::Address { .. })));
    }
}
