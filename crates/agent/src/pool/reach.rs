use std::time::Duration;

use vipnode_rpc::{CallError, RpcClient};
use vipnode_types::{
    JoinSecret, Ms, PoolId,
    wire::{ReachReply, ReachRequest, WireError, method},
};

use crate::{AgentError, Connector, KnownPool, PoolConnection, clock};

/// The answer of a pool to an agent that has not joined.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its answer; the error of a pool that is older than the call.
    pub reply: Result<ReachReply, WireError>,
    /// The ID that the pool proved; `None` for a pool without one, and over HTTP.
    pub pool_id: Option<PoolId>,
    /// When it arrived, by this machine's clock.
    pub heard: Ms,
}

/// A call to a pool that tries a port takes this long at most.
const DEADLINE: Duration = Duration::from_secs(8);

/// Asks a pool how it sees this agent, without joining it: nothing is signed, and no slot is taken.
///
/// # Errors
/// Where the pool cannot be reached, does not speak protocol 3, or is not the one that the agent remembers. Such a pool gets no
/// proof of the join secret.
pub async fn reach(
    connector: &dyn Connector,
    mut request: ReachRequest,
    join: Option<&JoinSecret>,
    mut known: KnownPool,
) -> Result<Reached, AgentError> {
    let opened = connector.open().await?;
    let client = opened.client();
    let (nonce, pool_id) = match &opened {
        PoolConnection::Http(_) => (String::new(), None),
        PoolConnection::Socket(socket) => {
            let challenge = socket.challenge.clone().ok_or(AgentError::NoChallenge)?;
            let (pool_id, _not_pinned_here) = known.meet(&socket.pool_headers, Some(&challenge))?;
            (challenge, pool_id)
        }
    };
    request.join = join.map(|secret| secret.prove(&request.node, &nonce));
    let params = serde_json::value::to_raw_value(&(request,)).map_err(AgentError::fault)?;
    let answer = client.call_raw(method::REACH, params, DEADLINE).await;
    let heard = clock::wall();
    let reply = match answer {
        Ok(json) => serde_json::from_str(json.get()).map_err(|error| unanswered(&error))?,
        Err(CallError::Remote(error)) => return Ok(Reached { reply: Err(error), pool_id, heard }),
        Err(CallError::Open(error)) => return Err(error.into()),
        Err(error) => return Err(unanswered(&error)),
    };
    if let RpcClient::Socket(peer) = &client {
        peer.close("asked, and done");
    }
    Ok(Reached { reply: Ok(reply), pool_id, heard })
}

fn unanswered(error: &dyn std::fmt::Display) -> AgentError {
    AgentError::Unanswered { why: error.to_string() }
}
