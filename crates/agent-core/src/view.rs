use vipnode_types::{LeaseId, Ms, NodeFacts, NodeId, Price, wire::Side};

use crate::{AgentCore, EndedLeases, HostConfig, node::own_peers::OwnPeers};

/// What the agent is about, for status and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// The moment of its last event, by the agent's clock.
    pub now: Ms,
    /// What it sells, where it is a host.
    pub host: Option<Selling>,
    /// Hosts it wants; 0 where it is not a client.
    pub min_peers: u32,
    /// How many of them are missing.
    pub missing: u32,
    /// Where some are missing: why, in the words of the pool.
    pub why_missing: Option<String>,
    /// The highest price of a slot that it takes; `None` for any price.
    pub max_price: Option<Price>,
    /// Hosts that the user named, which are kept without a pool.
    pub named_hosts: u32,
    /// Where it stands with the pool.
    pub pool: PoolState,
    /// What a slot costs at the pool; `None` before the pool said so.
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
    /// Slots offered in all.
    pub slots: u32,
    /// Why none are offered.
    pub why_none: Option<String>,
    /// What leases that ended in this run saw.
    pub ended: EndedLeases,
    /// Whether it is on its way out.
    pub stopping: bool,
}

/// What a host sells and keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selling {
    /// Slots that it sells while its node can.
    pub slots: u32,
    /// Slots kept for the node's own peers.
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
    /// The name by which agent and pool know it.
    pub lease: LeaseId,
    /// Which side the agent is.
    pub side: Side,
    /// Public key of the other node.
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

impl AgentView {
    pub(crate) fn of(core: &AgentCore) -> Self {
        let offer = core.offer(core.now);
        let leases = core.leases.iter().map(|lease| LeaseState {
            lease: lease.id(),
            side: lease.side(),
            peer: lease.peer_id(),
            price: core.dialect.price(lease.terms().price),
            since: lease.since(),
            connected: lease.presence().up(),
            seen_ms: lease.presence().seen_ms(core.now),
            ending: !lease.runs(),
        });
        let selling =
            |host: &HostConfig| Selling { slots: host.sellable(core.config.direct.allowed()), reserve: host.reserve };
        let missing = core.missing_hosts();
        let head = core.node.head();
        Self {
            now: core.now,
            host: core.config.host.as_ref().map(selling),
            min_peers: core.config.min_peers,
            missing,
            why_missing: core.asks.why_missing().filter(|_| missing > 0).map(str::to_owned),
            max_price: core.config.max_price,
            named_hosts: core.named_hosts(),
            pool: if core.config.pool { core.link.pool_state() } else { PoolState::None },
            price: core.link.price(),
            node_up: core.node.is_up(),
            node: core.node.facts().cloned(),
            head: core.node.block(),
            head_age_ms: head.map(|head| head.age_ms(core.now)),
            leases: leases.collect(),
            own_peers: OwnPeers::count(&core.node, &core.leases),
            slots: offer.slots,
            why_none: offer.why_none,
            ended: core.ended,
            stopping: core.stopping.is_some(),
        }
    }
}
