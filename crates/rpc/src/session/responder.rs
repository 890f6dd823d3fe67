use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use vipnode_types::wire::WireError;

use super::shared::Shared;
use crate::{Served, protocol::FrameError};

/// Answers one request. If it is dropped without an answer, it answers with an error, so that the caller does not wait
/// forever.
#[derive(Debug)]
pub struct Responder {
    served: Served,
    session: Option<Arc<Shared>>,
}

/// A request or notification from the other side.
#[derive(Debug)]
pub enum Incoming {
    /// A call that waits for an answer.
    Request {
        /// The JSON-RPC method that the other side calls.
        method: String,
        /// The params as they stood in the frame; `[]` where there were none.
        params: Box<RawValue>,
        /// For the answer.
        responder: Responder,
    },
    /// A call without an answer.
    Notification {
        /// The JSON-RPC method that the other side calls.
        method: String,
        /// The params as they stood in the frame.
        params: Box<RawValue>,
    },
}

impl Responder {
    pub(crate) const fn new(served: Served, session: Arc<Shared>) -> Self {
        Self { served, session: Some(session) }
    }

    /// Answers.
    pub fn respond<T: Serialize>(self, result: Result<T, WireError>) {
        let fault = |error: serde_json::Error| FrameError::NotWritten { why: error.to_string() }.into();
        self.respond_raw(result.and_then(|value| to_raw_value(&value).map_err(fault)));
    }

    /// Answers with JSON that is already serialized.
    pub fn respond_raw(mut self, result: Result<Box<RawValue>, WireError>) {
        self.send(result);
    }

    /// Whether the session has ended, so that an answer would be dropped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.has_ended())
    }

    fn send(&mut self, result: Result<Box<RawValue>, WireError>) {
        if let Some(session) = self.session.take() {
            session.answer(self.served, result);
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if self.session.is_some() {
            self.send(Err(FrameError::NotAnswered.into()));
        }
    }
}
