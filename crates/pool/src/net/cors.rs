use std::str::FromStr;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::auth::audience::origin;

/// Which web pages a browser lets read this pool's answers (D45). No call is authenticated by anything
/// that a browser adds of itself, so `*` opens nothing that is closed to others.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<HeaderValue>);

/// Why an origin cannot be allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no origin: write https://pages.example, without a path, or * for every page")]
pub struct OriginError(String);

/// One origin, as `--allow-origin` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(HeaderValue);

const ANY: HeaderValue = HeaderValue::from_static("*");
/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("content-type");
/// What this port answers at all.
pub(crate) const ALLOW: &str = "GET, OPTIONS, POST";

impl FromStr for AllowedOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError(text.to_owned());
        let is_page = text == "*"
            || text == "null"
            || (text.starts_with("http") && origin(text).is_some() && text.matches('/').count() == 2);
        if !is_page {
            return Err(error());
        }
        HeaderValue::from_str(&text.to_ascii_lowercase()).map(Self).map_err(|_| error())
    }
}

impl FromIterator<AllowedOrigin> for AllowedOrigins {
    fn from_iter<T: IntoIterator<Item = AllowedOrigin>>(origins: T) -> Self {
        Self(origins.into_iter().map(|origin| origin.0).collect())
    }
}

impl AllowedOrigins {
    /// The answer to OPTIONS, which a browser asks before it sends a page's POST.
    pub(crate) fn options(&self, request: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
        self.open(request.get(header::ORIGIN), headers);
        let asked = request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if asked && headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            let answers: [(HeaderName, HeaderValue); 3] = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            headers.extend(answers);
        }
        response
    }

    /// Lets the page that asks read an answer, if it is one of these.
    pub(crate) fn open(&self, page: Option<&HeaderValue>, response: &mut HeaderMap) {
        if self.0.contains(&ANY) {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            return;
        }
        if self.0.is_empty() {
            return;
        }
        // Whatever keeps the answer must not show it to another page.
        response.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(page) = page.filter(|page| self.0.contains(page)) {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &[&str]) -> AllowedOrigins {
        origins.iter().map(|origin| origin.parse::<AllowedOrigin>().unwrap()).collect()
    }

    fn preflight(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_str(origin).unwrap()),
            (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
        ])
    }

    #[test]
    fn d45_a_page_that_is_allowed_hears_so_and_no_other() {
        let pages = allowed(&["https://a.example", "http://localhost:3000"]);
        for (page, may) in [
            ("https://a.example", true),
            ("http://localhost:3000", true),
            ("http://a.example", false),
            ("https://a.example.evil", false),
            ("null", false),
        ] {
            let answer = pages.options(&preflight(page));
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            let headers = answer.headers();
            assert_eq!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), may, "{page}");
            assert_eq!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS), may, "{page}");
            assert_eq!(headers[header::VARY], "origin");
        }
        let any = allowed(&["*"]).options(&preflight("https://a.example"));
        assert_eq!(any.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!any.headers().contains_key(header::VARY));
        let none = allowed(&[]).options(&preflight("https://a.example"));
        assert!(!none.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(none.headers()[header::ALLOW], ALLOW);
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in ["", "a.example", "https://a.example/path", "https://a.example/", "ftp://a", "https://", "a\nb"] {
            assert!(bad.parse::<AllowedOrigin>().is_err(), "{bad}");
        }
    }
}
