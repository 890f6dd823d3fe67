use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vipnode_agent_core::CallReply;
use vipnode_rpc::Responder;
use vipnode_types::wire::{Done, WireError};

use crate::request_error::RequestError;

/// Where the answer to a call of the pool goes, in the form that its protocol has for it.
#[derive(Debug)]
pub(crate) enum CallResponder {
    /// Protocol 2 answers `null`.
    Null(Responder),
    /// Protocol 3 answers an object, which can grow.
    Object(Responder),
}

impl CallResponder {
    /// Answers the call.
    pub(crate) fn respond(self, reply: CallReply) {
        match self {
            Self::Null(responder) => responder.respond(reply),
            Self::Object(responder) => responder.respond(reply.map(|()| Done {})),
        }
    }
}

/// The refusal of a method that an agent of this protocol does not have.
pub(super) fn no_method(name: &str) -> WireError {
    RequestError::NoMethod { name: name.chars().take(64).collect() }.into()
}

/// The only element of the params.
pub(super) fn one<T: DeserializeOwned>(params: &RawValue) -> Result<T, WireError> {
    let read = serde_json::from_str::<(T,)>(params.get());
    let (object,) = read.map_err(|error| RequestError::Params { why: error.to_string() })?;
    Ok(object)
}
