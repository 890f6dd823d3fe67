use std::net::SocketAddr;

use vipnode_types::NodeId;

/// The TCP connection of a node to one of its peers, as `admin_peers` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerConnection {
    /// Public key of the peer.
    pub peer: NodeId,
    /// The node's own end.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
}
