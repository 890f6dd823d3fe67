use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use vipnode_types::Enode;

use super::answers;
use crate::{NodeError, Transport, TransportError, transport::is_missing};

/// Which calls a node offers, found by making them and reading the answer, never by the client's name: there are forks
/// of all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// `admin_nodeInfo`.
    pub node_info: bool,
    /// `admin_peers`.
    pub peers: bool,
    /// `admin_removePeer`. Each client that has it has `admin_addPeer` too.
    pub remove_peer: bool,
    /// `admin_removeTrustedPeer`. Each client that has it has `admin_addTrustedPeer` too.
    pub remove_trusted: bool,
    /// `eth_chainId` and `eth_getBlockByNumber`.
    pub eth: bool,
    /// Whether an ID alone is enough to trust a peer, as with geth and Erigon.
    pub trusts_ids: bool,
}

impl Capabilities {
    /// Finds out what a node offers. All calls succeed with geth, which logs a warning for each call that fails. They
    /// change nothing: the node is asked to forget itself, and no node is its own peer.
    ///
    /// # Errors
    /// If the node cannot be reached at all.
    pub async fn probe(rpc: &Arc<dyn Transport>) -> Result<Self, NodeError> {
        let (info, peers, chain, block) = futures_util::try_join!(
            ask(rpc, "admin_nodeInfo", empty()),
            ask(rpc, "admin_peers", empty()),
            ask(rpc, "eth_chainId", empty()),
            ask(rpc, "eth_getBlockByNumber", params(&("latest", false)))
        )?;
        let own = info.as_ref().ok().and_then(|info| answers::node_info(info).ok());
        let (whole, id) = match &own {
            Some(own) => (params(&(&own.enode,)), params(&(Enode::id_only(own.enode.id),))),
            // No client accepts a call without its parameter, and each answers it differently from an unknown method.
            None => (empty(), empty()),
        };
        let (remove_peer, remove_trusted) =
            futures_util::try_join!(ask(rpc, "admin_removePeer", whole), ask(rpc, "admin_removeTrustedPeer", id))?;
        // geth is recognized by a protocol that it runs, so that its log gets no warning from a call that fails. Nethermind
        // refuses an ID alone; reth accepts one and forgets it, and does not list snap.
        let trusts_ids = match own {
            Some(own) if own.id_is_hash && own.runs_snap => remove_trusted.is_ok(),
            _ => offered(&remove_trusted) && refuses_as_geth(rpc).await?,
        };
        Ok(Self {
            node_info: offered(&info),
            peers: offered(&peers),
            remove_peer: offered(&remove_peer),
            remove_trusted: offered(&remove_trusted),
            eth: offered(&chain) && offered(&block),
            trusts_ids,
        })
    }

    /// Returns why no driver fits.
    pub(crate) fn refusal(&self, at: String, client: String) -> NodeError {
        let admin =
            [(self.node_info, "admin_nodeInfo"), (self.peers, "admin_peers"), (self.remove_peer, "admin_removePeer")];
        match admin.into_iter().find(|(there, _)| !there) {
            // The rest of the namespace is offered: no flag adds a call that this client does not have.
            Some((_, method)) if self.node_info => NodeError::NoCall { at, method: method.to_owned(), client },
            Some((_, method)) => NodeError::NotOffered { at, method: method.to_owned() },
            None => NodeError::NotOffered { at, method: "eth_chainId and eth_getBlockByNumber".to_owned() },
        }
    }
}

/// How a node answers a call: a result, or the code of an error.
type ProbeAnswer = Result<Box<RawValue>, i64>;

async fn ask(rpc: &Arc<dyn Transport>, method: &'static str, with: Box<RawValue>) -> Result<ProbeAnswer, NodeError> {
    match rpc.call(method, with, rpc.limits().node_call).await {
        Ok(json) => Ok(Ok(json)),
        Err(TransportError::Remote { code, .. }) => Ok(Err(code)),
        Err(fault) => Err(fault.into_error(rpc.at(), method, rpc.limits().node_call)),
    }
}

fn offered(answer: &ProbeAnswer) -> bool {
    answer.as_ref().map_or_else(|code| !is_missing(*code), |_| true)
}

/// How `admin_addTrustedPeer` refuses a text that is not an enode: geth and Erigon as a fault of the call (-32000), reth
/// and Nethermind as a wrong parameter (-32602).
async fn refuses_as_geth(rpc: &Arc<dyn Transport>) -> Result<bool, NodeError> {
    Ok(ask(rpc, "admin_addTrustedPeer", params(&("no enode",))).await?.map_or_else(|code| code != -32602, |_| true))
}

/// Our own strings and enodes can always be serialized.
pub(crate) fn params(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| empty())
}

/// `[]`.
pub(crate) fn empty() -> Box<RawValue> {
    RawValue::from_string("[]".to_owned()).unwrap_or_default()
}
