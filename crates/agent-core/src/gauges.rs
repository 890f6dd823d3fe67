use vipnode_types::{HeadFact, Ms, wire::Side};

use crate::{
    AgentCore, PoolState,
    node::{former_clients::trusted_without_lease, own_peers::OwnPeers},
};

/// AgentGauges of the current state. Reading them takes time linear in the number of leases and former clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentGauges {
    /// Whether the pool has accepted the agent on an open connection.
    pub pool_connected: bool,
    /// The state of the connection to the pool.
    pub pool_state: PoolState,
    /// Whether the node answers.
    pub node_up: bool,
    /// Connected peers without a lease.
    pub own_peers: u32,
    /// Slots kept for them; 0 for an agent that is not a host.
    pub reserve: u32,
    /// Slots offered in total.
    pub slots_offered: u32,
    /// Slots held by clients of the pool, including those being undone.
    pub slots_sold: u32,
    /// Offered slots that no client holds.
    pub slots_free: u32,
    /// Clients that the node is connected to.
    pub clients_connected: u32,
    /// Hosts wanted: from the pool, plus those that the user named.
    pub hosts_wanted: u32,
    /// Hosts that the node is connected to.
    pub hosts_connected: u32,
    /// Nodes that are still trusted because of the agent although their lease has ended.
    pub trusted_without_lease: u32,
    /// The newest block; `None` before the node reported it.
    pub head: Option<HeadFact>,
    /// When a client was last connected.
    pub last_client: Option<Ms>,
    /// How long clients of the pool were connected since the start, summed over all leases, as this side saw it, in milliseconds.
    pub clients_seen_ms: u64,
    /// The same for hosts.
    pub hosts_seen_ms: u64,
}

impl AgentGauges {
    pub(crate) fn of(core: &AgentCore) -> Self {
        let (offered, sold) = (core.offer(core.now).slots, core.leases.held(Side::Host));
        Self {
            pool_connected: core.session.is_live(),
            pool_state: core.pool_state(),
            node_up: core.node.is_up(),
            own_peers: OwnPeers::count(&core.node, &core.leases),
            reserve: core.config.host.as_ref().map_or(0, |host| host.reserve),
            slots_offered: offered,
            slots_sold: sold,
            slots_free: offered.saturating_sub(sold),
            clients_connected: core.leases.connected(Side::Host),
            hosts_wanted: core.config.min_peers.saturating_add(core.direct_hosts()),
            hosts_connected: core.leases.connected(Side::Client),
            trusted_without_lease: trusted_without_lease(&core.leases, &core.node, &core.former_clients),
            head: core.node.head().map(|head| head.fact),
            last_client: core.hosting.last_client(),
            clients_seen_ms: seen_ms(core, Side::Host),
            hosts_seen_ms: seen_ms(core, Side::Client),
        }
    }
}

/// Sums the time that this side saw of all leases of the pool, ended ones included.
fn seen_ms(core: &AgentCore, side: Side) -> u64 {
    let ended = match side {
        Side::Host => core.ended.host.ms,
        Side::Client => core.ended.client.ms,
    };
    let of_pool = core.leases.iter().filter(|lease| lease.side() == side && !lease.id().is_direct());
    of_pool.fold(ended, |sum, lease| sum.saturating_add(lease.connection().seen_ms(core.now)))
}
