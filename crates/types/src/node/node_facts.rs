//! What an execution client says of itself, in words that fit all of them.

use std::net::IpAddr;

use crate::{Capability, ChainSpec, Enode, NodeId};

/// A node, as probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its public key.
    pub id: NodeId,
    /// Where it says that it listens; the host part is often loopback or missing.
    pub enode: Enode,
    /// `web3_clientVersion`, as it is.
    pub client_version: String,
    /// The chain it follows.
    pub chain: ChainSpec,
    /// Whether it serves as a full node, so that it can sell slots.
    pub full: bool,
    /// What runs over its connections, as it says itself: most clients tell names without versions. At most
    /// [`Capability::MOST`].
    pub protocols: Vec<Capability>,
}

/// A peer, as `admin_peers` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFact {
    /// Its public key.
    pub id: NodeId,
    /// Whether a sub-protocol runs: an *object* under `eth` or `les`. A doomed peer shows for some
    /// milliseconds without one.
    pub ready: bool,
    /// Who dialed.
    pub direction: Direction,
    /// Whether the node says that it trusts this peer; `None` where the client does not tell.
    pub trusted: Option<bool>,
    /// Whether the node says that it dialed this peer because its settings, or somebody's call, tell it to keep it;
    /// `None` where the client does not tell.
    pub is_static: Option<bool>,
    /// The address at the other end, where it is told.
    pub remote: Option<IpAddr>,
    /// `name` of the peer, its client version, cut to 256 characters.
    pub client_version: String,
    /// What it told our node that it serves, with versions, at most [`Capability::MOST`]; empty where the client does
    /// not tell.
    pub caps: Vec<Capability>,
}

/// Who dialed a connection between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer dialed us.
    Inbound,
    /// We dialed the peer.
    Outbound,
    /// The client does not tell.
    Unknown,
}

/// The newest block that a node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFact {
    /// Its number.
    pub number: u64,
    /// Its timestamp, in seconds since the Unix epoch.
    pub timestamp_s: u64,
    /// Whether `eth_syncing` says that the node is behind. Not to be trusted alone: look at the
    /// age of the block too.
    pub syncing: bool,
}
