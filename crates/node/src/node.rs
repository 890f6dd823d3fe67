use std::path::PathBuf;

use futures_util::{future::BoxFuture, stream::BoxStream};
use vipnode_types::{DropCause, Enode, HeadFact, NodeFacts, NodeId, PeerCommand, PeerFact};

use crate::{NodeError, PeerConnection};

/// An execution client on this machine or network.
///
/// Each call has a deadline ([`NodeLimits::node_call`](crate::limits::NodeLimits::node_call)) and may fail at any time; a node that was offline
/// can be called again once it is back, without any action by the caller. Dropping a future abandons the call, which the node
/// may still carry out.
pub trait Node: Send + Sync + 'static {
    /// Returns the facts of the node, read again.
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>>;

    /// Returns all its peers, at most [`NodeLimits::node_peers`](crate::limits::NodeLimits::node_peers).
    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>>;

    /// Returns the TCP connections to its peers, at most [`NodeLimits::node_peers`](crate::limits::NodeLimits::node_peers): those of which the client reports both ends.
    fn connections(&self) -> BoxFuture<'_, Result<Vec<PeerConnection>, NodeError>>;

    /// Returns the newest block that it knows.
    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>>;

    /// Has the node change its peers. `Ok` means that the node accepted the command, not that a connection was made or
    /// closed: read [`Node::peers`] for that.
    fn call(&self, command: PeerCommand) -> BoxFuture<'_, Result<(), NodeError>>;

    /// Waits a moment if peers were dropped recently, and drops again those that the node was dialing just then. For a
    /// caller that is about to stop: others call [`Node::peers`] from time to time, which does the same.
    fn settle(&self) -> BoxFuture<'_, ()>;

    /// Returns the RPC calls that [`Node::call`] would make, in order.
    fn plan(&self, command: &PeerCommand) -> Vec<PlannedCall>;

    /// Subscribes to connects and disconnects of peers. `None` if the client or the transport has no events; then poll.
    /// The stream ends when the connection to the node is lost; subscribe again then.
    fn events(&self) -> BoxFuture<'_, Option<PeerEvents>>;

    /// Returns the addresses other than loopback at which this node's admin calls answer. Each deserves a warning.
    fn exposure(&self) -> BoxFuture<'_, Vec<String>>;

    /// Returns the node's data directory, if it runs on this machine and reports it.
    fn data_dir(&self) -> BoxFuture<'_, Option<PathBuf>>;

    /// Returns its address, for display.
    fn at(&self) -> String;
}

/// One RPC call to a node, as [`Node::plan`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCall {
    /// The JSON-RPC method that would be called.
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
    /// A peer connected. Only [`Node::peers`] shows whether it stays and is ready.
    Added(NodeId),
    /// A peer disconnected, and why, if the client reports it.
    Gone(NodeId, DropCause),
    /// A peer with an unknown key connected or disconnected, or events were missed: read [`Node::peers`].
    Look,
}
