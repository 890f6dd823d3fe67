//! Cross-origin resource sharing (CORS): the headers that let a page in a browser read an answer.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::auth::PageAccess;

/// How long a browser may keep the answer to OPTIONS, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("content-type");
/// The HTTP methods that this port answers.
pub(crate) const ALLOW: &str = "GET, HEAD, OPTIONS, POST";

/// Returns the answer to OPTIONS, which a browser sends before a page's POST.
pub(crate) fn options(access: PageAccess, request: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    open(access, headers);
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

/// Adds the headers for the pages that may read an answer.
pub(crate) fn open(access: PageAccess, response: &mut HeaderMap) {
    let page = match access {
        PageAccess::None => return,
        PageAccess::Any => {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return;
        }
        PageAccess::This(page) => Some(page),
        PageAccess::Other => None,
    };
    // A cache must not show the answer to another page.
    response.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(page) = page {
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{AllowedOrigin, AllowedOrigins};

    fn allowed(origins: &[&str]) -> AllowedOrigins {
        origins.iter().map(|origin| origin.parse::<AllowedOrigin>().unwrap()).collect()
    }

    fn answer(origins: &AllowedOrigins, request: &HeaderMap) -> Response {
        options(PageAccess::of(origins, request.get(header::ORIGIN)), request)
    }

    fn preflight(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_str(origin).unwrap()),
            (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
        ])
    }

    #[test]
    fn d45_only_an_allowed_page_gets_the_headers() {
        let pages = allowed(&["https://a.example", "http://localhost:3000"]);
        for (page, may) in [
            ("https://a.example", true),
            ("http://localhost:3000", true),
            ("http://a.example", false),
            ("https://a.example.evil", false),
            ("null", false),
        ] {
            let answer = answer(&pages, &preflight(page));
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            let headers = answer.headers();
            assert_eq!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), may, "{page}");
            assert_eq!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS), may, "{page}");
            assert_eq!(headers[header::VARY], "origin");
        }
        let any = answer(&allowed(&["*"]), &preflight("https://a.example"));
        assert_eq!(any.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!any.headers().contains_key(header::VARY));
        let none = answer(&allowed(&[]), &preflight("https://a.example"));
        assert!(!none.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(none.headers()[header::ALLOW], ALLOW);
    }
}
