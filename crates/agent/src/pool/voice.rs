use serde_json::value::RawValue;
use vipnode_agent_core::{FromPool, ToPool};
use vipnode_rpc::RpcClient;
use vipnode_types::wire::{ErrorCode, ExplainReply, WireError};

use super::{
    OriginalSpeaker, Speaker, incoming,
    speaker::{Proof, Said},
};

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

    /// Asks the pool why the node has these hosts.
    pub(super) async fn explain(&self, to: &RpcClient, proof: &Proof) -> Result<ExplainReply, WireError> {
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
