use vipnode_types::{LeaseId, Ms, NodeFacts, NodeId, Price, wire::Side};

use crate::{AgentCore, EndedLeases, pool::link::LinkState};

/// What the agent is about, for status and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// The moment of its last event, by the agent's clock.
    pub now: Ms,
    /// What it sells, where it is a host.
    pub host: Option<Selling>,
    /// Hosts it wants; 0 where it is no client.
    pub min_peers: u32,
    /// How many of them are missing.
    pub missing: u32,
    /// Where some are missing: why, in the words of the pool.
    pub why_missing: Option<String>,
    /// The dearest place that it takes; `None` for any price.
    pub max_price: Option<Price>,
    /// Hosts that the user named, which are kept without a pool.
    pub named_hosts: u32,
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
    /// How old that block is, in milliseconds, by this machine's clock.
    pub head_age_ms: Option<u64>,
    /// Every lease, those being undone included.
    pub leases: Vec<LeaseState>,
    /// Connected peers that no lease brought.
    pub own_peers: u32,
    /// Places offered in all.
    pub slots: u32,
    /// Why none.
    pub why_none: Option<String>,
    /// What leases that ended in this run saw.
    pub ended: EndedLeases,
    /// Whether it is on its way out.
    pub stopping: bool,
}

/// What a host sells and keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selling {
    /// Places that it sells while its node can.
    pub slots: u32,
    /// Places kept for the node's own peers.
    pub reserve: u32,
}

/// Where an agent stands with its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolState {
    /// There is none: the user named hosts or clients.
    None,
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
    /// For how long this side saw the peer in all, in milliseconds. What the pool meters is the part of it that both
    /// sides saw.
    pub seen_ms: u64,
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
            seen_ms: lease.seen_ms(self.now),
            ending: !lease.runs(),
        });
        AgentView {
            now: self.now,
            host: self
                .config
                .host
                .as_ref()
                .map(|host| Selling { slots: host.places(self.config.direct.allowed()), reserve: host.reserve }),
            min_peers: self.config.min_peers,
            missing: self.missing_hosts(),
            why_missing: self.asks.why_missing().filter(|_| self.missing_hosts() > 0).map(str::to_owned),
            max_price: self.config.max_price,
            named_hosts: self.named_hosts(),
            pool: match self.link.state {
                _ if !self.config.pool => PoolState::None,
                LinkState::Away => PoolState::Away,
                LinkState::Open | LinkState::Connecting(_) => PoolState::Connecting,
                LinkState::Live { since, .. } => PoolState::Connected(since),
            },
            price: self.link.price,
            node_up: self.node.up,
            node: self.node.facts.clone(),
            head: self.node.head.map(|head| head.fact.number),
            head_age_ms: self.node.head.map(|head| head.age_ms(self.now)),
            leases: leases.collect(),
            own_peers: self.own_peers(),
            slots,
            why_none,
            ended: self.ended,
            stopping: self.stopping.is_some(),
        }
    }
}
