use std::net::IpAddr;

use vipnode_types::{Account, ChainSpec, Enode, EnodeHost, LeaseSetHash, Ms, NodeId, Price, Wei};

use crate::{
    ConnectionId, Credentials, NodeRow, collections::slab::Handle, leases::lease::NIL, matching::wait_queue::WaitKey,
    metering::day_budget::DayBudget,
};

/// A node and its agent. Its leases hang on two lists through the leases themselves.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) credentials: Credentials,
    /// The presence: the last moment it reported.
    pub(crate) seen: Ms,
    pub(crate) chain: u32,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) payout: Option<Account>,
    pub(crate) ever_host: bool,
    pub(crate) ever_client: bool,

    /// The socket, while there is one. Nothing below outlives it but the lists and the rank.
    pub(crate) peer: Option<ConnectionId>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) callable: bool,
    pub(crate) since: Ms,
    /// Versions, [`NIL`] where they were not told or are too many.
    pub(crate) agent_version: u32,
    pub(crate) client_version: u32,
    /// What it serves and what it wants of others, [`NIL`] where it told neither.
    pub(crate) profile: u32,
    pub(crate) rtt_us: u32,
    pub(crate) seq: u32,
    pub(crate) hash: LeaseSetHash,
    pub(crate) head: u64,

    pub(crate) hosting: bool,
    pub(crate) slots: u32,
    pub(crate) host_leases: u32,
    pub(crate) host_head: u32,
    /// Place in the list of connected hosts, [`NIL`] for none.
    pub(crate) host_position: u32,
    /// Place in its chain's list of hosts with free places, [`NIL`] for none.
    pub(crate) open_position: u32,
    /// Free places that it adds to its chain's sum.
    pub(crate) open_free: u32,
    /// It refused or was late; not asked until a timer ends that.
    pub(crate) resting: bool,
    /// It takes no light node now.
    pub(crate) light_full: bool,
    pub(crate) refusals: u8,
    /// Offers of late that never connected.
    pub(crate) strikes: u8,

    pub(crate) consuming: bool,
    /// It stands in the count of connected clients.
    pub(crate) counted_client: bool,
    /// The dearest place it takes; the dearest there can be for any.
    pub(crate) max_price: Price,
    pub(crate) want: u32,
    pub(crate) client_leases: u32,
    pub(crate) client_head: u32,
    /// Leases of it whose admit the host has not answered.
    pub(crate) admitting: u32,
    /// Nodes that it does not want. One pointer each, for hardly anybody has any.
    pub(crate) avoid: Option<Box<Avoided>>,
    pub(crate) wait_key: Option<WaitKey>,
    /// No host was found; it waits for a timer before it is tried again.
    pub(crate) backing_off: bool,
    pub(crate) unpaired: DayBudget,

    /// The store has a row of it.
    pub(crate) stored: bool,
    /// It has an entry among the deadlines of silence.
    pub(crate) watched: bool,
    /// Its presence moved since the last flush.
    pub(crate) dirty: bool,
}

/// Nodes that a client does not want.
#[derive(Debug)]
pub(crate) struct Avoided(Box<[Handle]>);

