use std::time::Duration;

use vipnode_rpc::{CallError, RpcClient};
use vipnode_types::{
    JoinSecret, Ms,
    wire::{ReachReply, ReachRequest, WireError, method},
};

use crate::{AgentError, Door, Line, clock};

/// What a pool says to somebody who has not joined.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its answer; where it is an older pool, its error.
    pub reply: Result<ReachReply, WireError>,
    /// When it came, by this machine's clock.
    pub heard: Ms,
}

/// A call to a pool that tries a port takes this long at most.
const DEADLINE: Duration = Duration::from_secs(8);

/// Asks a pool how it sees us, without joining it: nothing is signed, and no place is taken.
///
/// # Errors
/// Where the pool cannot be reached, or is none of protocol 3.
pub async fn reach(
    door: &dyn Door,
    mut request: ReachRequest,
    join: Option<&JoinSecret>,
) -> Result<Reached, AgentError> {
    let opened = door.open().await?;
    let client = opened.client();
    let nonce = match &opened {
        Line::Http(_) => String::new(),
        Line::Socket(socket) => socket.challenge.clone().ok_or_else(|| {
            AgentError::Fault("what answers there is no pool of protocol 3: it gave no challenge".to_owned())
        })?,
    };
    request.join = join.map(|secret| secret.prove(&request.node, &nonce));
    let params = serde_json::value::to_raw_value(&(request,)).map_err(|error| AgentError::Fault(error.to_string()))?;
    let answer = client.call_raw(method::REACH, params, DEADLINE).await;
    let heard = clock::wall();
    let reply = match answer {
        Ok(json) => serde_json::from_str(json.get()).map_err(|error| AgentError::Fault(error.to_string()))?,
        Err(CallError::Remote(error)) => return Ok(Reached { reply: Err(error), heard }),
        Err(error) => return Err(AgentError::Fault(error.to_string())),
    };
    if let RpcClient::Socket(peer) = &client {
        peer.close("asked, and done");
    }
    Ok(Reached { reply: Ok(reply), heard })
}
