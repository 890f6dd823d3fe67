use serde_json::value::{RawValue, to_raw_value};
use vipnode_agent_core::{FromPool, ToPool};
use vipnode_rpc::{CallError, RpcClient};
use vipnode_types::wire::{ErrorCode, ExplainReply, PoolStatus, WireError, method};

use super::{
    OriginalSpeaker, Speaker, incoming,
    protocol3::{Proof, Said},
};
use crate::{limits::REQUEST_DEADLINE, local::Question};

/// How the agent speaks to its pool, and what it understands.
#[derive(Debug)]
pub(crate) enum Voice {
    /// Protocol 3.
    Delegated(Speaker),
    /// Protocol 2.
    Original(OriginalSpeaker),
}

impl Voice {
    /// Whether a socket without a challenge is of no use.
    pub(super) const fn needs_challenge(&self) -> bool {
        matches!(self, Self::Delegated(_))
    }

    pub(super) async fn say(&self, to: &RpcClient, proof: &Proof, request: ToPool) -> Result<Said, String> {
        match self {
            Self::Delegated(speaker) => speaker.say(to, proof, request).await,
            Self::Original(speaker) => speaker.say(to, request).await,
        }
    }

    /// Asks the pool what the agent's user wants to know.
    pub(super) async fn ask(&self, to: &RpcClient, proof: &Proof, question: Question) {
        // Whoever asked may have gone meanwhile.
        match question {
            Question::Why(asker) => drop(asker.send(self.explain(to, proof).await)),
            Question::Pool(asker) => drop(asker.send(pool_status(to).await)),
        }
    }

    async fn explain(&self, to: &RpcClient, proof: &Proof) -> Result<ExplainReply, WireError> {
        match self {
            Self::Delegated(speaker) => speaker.explain(to, proof).await,
            Self::Original(_) => {
                let text = "protocol 2 has no way to ask a pool why";
                Err(WireError::new(
                    ErrorCode::MethodNotFound,
                    text,
                    "leave out --protocol 2 where the pool speaks protocol 3",
                ))
            }
        }
    }

    /// Reads a call of the pool.
    pub(super) fn read(&self, name: &str, params: &RawValue) -> Result<FromPool, WireError> {
        match self {
            Self::Delegated(_) => incoming::read(name, params),
            Self::Original(_) => incoming::read_original(name, params),
        }
    }
}

/// The same call in both protocols, unsigned: a socket that has joined is a member's.
async fn pool_status(to: &RpcClient) -> Result<PoolStatus, WireError> {
    let fault = |error: &dyn std::fmt::Display| {
        WireError::new(ErrorCode::Server, format!("the pool tells no status: {error}"), "try again")
    };
    let none = to_raw_value(&[(); 0]).map_err(|error| fault(&error))?;
    match to.call_raw(method::STATUS, none, REQUEST_DEADLINE).await {
        Ok(answer) => serde_json::from_str(answer.get()).map_err(|error| fault(&error)),
        Err(CallError::Remote(error)) => Err(error),
        Err(error) => Err(fault(&error)),
    }
}
