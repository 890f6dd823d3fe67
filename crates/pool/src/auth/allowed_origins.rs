use std::str::FromStr;

use axum::http::HeaderValue;
use vipnode_types::errors;

/// The origins that `--allow-origin` names. `PageAccess` describes what they allow.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<HeaderValue>);

errors! {
    /// Why a text is not the origin of web pages.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OriginError {
        /// The text has a path, an unsupported scheme, or no host.
        Form {
            /// What was given.
            text: String,
        }: local, "\"{text}\" is not a valid origin",
            hint "Pass an origin without a path, such as https://pages.example, or * for all.";
    }
}

/// One origin, as `--allow-origin` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(HeaderValue);

impl FromStr for AllowedOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError::Form { text: text.to_owned() };
        let is_page = text == "*"
            || text == "null"
            || (text.starts_with("http")
                && text.parse::<vipnode_types::RpcUrl>().is_ok()
                && text.matches('/').count() == 2);
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

const ANY: HeaderValue = HeaderValue::from_static("*");

impl AllowedOrigins {
    /// Whether every page is allowed.
    pub(in crate::auth) fn allows_any(&self) -> bool {
        self.0.contains(&ANY)
    }

    /// Whether no page is allowed.
    pub(in crate::auth) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a page is named.
    pub(in crate::auth) fn names(&self, page: &HeaderValue) -> bool {
        self.0.contains(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_origin_is_refused() {
        for bad in ["", "a.example", "https://a.example/path", "https://a.example/", "ftp://a", "https://", "a\nb"] {
            assert!(bad.parse::<AllowedOrigin>().is_err(), "{bad}");
        }
    }
}
