use crate::Enode;

/// A change of a node's peers. The agent core decides on it; the node's driver knows by which calls, and in which order,
/// its client makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCommand {
    /// Let this node in, also past the limit of peers. Does not dial (geth, reth: `admin_addTrustedPeer`).
    Admit(Enode),
    /// Dial this node and keep it connected (`admin_addPeer`).
    Dial(Enode),
    /// Stop dialing and disconnect, trust untouched (`admin_removePeer`).
    Drop(Enode),
    /// Take trust back, then stop dialing and disconnect.
    Evict(Enode),
    /// Take trust back and leave the connection alone: another lease needs it, or it was there before.
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
