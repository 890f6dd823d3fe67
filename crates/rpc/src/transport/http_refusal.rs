use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, LOCATION},
};
use vipnode_types::sanitize;

use crate::{OpenError, limits::BODY_CHARS};

/// An HTTP response that is neither JSON-RPC nor an open WebSocket.
#[derive(Debug)]
pub(super) struct HttpRefusal {
    status: StatusCode,
    /// Where a redirect leads.
    location: Option<String>,
    /// A page for a browser.
    page: bool,
    /// The first line of the body.
    line: String,
}

impl HttpRefusal {
    /// Reads the head of a response to a request to `url`.
    pub(super) fn new(url: &Url, status: StatusCode, headers: &HeaderMap) -> Self {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let location = header(LOCATION).filter(|_| status.is_redirection());
        let page = header(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
        Self { status, location: location.and_then(|to| without_query(url, to)), page, line: String::new() }
    }

    /// Reads the body of the response, which may be cut.
    pub(super) fn read_body(&mut self, body: &str) {
        self.page |= body.trim_ascii_start().starts_with('<');
        // The first line of a page is a tag.
        if !self.page {
            self.line = sanitize(body.lines().next().unwrap_or_default(), BODY_CHARS);
        }
    }

    /// Whether the server reports success with a body that is meant to be an answer.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_success() && !self.page
    }

    /// Returns the response as an error; `url` is the address as it was given.
    pub(super) fn into_error(self, url: &str) -> OpenError {
        let (url, status) = (url.to_owned(), self.status.as_u16());
        match self.location {
            Some(to) => OpenError::Redirected { url, status, to },
            None if self.page && self.status.is_success() => OpenError::WebPage { url },
            None => OpenError::Refused { url, status, body: self.line },
        }
    }
}

/// An address that a redirect names, which may be relative. A query may contain a secret, and so may a user name.
fn without_query(url: &Url, to: &str) -> Option<String> {
    let mut to = url.join(to).ok()?;
    to.set_query(None);
    to.set_fragment(None);
    // Fails only for a URL that cannot have a user name.
    let _cleared = to.set_username("").and_then(|()| to.set_password(None));
    Some(sanitize(to.as_str(), BODY_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, headers: &[(&'static str, &str)], body: &str) -> HttpRefusal {
        let url = Url::parse("http://pool.example:8080/rpc").unwrap();
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let mut refusal = HttpRefusal::new(&url, StatusCode::from_u16(status).unwrap(), &headers);
        refusal.read_body(body);
        refusal
    }

    #[test]
    fn a_redirect_names_where_it_leads_without_its_query() {
        for (to, shown) in [
            ("https://pool.example/rpc?token=1#x", "https://pool.example/rpc"),
            ("https://me:secret@pool.example", "https://pool.example/"),
            ("/login?next=/rpc", "http://pool.example:8080/login"),
        ] {
            let error = refusal(302, &[("location", to)], "").into_error("u");
            assert_eq!(error, OpenError::Redirected { url: "u".into(), status: 302, to: shown.into() });
        }
        let nowhere = refusal(302, &[], "moved").into_error("u");
        assert_eq!(nowhere, OpenError::Refused { url: "u".into(), status: 302, body: "moved".into() });
    }

    #[test]
    fn a_web_page_is_recognized_and_not_quoted() {
        for (headers, body) in
            [(&[("content-type", "text/html; charset=utf-8")][..], "hello"), (&[], "\n<!doctype html>")]
        {
            let page = refusal(200, headers, body);
            assert!(!page.is_success());
            assert_eq!(page.into_error("u"), OpenError::WebPage { url: "u".into() });
            let missing = refusal(404, headers, body).into_error("u");
            assert_eq!(missing, OpenError::Refused { url: "u".into(), status: 404, body: String::new() });
        }
        assert!(refusal(200, &[], "{}").is_success());
    }
}
