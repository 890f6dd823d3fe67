use std::sync::Arc;

use serde_json::value::RawValue;

use crate::{CallFault, NodeError, NodeFamily, Transport, limits::CALL_DEADLINE, transport::is_missing};

/// Which calls a node offers, found by making them and reading the error, never by the client's name: there are forks
/// of all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// `admin_nodeInfo`.
    pub node_info: bool,
    /// `admin_peers`.
    pub peers: bool,
    /// `admin_addPeer`.
    pub add_peer: bool,
    /// `admin_removePeer`.
    pub remove_peer: bool,
    /// `admin_addTrustedPeer`.
    pub add_trusted: bool,
    /// `admin_removeTrustedPeer`.
    pub remove_trusted: bool,
    /// `eth_chainId` and `eth_getBlockByNumber`.
    pub eth: bool,
    /// How `admin_addTrustedPeer` refuses a text that is not an enode: geth and Erigon as a fault of the call (-32000),
    /// reth and Nethermind as a wrong parameter (-32602).
    pub refuses_by_parameter: bool,
}

impl Capabilities {
    /// Finds out what a node offers. Calls that would change something are made without their parameter, which no
    /// client accepts, and which each answers differently from an unknown method.
    ///
    /// # Errors
    /// If the node cannot be reached at all.
    pub async fn probe(rpc: &Arc<dyn Transport>) -> Result<Self, NodeError> {
        let has = |method| offers(rpc, method);
        let (node_info, peers) = futures_util::try_join!(has("admin_nodeInfo"), has("admin_peers"))?;
        let (add_peer, remove_peer) = futures_util::try_join!(has("admin_addPeer"), has("admin_removePeer"))?;
        let (add_trusted, remove_trusted) =
            futures_util::try_join!(has("admin_addTrustedPeer"), has("admin_removeTrustedPeer"))?;
        let (chain, block) = futures_util::try_join!(has("eth_chainId"), has("eth_getBlockByNumber"))?;
        let eth = chain && block;
        let refuses_by_parameter = add_trusted && refuses_by_parameter(rpc).await?;
        Ok(Self { node_info, peers, add_peer, remove_peer, add_trusted, remove_trusted, eth, refuses_by_parameter })
    }

    /// Returns the family of the driver that fits, if any.
    #[must_use]
    pub const fn family(&self) -> Option<NodeFamily> {
        let common = self.node_info && self.peers && self.add_peer && self.remove_peer && self.eth;
        match (common, self.add_trusted && self.remove_trusted, self.refuses_by_parameter) {
            (false, ..) => None,
            (true, true, false) => Some(NodeFamily::Trusting),
            (true, true, true) => Some(NodeFamily::TrustingByAddress),
            (true, false, _) => Some(NodeFamily::Maintaining),
        }
    }

    /// Returns why no driver fits.
    pub(crate) fn refusal(&self, at: String, client: String) -> NodeError {
        let admin = [
            (self.node_info, "admin_nodeInfo"),
            (self.peers, "admin_peers"),
            (self.add_peer, "admin_addPeer"),
            (self.remove_peer, "admin_removePeer"),
        ];
        match admin.into_iter().find(|(there, _)| !there) {
            // The rest of the namespace is offered: no flag adds a call that this client does not have.
            Some((_, method)) if self.node_info => NodeError::NoCall { at, method: method.to_owned(), client },
            Some((_, method)) => NodeError::NotOffered { at, method: method.to_owned() },
            None => NodeError::NotOffered { at, method: "eth_chainId and eth_getBlockByNumber".to_owned() },
        }
    }
}

async fn refuses_by_parameter(rpc: &Arc<dyn Transport>) -> Result<bool, NodeError> {
    let method = "admin_addTrustedPeer";
    let no_enode = RawValue::from_string(r#"["no enode"]"#.to_owned()).unwrap_or_default();
    match rpc.call(method, no_enode, CALL_DEADLINE).await {
        Ok(_) => Ok(false),
        Err(CallFault::Remote { code, .. }) => Ok(code == -32602),
        Err(fault) => Err(fault.into_error(rpc.at(), method, CALL_DEADLINE)),
    }
}

async fn offers(rpc: &Arc<dyn Transport>, method: &'static str) -> Result<bool, NodeError> {
    match rpc.call(method, empty(), CALL_DEADLINE).await {
        Ok(_) => Ok(true),
        Err(CallFault::Remote { code, .. }) => Ok(!is_missing(code)),
        Err(fault) => Err(fault.into_error(rpc.at(), method, CALL_DEADLINE)),
    }
}

/// `[]`.
pub(crate) fn empty() -> Box<RawValue> {
    RawValue::from_string("[]".to_owned()).unwrap_or_default()
}
