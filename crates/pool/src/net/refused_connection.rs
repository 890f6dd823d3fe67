use std::borrow::Cow;

use axum::http::StatusCode;

use crate::{auth::BanNotice, fairness::LimitReached};

/// Why the pool serves nothing to a connection, or to the caller that a proxy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefusedConnection {
    /// A limit is reached.
    Limit(LimitReached),
    /// The operator banned the address. It is refused at once, before it costs a handshake or a check.
    Banned(Box<BanNotice>),
}

impl RefusedConnection {
    /// Returns the HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Limit(limit) => limit.status(),
            Self::Banned(_) => StatusCode::FORBIDDEN,
        }
    }

    /// Returns the whole HTTP response, after which the connection closes.
    pub(crate) fn http_response(&self) -> String {
        let (status, why) = (self.status(), self.text());
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{why}", why.len())
    }

    /// Returns a record with a fatal TLS alert (RFC 8446, section 6), after which the connection closes.
    pub(crate) const fn tls_alert(&self) -> [u8; 7] {
        let description = match self {
            // internal_error: the limit has nothing to do with the protocol.
            Self::Limit(_) => 80,
            // access_denied
            Self::Banned(_) => 49,
        };
        [21, 3, 3, 0, 2, 2, description]
    }

    /// Returns the HTTP body.
    pub(crate) fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Limit(limit) => Cow::Borrowed(limit.text()),
            Self::Banned(notice) => Cow::Owned(format!("{notice}\n")),
        }
    }
}

impl From<LimitReached> for RefusedConnection {
    fn from(limit: LimitReached) -> Self {
        Self::Limit(limit)
    }
}
