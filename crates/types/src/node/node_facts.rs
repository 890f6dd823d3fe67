//! What an execution client reports, in a form that fits all clients.

use std::net::IpAddr;

use crate::{Capability, ChainSpec, Enode, NodeId};

/// A node, as probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its node ID.
    pub id: NodeId,
    /// The address at which it reports to listen; the host part is often loopback or missing.
    pub enode: Enode,
    /// `web3_clientVersion`, as it is.
    pub client_version: String,
    /// The chain it follows.
    pub chain: ChainSpec,
    /// Whether it serves as a full node, so that it can sell slots.
    pub full: bool,
    /// The sub-protocols that it reports to run; most clients report names without versions. At most
    /// [`Capability::MOST`].
    pub protocols: Vec<Capability>,
    /// Whether it dials a peer only seconds after the call.
    pub dials_late: bool,
}

/// A peer, as `admin_peers` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFact {
    /// Its node ID.
    pub id: NodeId,
    /// Whether a sub-protocol runs: an *object* under `eth` or `les`. A peer that the sub-protocol is about to
    /// reject is listed for a few milliseconds without one.
    pub ready: bool,
    /// Which side dialed.
    pub direction: Direction,
    /// Whether the node reports that it trusts this peer; `None` if the client does not report it.
    pub trusted: Option<bool>,
    /// Whether the node reports that it keeps this peer as a static one, by its settings or by a call; `None` if the
    /// client does not report it.
    pub is_static: Option<bool>,
    /// The peer's address, if it is reported.
    pub remote: Option<IpAddr>,
    /// `name` of the peer, its client version, cut to 256 characters.
    pub client_version: String,
    /// The capabilities that it announced to our node, with versions, at most [`Capability::MOST`]; empty if the client
    /// does not report them.
    pub caps: Vec<Capability>,
}

/// Which side dialed a connection between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer dialed us.
    Inbound,
    /// We dialed the peer.
    Outbound,
    /// The client does not report it.
    Unknown,
}

/// The newest block that a node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFact {
    /// The block's number.
    pub number: u64,
    /// The block's timestamp, in seconds since the Unix epoch.
    pub timestamp_s: u64,
    /// Whether `eth_syncing` reports that the node is behind. Not reliable alone: check the age of the block too.
    pub syncing: bool,
}
