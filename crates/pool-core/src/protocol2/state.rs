use vipnode_types::NodeId;

/// What is remembered of protocol 2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protocol2State {
    /// The newest nonce before an agent spoke protocol 3; 0 for none.
    pub nonce: u64,
    /// Peers that the pool had the node let in, or sent it to, and that it is to drop; the oldest first.
    pub drop: Vec<NodeId>,
    /// How many of these it heard of on this socket; 0 in a row.
    pub told: u16,
}

/// What a node of protocol 2 hears that it is to drop.
#[derive(Debug)]
pub(crate) struct InvalidPeers {
    /// Ids of peers, for the answer.
    pub(crate) ids: Vec<String>,
    /// Whether what is remembered became another, and is to be written.
    pub(crate) changed: bool,
}

impl Protocol2State {
    /// Has a node drop a peer: it hears of it in its answers until it reports the peer no longer. The list is limited
    /// to `most`; the oldest is forgotten. False where it was there already. Only what the pool had it let in, or sent
    /// it to, is ever among them.
    pub(crate) fn drop_peer(&mut self, peer: NodeId, most: usize) -> bool {
        if self.drop.contains(&peer) {
            return false;
        }
        if self.drop.len() >= most {
            self.drop.remove(0);
            self.told = self.told.saturating_sub(1);
        }
        self.drop.push(peer);
        true
    }

    /// What a node is to drop now that it reported `peers`, which are sorted as `leased` are. What it heard of on
    /// this socket and reports no longer, it has dropped. A peer that it was given again meanwhile, in either role, has
    /// its turn once that lease is over: a slot that the host then refuses must not make the pool forget.
    pub(crate) fn still_to_drop(&mut self, peers: &[NodeId], leased: &[NodeId]) -> InvalidPeers {
        let (were_told, before) = (usize::from(self.told), self.drop.len());
        let all = std::mem::take(&mut self.drop).into_iter().enumerate();
        let left = all.filter(|(at, id)| *at >= were_told || peers.binary_search(id).is_ok()).map(|(_, id)| id);
        let (now, later): (Vec<_>, Vec<_>) = left.partition(|id| leased.binary_search(id).is_err());
        self.told = u16::try_from(now.len()).unwrap_or(u16::MAX);
        let ids = now.iter().map(ToString::to_string).collect();
        self.drop = now;
        self.drop.extend(later);
        InvalidPeers { ids, changed: self.drop.len() != before }
    }
}
