use vipnode_pool_core::{Command, ConnectionId, RequestId};
use vipnode_types::wire::{AskRequest, ByeRequest, ExplainRequest, LeaveRequest, ReportRequest, WireError, method};

use crate::{auth::signed_params::Call, error};

/// A call of an agent that has connected.
#[derive(Debug)]
pub(crate) enum AgentCall {
    Report(Box<ReportRequest>),
    Ask(Box<AskRequest>),
    Explain,
    Leave(Box<LeaveRequest>),
    Bye,
}

impl AgentCall {
    pub(crate) fn read(method: &str, call: &Call<'_>) -> Result<Self, WireError> {
        Ok(match method {
            method::REPORT => Self::Report(call.parse()?),
            method::ASK => Self::Ask(call.parse()?),
            method::EXPLAIN => {
                let ExplainRequest {} = call.parse()?;
                Self::Explain
            }
            method::LEAVE => Self::Leave(call.parse()?),
            method::BYE => {
                let ByeRequest {} = call.parse()?;
                Self::Bye
            }
            _ => return Err(error::unknown_method(method)),
        })
    }

    pub(crate) fn command(self, peer: ConnectionId, request: RequestId) -> Command {
        match self {
            Self::Report(report) => Command::Report { peer, request, report },
            Self::Ask(ask) => Command::Ask { peer, request, ask },
            Self::Explain => Command::Explain { peer, request },
            Self::Leave(leave) => Command::Leave { peer, request, leave },
            Self::Bye => Command::Bye { peer, request },
        }
    }
}
