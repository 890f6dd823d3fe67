use std::time::Duration;

use serde_json::value::to_raw_value;
use vipnode_rpc::RpcClient;
use vipnode_types::wire::{PoolStatus, method};

use crate::{AgentError, Connector};

/// A pool makes its status at most once in a while and keeps it, so it is there soon.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks a pool for its status, without joining it: nothing is signed, and no slot is taken. What it reports about itself
/// and its hosts is a stranger's claim.
///
/// # Errors
/// [`AgentError::Pool`] and [`AgentError::Unanswered`] where it cannot be reached, [`AgentError::Stopped`] where it
/// reports nothing to strangers.
pub async fn pool_status(connector: &dyn Connector) -> Result<PoolStatus, AgentError> {
    let opened = connector.open().await?;
    let client = opened.client();
    let params = to_raw_value(&[(); 0]).map_err(AgentError::internal)?;
    let answer = client.call_raw(method::STATUS, params, DEADLINE).await;
    if let RpcClient::Socket(peer) = &client {
        peer.close("asked, and done");
    }
    serde_json::from_str(answer.map_err(AgentError::call)?.get()).map_err(|error| AgentError::reply(&error))
}
