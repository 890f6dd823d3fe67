use std::collections::BTreeMap;

use vipnode_agent_core::{CallReply, RequestTag};

use crate::{
    limits::POOL_CALLS,
    pool::CallResponder,
    request_error::{RETRY_MS, RequestError},
};

/// Calls of the pool that are not answered yet, at most [`POOL_CALLS`].
#[derive(Default)]
pub(super) struct OpenCalls {
    responders: BTreeMap<RequestTag, CallResponder>,
    last: RequestTag,
}

impl OpenCalls {
    /// Adds a call and returns its tag. At the limit it is answered at once with an error.
    pub(super) fn open(&mut self, responder: CallResponder) -> Option<RequestTag> {
        if self.responders.len() >= POOL_CALLS {
            responder.respond(Err(RequestError::NodeBusy { retry_ms: RETRY_MS }.into()));
            return None;
        }
        self.last += 1;
        self.responders.insert(self.last, responder);
        Some(self.last)
    }

    pub(super) fn answer(&mut self, tag: RequestTag, reply: CallReply) {
        match self.responders.remove(&tag) {
            Some(responder) => responder.respond(reply),
            None => tracing::debug!(tag, "dropped the response to a call on a closed socket"),
        }
    }

    /// Drops all calls, because their socket is closed.
    pub(super) fn clear(&mut self) {
        self.responders.clear();
    }
}
