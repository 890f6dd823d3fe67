use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vipnode_agent_core::{AgentView, EndedSide, LeaseSnapshot, PoolState, SLOW_CONNECT_MS};
use vipnode_types::{
    Account, Amount, ChainSpec, LeaseId, Ms, NodeFacts, NodeId, PoolId, Price, QuotedPrice, REDIAL_MS,
    wire::{NextPrice, PaymentTerms, PayoutView, Side},
};

use super::{AgentFlags, ConnectionSettings};

/// The status of an agent. Times are in milliseconds since the Unix epoch by the agent's clock; amounts are in the
/// smallest unit of the pool's asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentStatus {
    /// `vipnode/<version>`.
    pub agent_version: String,
    /// The agent's process ID.
    pub process: u32,
    /// The time at which this status was generated.
    pub now: Ms,
    /// Whether the agent is stopping.
    pub stopping: bool,
    /// The agent's node.
    pub node: NodeStatus,
    /// The agent's connection to its pool.
    pub pool: PoolLink,
    /// The connections to the pool and the node that the agent allows.
    #[serde(default)]
    pub connections: ConnectionSettings,
    /// The flags that the agent runs with, from its command line, environment, and settings file: the values of each, by its
    /// name without `--`. Flags with their default values are left out, and so are secrets. With the same flags, another
    /// command on this machine has the same settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, Vec<String>>,
    /// The address of the agent's key, which signs the vouchers of its payment channel; `None` in the status of an
    /// older agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Account>,
    /// The state of the host side; present only on a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<AgentHostStatus>,
    /// The state of the client side; present only on a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<AgentClientStatus>,
}

/// The node of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeStatus {
    /// The node's public key.
    pub id: NodeId,
    /// `web3_clientVersion`.
    pub client_version: String,
    /// The chain that the node follows.
    pub chain: ChainSpec,
    /// The RPC address of the node, without credentials.
    pub at: String,
    /// Whether the node responds.
    pub up: bool,
    /// The number of the node's newest block; `None` until the node reports it, and while the node is offline.
    pub head: Option<u64>,
    /// The age of the node's newest block, in milliseconds.
    pub head_age_ms: Option<u64>,
    /// The number of connected peers that do not have a lease.
    pub own_peers: u32,
}

/// An agent's connection to its pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolLink {
    /// The pool's URL; empty without a pool.
    pub url: String,
    /// The ID of the pool; `None` until the agent has joined, over protocol 2, and for a pool without an ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PoolId>,
    /// The protocol version in use, 2 or 3.
    pub protocol: u32,
    /// The state of the connection.
    pub state: PoolState,
    /// The time at which the agent joined the pool.
    pub since: Option<Ms>,
    /// The price of a slot at the pool; `None` until the pool reports it, and over protocol 2.
    pub price: Option<Price>,
    /// The pool's fee, in basis points of what clients pay: hosts earn the rest.
    #[serde(default)]
    pub fee_bps: u16,
    /// The price that the pool announced; `None` if no change is announced, and over protocol 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_price: Option<NextPrice>,
    /// The side of the agent that does not accept the price in `next_price`; `None` if the agent accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_price_refused_by: Option<Side>,
    /// The payment mode and payment terms of the pool; `None` until the pool reports them, and over protocol 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<PaymentTerms>,
    /// The reason why the agent is not connected to the pool; `None` while it is connected, and before the first
    /// failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<PoolLossStatus>,
}

/// The reason why an agent is not connected to its pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolLossStatus {
    /// The reason for the newest failure.
    pub reason: String,
    /// The time at which the current outage began, even if its reason has changed since.
    pub since: Ms,
    /// The time until the agent tries again, in milliseconds; 0 while it is trying, `None` if it is stopping.
    pub retry_ms: Option<u64>,
}

