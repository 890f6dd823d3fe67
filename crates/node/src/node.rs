use std::path::PathBuf;

use futures_util::{future::BoxFuture, stream::BoxStream};
use vipnode_types::{DropCause, Enode, HeadFact, NodeFacts, NodeId, PeerFact};

use crate::NodeError;

/// An execution client that runs beside us.
///
/// Each call has a deadline ([`crate::limits::CALL_DEADLINE`]) and may fail at any time; a node that was away
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

    /// Waits a moment where peers were dropped lately, and drops again whom the node was dialling just then. For
    /// whoever goes for good: others look at [`Node::peers`] now and then, which does the same.
    fn settle(&self) -> BoxFuture<'_, ()>;

    /// The RPC calls that [`Node::call`] would make, in order.
    fn plan(&self, command: &PeerCommand) -> Vec<PlannedCall>;

    /// Peers as they come and go, from now on. `None` where the client or the transport cannot tell; then poll.
    /// The stream ends when the connection to the node is lost; ask for another one then.
    fn events(&self) -> BoxFuture<'_, Option<PeerEvents>>;

    /// Where else than on loopback this node's admin calls answer. Each is worth a warning.
    fn exposure(&self) -> BoxFuture<'_, Vec<String>>;

    /// Where the node keeps its files, if it runs on this machine and tells.
    fn data_dir(&self) -> BoxFuture<'_, Option<PathBuf>>;

    /// Its address, for people.
    fn at(&self) -> String;
}

/// What a node can be made to do with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCommand {
    /// Let this node in, also past the limit of peers. Does not dial.
    Admit(Enode),
    /// Dial this node and keep it connected.
    Dial(Enode),
    /// Stop dialling and disconnect; trust stays.
    Drop(Enode),
    /// Take trust back, then stop dialling and disconnect.
    Evict(Enode),
    /// Take trust back and leave the connection alone.
    Untrust(Enode),
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
    /// A peer came. Whether it stays and is ready, only [`Node::peers`] tells.
    Added(NodeId),
    /// A peer went, and why, as far as the client tells.
    Gone(NodeId, DropCause),
    /// A peer whose key is not known yet came or went, or events were missed: look at [`Node::peers`].
    Look,
}
