use vipnode_types::NodeId;

/// What the pool remembers of a node that used protocol 2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protocol2State {
    /// The newest nonce before its agent changed to protocol 3, or 0.
    pub nonce: u64,
    /// Former peers from leases that the node has yet to drop, the oldest first.
    pub drop: Vec<NodeId>,
    /// How many of these were announced to the node on this socket; 0 in a stored row.
    pub announced: u16,
}

/// The answer to an update of protocol 2: the peers to drop.
#[derive(Debug)]
pub(crate) struct InvalidPeers {
    /// The ids of the peers.
    pub(crate) ids: Vec<String>,
    /// Whether the state changed and has to be written.
    pub(crate) changed: bool,
}

impl Protocol2State {
    /// Adds a peer to drop: the answers name it until the node no longer reports it. The list holds at most `most`; then
    /// the oldest is forgotten. Returns false if the peer was in the list. Only peers from leases are ever added.
    pub(crate) fn drop_peer(&mut self, peer: NodeId, most: usize) -> bool {
        if self.drop.contains(&peer) {
            return false;
        }
        if self.drop.len() >= most {
            self.drop.remove(0);
            self.announced = self.announced.saturating_sub(1);
        }
        self.drop.push(peer);
        true
    }

    /// Returns what a node has yet to drop after it reported `peers`; `peers` and `leased` are sorted. A peer that was
    /// announced on this socket and is no longer reported has been dropped. A peer with a new lease, in either role, is
    /// announced after that lease ends, so that an offer which the host refuses does not make the pool forget the peer.
    pub(crate) fn still_to_drop(&mut self, peers: &[NodeId], leased: &[NodeId]) -> InvalidPeers {
        let (announced, before) = (usize::from(self.announced), self.drop.len());
        let all = std::mem::take(&mut self.drop).into_iter().enumerate();
        let left = all.filter(|(at, id)| *at >= announced || peers.binary_search(id).is_ok()).map(|(_, id)| id);
        let (now, later): (Vec<_>, Vec<_>) = left.partition(|id| leased.binary_search(id).is_err());
        self.announced = u16::try_from(now.len()).unwrap_or(u16::MAX);
        let ids = now.iter().map(ToString::to_string).collect();
        self.drop = now;
        self.drop.extend(later);
        InvalidPeers { ids, changed: self.drop.len() != before }
    }
}
