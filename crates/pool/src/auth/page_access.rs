use axum::http::HeaderValue;

use crate::auth::{AccessControl, AllowedOrigins, Arrival};

/// Which web pages may read one answer in a browser (fault D45, docs/faults.md).
///
/// This file is the whole rule about pages:
///
/// - A page may *read* an answer if `--allow-origin` names its origin, or `*`. A browser adds no credentials to a call, so
///   `*` allows nothing that is otherwise forbidden.
/// - A page may *call* the pool, by POST or a WebSocket, if it may read answers, or if it was loaded from the pool itself
///   ([`AccessControl::admits_page`]). A browser lets every page send a POST of plain text or open a WebSocket to any
///   server, so without this check a page could call the pool in the name of its visitor, whose address the pool would see.
/// - The Host header does not count, because a reverse proxy may replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageAccess {
    /// Every page.
    Any,
    /// None, whichever page asks.
    None,
    /// The page that asks.
    This(HeaderValue),
    /// Another page than the one that asks.
    Other,
}

impl PageAccess {
    /// Returns which pages may read an answer to a request of the page `page`.
    pub(crate) fn of(origins: &AllowedOrigins, page: Option<&HeaderValue>) -> Self {
        if origins.allows_any() {
            return Self::Any;
        }
        if origins.is_empty() {
            return Self::None;
        }
        page.filter(|page| origins.names(page)).map_or(Self::Other, |page| Self::This(page.clone()))
    }
}

impl AccessControl {
    /// Returns which web pages may read an answer to a request of the page `page`.
    pub(crate) fn page_access(&self, page: Option<&HeaderValue>) -> PageAccess {
        PageAccess::of(&self.rules().origins, page)
    }

    /// Whether a web page may call the pool; see [`PageAccess`].
    pub(crate) fn admits_page(&self, page: &HeaderValue, arrival: &Arrival) -> bool {
        matches!(self.page_access(Some(page)), PageAccess::Any | PageAccess::This(_))
            || self.audience.is_own_page(page, arrival)
    }
}