/// The state of an agent's host side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentHostStatus {
    /// The number of slots that the host sells while its node can serve them.
    pub slots: u32,
    /// The number of slots that the host currently offers, including slots in use.
    pub offered: u32,
    /// The reason why the host offers no slots; `None` if it offers some.
    pub why_none: Option<String>,
    /// The number of slots in use.
    pub sold: u32,
    /// The number of free slots.
    pub free: u32,
    /// The number of slots that are reserved for the node's own peers.
    pub reserve: u32,
    /// The account that receives the host's earnings at the pool, and the pending account; `None` until the pool
    /// reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutView>,
    /// The clients that hold the slots, and clients that the user admits in addition.
    pub leases: Vec<LeaseStatus>,
    /// Totals since the agent started.
    pub metered: Metered,
}

/// The state of an agent's client side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentClientStatus {
    /// The number of hosts that the client wants: from the pool, plus those that the user named.
    pub wants: u32,
    /// The number of wanted hosts that are missing.
    pub missing: u32,
    /// The reason why hosts are missing, as reported by the pool.
    pub why_missing: Option<String>,
    /// The most that the client pays for a slot; `None` for any price.
    pub max_price: Option<QuotedPrice>,
    /// The longest time that can be left of its free trial, in milliseconds; absent if it is not in a trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_left_ms: Option<u64>,
    /// The hosts that the client has or is connecting to.
    pub leases: Vec<LeaseStatus>,
    /// Totals since the agent started.
    pub metered: Metered,
}

/// One lease, seen from one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaseStatus {
    /// The lease ID.
    pub lease: LeaseId,
    /// The other node.
    pub peer: NodeId,
    /// The peer's address, with the port if others can dial it; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The peer's client version; empty if it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// The price; `None` if the pool has not reported it.
    pub price: Option<Price>,
    /// The round-trip time to the connected peer, in microseconds: the shortest recent one that the kernel measured on
    /// the node's own TCP connection. `None` where the agent cannot read it: on systems other than Linux, and for a
    /// node on another machine or in another network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The time at which the lease began.
    pub since: Ms,
    /// The time at which the peer connected; `None` while it is not connected.
    pub connected: Option<Ms>,
    /// The total time for which this side was connected to the peer, in milliseconds. The pool meters only the time
    /// that both sides report.
    pub seen_ms: u64,
    /// The cost of the time in `seen_ms`; `None` without a price. This is the agent's own figure; the pool bills only
    /// the time during which both sides were connected to each other.
    pub cost: Option<Amount>,
    /// The time for which the node may wait before it dials the peer, in milliseconds. geth does not dial a node twice
    /// within 35 s, so a client that was restarted waits, unless the host dials it. `None` for a peer that is
    /// connected, or that was just assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redial_ms: Option<u64>,
    /// Whether the lease has ended and is being undone.
    pub ending: bool,
    /// Whether the user named the peer, so that no pool knows about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
}

/// Totals of the leases on one side since the agent started. This side meters them; the pool bills only the time during
/// which both sides were connected to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metered {
    /// The number of leases, including ended ones.
    pub leases: u64,
    /// The total time for which this side was connected to its peers, in milliseconds.
    pub seen_ms: u64,
    /// The cost of the time in `seen_ms`.
    pub cost: Amount,
}

/// The part of an agent's status that the agent core does not know.
#[derive(Debug, Clone)]
pub(crate) struct StaticStatus {
    pub(crate) agent_version: String,
    pub(crate) at: String,
    pub(crate) pool: String,
    pub(crate) protocol: u32,
    pub(crate) connections: ConnectionSettings,
    pub(crate) flags: AgentFlags,
    pub(crate) signer: Account,
    /// As first probed.
    pub(crate) facts: NodeFacts,
}

