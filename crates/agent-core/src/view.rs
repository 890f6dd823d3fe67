use vipnode_types::{LeaseId, Ms, NodeFacts, NodeId, Price, wire::Side};

use crate::{AgentCore, pool_link::LinkState};

/// What the agent is about, for status and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Whether it sells places.
    pub host: bool,
    /// Hosts it wants; 0 where it is no client.
    pub min_peers: u32,
    /// Where it stands with the pool.
    pub pool: PoolState,
    /// What a place costs at the pool; `None` before it was told.
    pub price: Option<Price>,
    /// Whether the node answers.
    pub node_up: bool,
    /// The node, as last probed.
    pub node: Option<NodeFacts>,
    /// Number of the newest block.
    pub head: Option<u64>,
    /// Every lease, those being undone included.
    pub leases: Vec<LeaseState>,
    /// Connected peers that no lease brought.
    pub own_peers: u32,
    /// Places offered in all.
    pub slots: u32,
    /// Why none.
    pub why_none: Option<String>,
    /// Whether it is on its way out.
    pub stopping: bool,
}

/// Where an agent stands with its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolState {
    /// No socket.
    Away,
    /// A socket, and the pool has not taken the agent yet.
    Connecting,
    /// The pool took it, at that moment.
    Connected(Ms),
}

/// One lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseState {
    /// Its name.
    pub lease: LeaseId,
    /// Which side the agent is.
    pub side: Side,
    /// The other node.
    pub peer: NodeId,
    /// What it costs; `None` for one of an earlier run that the pool has not spoken of yet.
    pub price: Option<Price>,
    /// Since when it is held, or held again.
    pub since: Ms,
    /// Since when the peer is seen; `None` while it is not.
    pub connected: Option<Ms>,
    /// It is over and being undone.
    pub ending: bool,
}

impl AgentCore {
    /// What the agent is about, at the moment of its last event.
    #[must_use]
    pub fn view(&self) -> AgentView {
        let (slots, why_none) = self.offer(self.now);
        let leases = self.leases.iter().map(|lease| LeaseState {
            lease: lease.id,
            side: lease.side,
            peer: lease.peer.id,
            price: lease.price.filter(|_| self.protocol2.is_none()),
            since: lease.given,
            connected: lease.up,
            ending: !lease.runs(),
        });
        AgentView {
            host: self.config.host.is_some(),
            min_peers: self.config.min_peers,
            pool: match self.link.state {
                LinkState::Away => PoolState::Away,
                LinkState::Open | LinkState::Connecting(_) => PoolState::Connecting,
                LinkState::Live { since, .. } => PoolState::Connected(since),
            },
            price: self.link.price,
            node_up: self.node.up,
            node: self.node.facts.clone(),
            head: self.node.head.map(|head| head.fact.number),
            leases: leases.collect(),
            own_peers: self.own_peers(),
            slots,
            why_none,
            stopping: self.stopping.is_some(),
        }
    }
}
