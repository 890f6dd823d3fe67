use std::borrow::Cow;

use axum::http::StatusCode;

use crate::{auth::BanNotice, fairness::LimitReached};

/// Why the pool serves nothing to a connection, or to the caller that a proxy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A limit is reached.
    Limit(LimitReached),
    /// The operator banned the address. It is refused at once, before it costs a handshake or a check.
    Banned(Box<BanNotice>),
}

impl Rejection {
    /// Returns the HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Limit(limit) => limit.status(),
            Self::Banned(_) => StatusCode::FORBIDDEN,
        }
    }

    /// Returns the HTTP body.
    pub(crate) fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Limit(limit) => Cow::Borrowed(limit.text()),
            Self::Banned(notice) => Cow::Owned(format!("{notice}\n")),
        }
    }
}

impl From<LimitReached> for Rejection {
    fn from(limit: LimitReached) -> Self {
        Self::Limit(limit)
    }
}
