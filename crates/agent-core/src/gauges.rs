use vipnode_types::{HeadFact, Ms, wire::Side};

use crate::{AgentCore, Counters};

/// What there is now, in numbers. To read them costs a look at each lease and at each former client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    /// The pool has taken the agent, and the connection stands.
    pub pool_connected: bool,
    /// The node answers.
    pub node_up: bool,
    /// Connected peers that no lease brought.
    pub own_peers: u32,
    /// Places kept for them; 0 where none are sold.
    pub reserve: u32,
    /// Places offered in all.
    pub places_offered: u32,
    /// Places held by clients of the pool, those being undone included.
    pub places_sold: u32,
    /// Offered, and held by nobody.
    pub places_free: u32,
    /// Clients that the node is connected to.
    pub clients_connected: u32,
    /// Hosts wanted: of the pool, and those that the user named.
    pub hosts_wanted: u32,
    /// Hosts that the node is connected to.
    pub hosts_connected: u32,
    /// Nodes that the agent had its node trust and that are still trusted though their lease is over.
    pub trusted_without_lease: u32,
    /// The newest block; `None` while the node has not told it.
    pub head: Option<HeadFact>,
    /// When a client was last connected.
    pub last_client: Option<Ms>,
}

impl AgentCore {
    /// What there is, at the moment of the last event.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (places_offered, places_sold) = (self.offer(self.now).0, self.leases.held(Side::Host));
        Gauges {
            pool_connected: self.link.is_live(),
            node_up: self.node.up,
            own_peers: self.own_peers(),
            reserve: self.config.host.as_ref().map_or(0, |host| host.reserve),
            places_offered,
            places_sold,
            places_free: places_offered.saturating_sub(places_sold),
            clients_connected: self.leases.connected(Side::Host),
            hosts_wanted: self.config.min_peers.saturating_add(self.named_hosts()),
            hosts_connected: self.leases.connected(Side::Client),
            trusted_without_lease: self.trusted_without_lease(),
            head: self.node.head.map(|head| head.fact),
            last_client: self.last_client,
        }
    }

    /// What happened since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}
