use crate::Enode;

/// A change of a node's peers. The agent core decides on it; the node's driver knows which RPC calls make the change, and in
/// which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCommand {
    /// Admit this node, even beyond the peer limit. Does not dial (geth, reth: `admin_addTrustedPeer`).
    Admit(Enode),
    /// Dial this node and keep it connected (`admin_addPeer`).
    Dial(Enode),
    /// Stop dialing and disconnect, without a change to trust (`admin_removePeer`).
    Drop(Enode),
    /// Revoke trust, then stop dialing and disconnect.
    Evict(Enode),
    /// Revoke trust, but keep the connection: another lease needs it, or it was there before.
    Untrust(Enode),
}

impl PeerCommand {
    /// The node that it is about.
    #[must_use]
    pub const fn peer(&self) -> &Enode {
        let (Self::Admit(peer) | Self::Dial(peer) | Self::Drop(peer) | Self::Evict(peer) | Self::Untrust(peer)) = self;
        peer
    }
}
