use std::time::Duration;

use serde_json::value::to_raw_value;
use vipnode_rpc::{CallError, OpenError, RpcClient};
use vipnode_types::wire::{PoolStatus, method};

use crate::{AgentError, Door};

/// A pool makes its status at most once in a while and keeps it, so it is there soon.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks a pool about itself, without joining it: nothing is signed, and no place is taken. What it says of itself and
/// of its hosts is a stranger's word.
///
/// # Errors
/// [`AgentError::Pool`] and [`AgentError::Unanswered`] where it cannot be reached, [`AgentError::Stopped`] where it
/// tells nothing to strangers.
pub async fn pool_status(door: &dyn Door) -> Result<PoolStatus, AgentError> {
    let opened = door.open().await?;
    let client = opened.client();
    let params = to_raw_value(&[(); 0]).map_err(|error| AgentError::Fault(error.to_string()))?;
    let answer = client.call_raw(method::STATUS, params, DEADLINE).await;
    if let RpcClient::Socket(peer) = &client {
        peer.close("asked, and done");
    }
    match answer {
        Ok(json) => serde_json::from_str(json.get()).map_err(|error| AgentError::Unanswered(error.to_string())),
        Err(CallError::Remote(error)) => Err(AgentError::Stopped(error)),
        Err(CallError::Tls { url, fault }) => Err(AgentError::Pool(OpenError::Tls { url, fault })),
        Err(error) => Err(AgentError::Unanswered(error.to_string())),
    }
}
