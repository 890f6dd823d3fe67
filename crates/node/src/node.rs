use std::path::PathBuf;

use futures_util::{future::BoxFuture, stream::BoxStream};
use vipnode_types::{DropCause, Enode, HeadFact, NodeFacts, NodeId, PeerCommand, PeerFact};

use crate::NodeError;

/// An execution client on this machine or network.
///
/// Each call has a deadline ([`crate::limits::CALL_DEADLINE`]) and may fail at any time; a node that was offline
/// answers again by itself once it is back. Dropping a future abandons the call, which the node may still carry out.
pub trait Node: Send + Sync + 'static {
    /// Who the node is, asked afresh.
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>>;

    /// All its peers, at most [`crate::limits::MAX_PEERS`].
    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>>;

    /// The newest block it knows.
    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>>;

    /// Has the node do something with a peer. `Ok` says that the node took the order, never that a connection
    /// came or went: look at [`Node::peers`] for that.
    fn call(&self, command: PeerCommand) -> BoxFuture<'_, Result<(), NodeError>>;

    /// Waits a moment where peers were dropped lately, and drops again the ones that the node was dialing just then. For a
    /// caller that ends: others call [`Node::peers`] from time to time, which does the same.
    fn settle(&self) -> BoxFuture<'_, ()>;

    /// The RPC calls that [`Node::call`] would make, in order.
    fn plan(&self, command: &PeerCommand) -> Vec<PlannedCall>;

    /// Peers as they come and go, from now on. `None` where the client or the transport cannot tell; then poll.
    /// The stream ends when the connection to the node is lost; ask for another one then.
    fn events(&self) -> BoxFuture<'_, Option<PeerEvents>>;

    /// Addresses other than loopback where this node's admin calls answer. Each deserves a warning.
    fn exposure(&self) -> BoxFuture<'_, Vec<String>>;

    /// The node's data directory, where it runs on this machine and reports it.
    fn data_dir(&self) -> BoxFuture<'_, Option<PathBuf>>;

    /// Its address, for people.
    fn at(&self) -> String;
}

/// One RPC call to a node, as [`Node::plan`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCall {
    /// The method.
    pub method: &'static str,
    /// Its only parameter.
    pub peer: Enode,
}

impl std::fmt::Display for PlannedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.peer)
    }
}

/// See [`Node::events`].
pub type PeerEvents = BoxStream<'static, PeerEvent>;

/// Something happened to the peers of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerEvent {
    /// A peer connected. Only [`Node::peers`] says whether it stays and is ready.
    Added(NodeId),
    /// A peer disconnected, and why, as far as the client reports it.
    Gone(NodeId, DropCause),
    /// A peer whose key is not known yet came or went, or events were missed: look at [`Node::peers`].
    Look,
}
