use vipnode_types::{
    Amount, LeaseId, Ms, NodeFacts, NodeId, PoolId, Price, QuotedPrice,
    wire::{NextPrice, PaymentTerms, PayoutView, Side},
};

use crate::{AgentCore, EndedLeases, HostConfig, PoolLoss, PoolState, node::own_peers::OwnPeers};

/// The state of the agent, for status and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// The time of its last event, by the agent's clock.
    pub now: Ms,
    /// Its slots, if it is a host.
    pub host: Option<HostSlots>,
    /// How many hosts it wants; 0 if it is not a client.
    pub min_peers: u32,
    /// How many of them are missing.
    pub missing: u32,
    /// Why hosts are missing, as reported by the pool.
    pub why_missing: Option<String>,
    /// The maximum price of a slot; `None` for any price.
    pub max_price: Option<QuotedPrice>,
    /// How much is left of the client's free trial, at most, in milliseconds; `None` while no host serves it for free at a pool that
    /// charges.
    pub trial_left_ms: Option<u64>,
    /// How many hosts the user named, which are kept without a pool.
    pub direct_hosts: u32,
    /// Its connection to the pool.
    pub pool: PoolState,
    /// Why the agent is not connected to the pool; `None` while it is, and before the first failure.
    pub loss: Option<PoolLoss>,
    /// When the agent joined the pool; `None` while it has not.
    pub joined: Option<Ms>,
    /// The pool's ID; `None` until the agent has joined, and for a pool without one.
    pub pool_id: Option<PoolId>,
    /// The pool's price of a slot; `None` until the pool reports it.
    pub price: Option<Price>,
    /// The pool's fee, in basis points of what clients pay.
    pub fee_bps: u16,
    /// The price that the pool announced; `None` if none is.
    pub next_price: Option<NextPrice>,
    /// The role in which the agent does not accept that price; `None` if it accepts it.
    pub next_price_refused_by: Option<Side>,
    /// How clients of the pool pay; `None` until the pool reports it.
    pub terms: Option<PaymentTerms>,
    /// The account that receives what a host earns at the pool, as the pool reports it.
    pub payout: Option<PayoutView>,
    /// Whether the node answers.
    pub node_up: bool,
    /// The node, as last probed.
    pub node: Option<NodeFacts>,
    /// Number of the newest block.
    pub head: Option<u64>,
    /// How old that block is, in milliseconds, by this machine's clock.
    pub head_age_ms: Option<u64>,
    /// Every lease, including those being undone.
    pub leases: Vec<LeaseSnapshot>,
    /// Connected peers without a lease.
    pub own_peers: u32,
    /// Slots offered in total.
    pub slots: u32,
    /// Why none are offered.
    pub why_none: Option<String>,
    /// Totals of the leases that ended in this run.
    pub ended: EndedLeases,
    /// Whether it is stopping.
    pub stopping: bool,
}

/// How many slots a host sells, and keeps for the peers of its own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostSlots {
    /// Slots that it sells while its node is in sync.
    pub slots: u32,
    /// Slots kept for the node's own peers.
    pub reserve: u32,
}

/// A lease as the agent's status shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSnapshot {
    /// The pool's ID of this lease.
    pub lease: LeaseId,
    /// Which side the agent is on.
    pub side: Side,
    /// Public key of the other node.
    pub peer: NodeId,
    /// Its address, with the port if others can dial it; `None` if it is not known.
    pub address: Option<String>,
    /// Its client version; empty if it is not known.
    pub client_version: String,
    /// Its price; `None` for one of an earlier run that the pool has not named yet.
    pub price: Option<Price>,
    /// Since when it is held, or held again.
    pub since: Ms,
    /// Since when the peer is connected; `None` while it is not.
    pub connected: Option<Ms>,
    /// When the two nodes dial each other again, if the pool knows that they wait.
    pub redials: Option<Ms>,
    /// What that time costs at the prices that it had, rounded down; `None` if no price is known.
    pub cost: Option<Amount>,
    /// How long this side saw the peer in total, in milliseconds. The pool meters the part that both sides saw.
    pub seen_ms: u64,
    /// Whether it has ended and is being undone.
    pub ending: bool,
}

impl AgentView {
    pub(crate) fn of(core: &AgentCore) -> Self {
        let offer = core.offer(core.now);
        let leases = core.leases.iter().map(|lease| LeaseSnapshot {
            lease: lease.id(),
            side: lease.side(),
            peer: lease.peer_id(),
            address: lease.address(),
            client_version: lease.client_version().to_owned(),
            price: core.dialect.price(lease.terms().price),
            since: lease.since(),
            connected: lease.connection().up(),
            redials: lease.terms().redials,
            cost: lease.cost(core.now).filter(|_| core.dialect.price(lease.terms().price).is_some()),
            seen_ms: lease.connection().seen_ms(core.now),
            ending: !lease.runs(),
        });
        let selling =
            |host: &HostConfig| HostSlots { slots: host.sellable(core.config.direct.allowed()), reserve: host.reserve };
        let missing = core.missing_hosts();
        let head = core.node.head();
        Self {
            now: core.now,
            host: core.config.host.as_ref().map(selling),
            min_peers: core.config.min_peers,
            missing,
            why_missing: core.missing_hosts.why().filter(|_| missing > 0 && core.session.is_live()).map(str::to_owned),
            max_price: core.config.max_price.clone(),
            trial_left_ms: core.trial_left_ms(),
            direct_hosts: core.direct_hosts(),
            pool: core.pool_state(),
            loss: core.session.loss().cloned(),
            joined: core.session.joined(),
            pool_id: core.session.pool_id(),
            price: core.session.price(),
            fee_bps: core.session.fee_bps(),
            next_price: core.session.next_price(),
            next_price_refused_by: core.session.next_price().and_then(|next| core.refuses(&next)),
            terms: core.session.terms(),
            payout: core.session.payout(),
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