impl Avoided {
    /// `None` for nobody.
    pub(crate) fn new(nodes: Box<[Handle]>) -> Option<Box<Self>> {
        (!nodes.is_empty()).then(|| Box::new(Self(nodes)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Handle> {
        self.0.iter().copied()
    }
}

/// No price is above it.
pub(crate) const ANY_PRICE: Price = Price::per_minute(Wei::new(u128::MAX));

/// Where a node says that it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: EnodeHost,
    port: u16,
    disc_port: Option<u16>,
}

impl Endpoint {
    pub(crate) fn of(enode: &Enode) -> Self {
        Self { host: enode.host.clone(), port: enode.port, disc_port: enode.disc_port }
    }

    fn enode(&self, id: NodeId) -> Enode {
        Enode { id, host: self.host.clone(), port: self.port, disc_port: self.disc_port }
    }
}

impl Node {
    pub(crate) fn new(id: NodeId, credentials: Credentials, seen: Ms, chain: u32) -> Self {
        Self {
            id,
            credentials,
            seen,
            chain,
            endpoint: None,
            payout: None,
            ever_host: false,
            ever_client: false,
            peer: None,
            address: None,
            callable: false,
            since: seen,
            agent_version: NIL,
            client_version: NIL,
            profile: NIL,
            rtt_us: 0,
            seq: 0,
            hash: LeaseSetHash::default(),
            head: 0,
            hosting: false,
            slots: 0,
            host_leases: 0,
            host_head: NIL,
            host_position: NIL,
            open_position: NIL,
            open_free: 0,
            resting: false,
            light_full: false,
            refusals: 0,
            strikes: 0,
            consuming: false,
            counted_client: false,
            max_price: ANY_PRICE,
            want: 0,
            client_leases: 0,
            client_head: NIL,
            admitting: 0,
            avoid: None,
            wait_key: None,
            backing_off: false,
            unpaired: DayBudget::default(),
            stored: false,
            watched: false,
            dirty: false,
        }
    }

    pub(crate) fn from_row(row: &NodeRow, chain: u32) -> Self {
        let mut node = Self::new(row.id, row.credentials.clone(), row.seen, chain);
        node.endpoint = row.enode.as_ref().map(Endpoint::of);
        node.payout = row.payout;
        node.ever_host = row.host;
        node.ever_client = row.client;
        node.stored = true;
        node
    }

    pub(crate) fn row(&self, chain: ChainSpec) -> NodeRow {
        NodeRow {
            id: self.id,
            credentials: self.credentials.untold(),
            seen: self.seen,
            chain,
            enode: self.endpoint.as_ref().map(|endpoint| endpoint.enode(self.id)),
            payout: self.payout,
            host: self.ever_host,
            client: self.ever_client,
        }
    }

    /// Whether it has a lease on either side.
    pub(crate) const fn leased(&self) -> bool {
        self.host_leases > 0 || self.client_leases > 0
    }

    /// Places that may be given away now.
    pub(crate) fn free_slots(&self) -> u32 {
        let open = self.hosting && self.callable && self.peer.is_some() && !self.resting;
        let reachable = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.port != 0);
        if open && reachable { self.slots.saturating_sub(self.host_leases) } else { 0 }
    }

    /// Where others may dial it: the address seen on its socket with the port it claims. Its own
    /// word on its address counts in a closed pool, or where the socket came over loopback. Nobody is
    /// made to dial an address that was not observed.
    pub(crate) fn dialed_at(&self, closed: bool) -> Option<Enode> {
        let endpoint = self.endpoint.as_ref().filter(|endpoint| endpoint.port != 0)?;
        let observed = self.address?.to_canonical();
        let claims = match &endpoint.host {
            EnodeHost::None => false,
            EnodeHost::Ip(ip) => !ip.is_unspecified(),
            EnodeHost::Dns(_) => true,
        };
        let enode = endpoint.enode(self.id);
        Some(if claims && (closed || observed.is_loopback()) { enode } else { enode.with_ip(observed) })
    }

    /// Where it says that it is, whoever may have seen it there.
    pub(crate) fn claimed(&self) -> Option<Enode> {
        let endpoint =
            self.endpoint.as_ref().filter(|endpoint| endpoint.port != 0 && endpoint.host != EnodeHost::None)?;
        Some(endpoint.enode(self.id))
    }

    /// Whether the pool can have it dial, and evict by a call: it speaks protocol 3 on a WebSocket.
    pub(crate) fn can_dial(&self) -> bool {
        self.peer.is_some() && self.callable && !self.credentials.is_node_key()
    }

    /// As [`Self::dialed_at`], or its id alone.
    pub(crate) fn named(&self, closed: bool) -> Enode {
        self.dialed_at(closed).unwrap_or_else(|| Enode::id_only(self.id))
    }
}