impl AgentStatus {
    pub(crate) fn of(static_status: &StaticStatus, view: &AgentView) -> Self {
        let facts = view.node.as_ref().unwrap_or(&static_status.facts);
        Self {
            agent_version: static_status.agent_version.clone(),
            process: std::process::id(),
            now: view.now,
            stopping: view.stopping,
            node: NodeStatus {
                id: facts.id,
                client_version: facts.client_version.clone(),
                chain: facts.chain,
                at: static_status.at.clone(),
                up: view.node_up,
                head: view.head,
                head_age_ms: view.head_age_ms,
                own_peers: view.own_peers,
            },
            pool: PoolLink {
                url: static_status.pool.clone(),
                id: view.pool_id,
                protocol: static_status.protocol,
                state: view.pool,
                since: view.joined,
                price: view.price,
                fee_bps: view.fee_bps,
                next_price: view.next_price,
                next_price_refused_by: view.next_price_refused_by,
                terms: view.terms,
                loss: view.loss.as_ref().map(|loss| PoolLossStatus {
                    reason: loss.why.clone(),
                    since: loss.since,
                    retry_ms: loss.retry.map(|retry| retry.since(view.now)),
                }),
            },
            connections: static_status.connections.clone(),
            flags: static_status.flags.get(),
            signer: Some(static_status.signer),
            host: AgentHostStatus::of(view),
            client: AgentClientStatus::of(view),
        }
    }
}

impl AgentStatus {
    /// The leases of both sides.
    pub(super) fn leases_mut(&mut self) -> impl Iterator<Item = &mut LeaseStatus> {
        let clients = self.host.iter_mut().flat_map(|host| &mut host.leases);
        clients.chain(self.client.iter_mut().flat_map(|client| &mut client.leases))
    }
}

impl AgentHostStatus {
    fn of(view: &AgentView) -> Option<Self> {
        let selling = view.host?;
        let leases = leases(view, Side::Host);
        let sold = u32::try_from(leases.iter().filter(|lease| !lease.direct).count()).unwrap_or(u32::MAX);
        Some(Self {
            slots: selling.slots,
            offered: view.slots,
            why_none: view.why_none.clone(),
            sold,
            free: view.slots.saturating_sub(sold),
            reserve: selling.reserve,
            payout: view.payout,
            metered: Metered::of(view.ended.host, view, Side::Host),
            leases,
        })
    }
}

impl AgentClientStatus {
    fn of(view: &AgentView) -> Option<Self> {
        let leases = leases(view, Side::Client);
        let named = leases.iter().filter(|lease| lease.direct && lease.connected.is_some()).count();
        let named = u32::try_from(named).unwrap_or(u32::MAX);
        let wants = view.min_peers.saturating_add(view.direct_hosts);
        (wants > 0).then(|| Self {
            wants,
            missing: view.missing.saturating_add(view.direct_hosts.saturating_sub(named)),
            why_missing: view.why_missing.clone(),
            max_price: view.max_price.clone(),
            trial_left_ms: view.trial_left_ms,
            leases,
            metered: Metered::of(view.ended.client, view, Side::Client),
        })
    }
}

impl Metered {
    fn of(mut seen: EndedSide, view: &AgentView, side: Side) -> Self {
        for lease in view.leases.iter().filter(|lease| lease.side == side && !lease.lease.is_direct()) {
            seen.add(lease.seen_ms, lease.cost.unwrap_or_default());
        }
        Self { leases: seen.leases, seen_ms: seen.ms, cost: seen.cost }
    }
}

fn leases(view: &AgentView, side: Side) -> Vec<LeaseStatus> {
    let leases = view.leases.iter().filter(|lease| lease.side == side);
    leases.map(|lease| LeaseStatus::of(lease, view.now)).collect()
}

impl LeaseStatus {
    fn of(lease: &LeaseSnapshot, now: Ms) -> Self {
        let age_ms = now.since(lease.since);
        let waits = lease.side == Side::Client && lease.connected.is_none() && !lease.ending;
        let estimate = (SLOW_CONNECT_MS..REDIAL_MS).contains(&age_ms).then(|| REDIAL_MS.saturating_sub(age_ms));
        let known = lease.redials.map(|redials| redials.since(now)).filter(|ms| *ms > 0);
        let redial_ms = if lease.redials.is_some() { known } else { estimate };
        Self {
            redial_ms: redial_ms.filter(|_| waits),
            lease: lease.lease,
            peer: lease.peer,
            address: lease.address.clone(),
            client_version: lease.client_version.clone(),
            latency_us: None,
            price: lease.price,
            since: lease.since,
            connected: lease.connected,
            seen_ms: lease.seen_ms,
            cost: lease.cost,
            ending: lease.ending,
            direct: lease.lease.is_direct(),
        }
    }
}
