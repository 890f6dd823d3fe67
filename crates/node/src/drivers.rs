use std::sync::Arc;

use crate::{Capabilities, GethNode, Node, NodeError, Transport, answers, capabilities::empty, limits::CALL_DEADLINE};

/// Kinds of clients that are driven alike. One driver file each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeFamily {
    /// geth and its forks: a peer is let in by trusting it.
    Trusting,
}

/// Probes what is at the other end of `rpc` and returns the driver that fits.
///
/// # Errors
/// Where the node cannot be reached, or offers too little; the error says what is missing.
pub async fn drive(rpc: Arc<dyn Transport>) -> Result<Arc<dyn Node>, NodeError> {
    let capabilities = Capabilities::probe(&rpc).await?;
    match capabilities.family() {
        Some(NodeFamily::Trusting) => Ok(Arc::new(GethNode::new(rpc))),
        None => {
            let client = rpc.call("web3_clientVersion", empty(), CALL_DEADLINE).await;
            let client = client.map(|json| answers::text(Some(&json))).unwrap_or_default();
            let client = if client.is_empty() { "it does not say which client it is".to_owned() } else { client };
            Err(capabilities.refusal(rpc.at(), client))
        }
    }
}
