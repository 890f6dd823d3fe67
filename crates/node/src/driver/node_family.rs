use std::sync::Arc;

use super::{AdminNode, Capabilities, answers, capabilities::empty};
use crate::{Node, NodeError, Transport};

/// Groups of execution clients for which the driver makes the same calls. What a client's admin API offers decides its
/// family, not its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeFamily {
    /// geth and its forks, Erigon: a peer is admitted by trusting its ID (`trust_by_id`).
    Trusting,
    /// reth, Nethermind: a peer is admitted by trusting its enode, so the node must know its address (`trust_by_enode`).
    TrustingByAddress,
    /// Besu, Erigon before February 2026: the client cannot trust peers, so a peer is admitted by dialing it (`dial_only`).
    Maintaining,
}

impl NodeFamily {
    /// Whether its nodes dial a peer only seconds after `admin_addPeer`: reth does at its next tick, and the other families
    /// at once.
    pub(super) const fn dials_late(self) -> bool {
        matches!(self, Self::TrustingByAddress)
    }
}

impl Capabilities {
    /// Returns the family of the driver that fits, if any.
    #[must_use]
    pub const fn family(&self) -> Option<NodeFamily> {
        let common = self.node_info && self.peers && self.remove_peer && self.eth;
        match (common, self.remove_trusted, self.trusts_ids) {
            (false, ..) => None,
            (true, true, true) => Some(NodeFamily::Trusting),
            (true, true, false) => Some(NodeFamily::TrustingByAddress),
            (true, false, _) => Some(NodeFamily::Maintaining),
        }
    }
}

/// Probes what is at the other end of `rpc` and returns the driver that fits.
///
/// # Errors
/// If the node cannot be reached, or offers too little; the error contains what is missing.
pub async fn drive(rpc: Arc<dyn Transport>) -> Result<Arc<dyn Node>, NodeError> {
    let capabilities = Capabilities::probe(&rpc).await?;
    match capabilities.family() {
        Some(family) => Ok(Arc::new(AdminNode::new(rpc, family))),
        None => {
            let client = rpc.call("web3_clientVersion", empty(), rpc.limits().node_call).await;
            let client = client.map(|json| answers::text(Some(&json))).unwrap_or_default();
            Err(capabilities.refusal(rpc.at(), client))
        }
    }
}
