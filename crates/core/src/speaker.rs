use vipnode_types::{AgentPublic, Ms, NodeId, protocol2::Kind};

/// Who speaks for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// An agent with a key of its own, by protocol 3.
    Agent {
        /// Its key.
        key: AgentPublic,
        /// The newest delegation seen.
        issued: Ms,
        /// Whether the node may come by protocol 2 too.
        protocol2: bool,
    },
    /// The node's own key, by protocol 2.
    NodeKey {
        /// The newest delegation seen before; zero where there was none.
        issued: Ms,
        /// The newest nonce that a call was taken with.
        nonce: u64,
        /// Which execution client it says it is.
        kind: Kind,
        /// Whether it is a full node, by its own word.
        full: bool,
        /// Peers that the pool had it let in, or sent it to, and that it is to drop; the oldest first.
        drop: Vec<NodeId>,
        /// How many of these it was told of on this socket; 0 in a row.
        told: u16,
    },
}

impl Speaker {
    /// Whether it speaks protocol 2.
    #[must_use]
    pub const fn is_node_key(&self) -> bool {
        matches!(self, Self::NodeKey { .. })
    }

    /// The newest delegation seen.
    #[must_use]
    pub const fn issued(&self) -> Ms {
        match self {
            Self::Agent { issued, .. } | Self::NodeKey { issued, .. } => *issued,
        }
    }

    /// The newest nonce of protocol 2, 0 for none.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        match self {
            Self::Agent { .. } => 0,
            Self::NodeKey { nonce, .. } => *nonce,
        }
    }

    /// Whether there are peers that it is to drop.
    pub(crate) fn drops(&self) -> bool {
        matches!(self, Self::NodeKey { drop, .. } if !drop.is_empty())
    }

    /// As it is on a new socket.
    pub(crate) fn untold(&self) -> Self {
        let mut speaker = self.clone();
        if let Self::NodeKey { told, .. } = &mut speaker {
            *told = 0;
        }
        speaker
    }

    /// Takes a nonce that is newer, where it speaks protocol 2.
    pub fn raise_nonce(&mut self, newer: u64) {
        if let Self::NodeKey { nonce, .. } = self {
            *nonce = newer.max(*nonce);
        }
    }
}
