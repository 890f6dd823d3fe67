use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::OnUpgrade;
use vipnode_rpc::ws_accept_key;

/// A request to become a WebSocket (RFC 6455), accepted.
#[derive(Debug)]
pub(crate) struct Upgrade {
    /// The answer to the request.
    pub(crate) response: Response,
    /// The stream, available after the answer was sent.
    pub(crate) stream: OnUpgrade,
}

impl Upgrade {
    /// Accepts the request that begins with `parts`.
    ///
    /// # Errors
    /// The answer to a request that does not ask for a WebSocket.
    pub(crate) fn accept(parts: &mut Parts) -> Result<Self, Box<Response>> {
        let refused = |status: StatusCode, why: &'static str| Err(Box::new((status, why).into_response()));
        let headers = &parts.headers;
        if parts.version != Version::HTTP_11
            || !lists(headers, &header::CONNECTION, "upgrade")
            || !lists(headers, &header::UPGRADE, "websocket")
        {
            return refused(StatusCode::BAD_REQUEST, "this is not a request for a WebSocket\n");
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return refused(StatusCode::BAD_REQUEST, "this pool supports only version 13 of WebSocket\n");
        }
        let accepted = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| ws_accept_key(key.as_bytes()));
        let Some(accepted) = accepted.and_then(|key| HeaderValue::from_str(&key).ok()) else {
            return refused(StatusCode::BAD_REQUEST, "the header sec-websocket-key is missing\n");
        };
        let Some(stream) = parts.extensions.remove::<OnUpgrade>() else {
            return refused(StatusCode::UPGRADE_REQUIRED, "this connection cannot become a WebSocket\n");
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers: [(HeaderName, HeaderValue); 3] = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, accepted),
        ];
        response.headers_mut().extend(headers);
        Ok(Self { response, stream })
    }
}

/// Whether a header lists a word, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn status(headers: &[(&str, &str)]) -> StatusCode {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        Upgrade::accept(&mut parts).unwrap_err().status()
    }

    #[test]
    fn only_a_request_for_a_websocket_is_accepted() {
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        assert_eq!(status(&good), StatusCode::UPGRADE_REQUIRED, "everything is right except that nothing is connected");
        for missing in 0..good.len() {
            let mut bad = good.to_vec();
            bad.remove(missing);
            assert_eq!(status(&bad), StatusCode::BAD_REQUEST, "{bad:?}");
        }
    }
}
