use std::net::IpAddr;

use vipnode_types::{Account, ChainSpec, Enode, EnodeHost, LeaseSetHash, Ms, NodeId, Price, Wei};

use crate::{
    ConnectionId, Credentials, NodeRow, Proven, agents::hello::Hello, collections::slab::NIL,
    protocol2::dialect::Dialect,
};

/// A node and its agent. What other owners know of it stands with them, under its index.
#[derive(Debug)]
pub(crate) struct Node {
    id: NodeId,
    credentials: Credentials,
    /// The presence: the last moment it reported.
    pub(in crate::agents) seen: Ms,
    chain: u32,
    endpoint: Option<Endpoint>,
    payout: Option<Account>,
    ever_host: bool,
    ever_client: bool,
    pub(in crate::agents) proven: Proven,

    /// While there is one. Nothing below outlives it.
    pub(in crate::agents) connection: Option<ConnectionId>,
    address: Option<IpAddr>,
    callable: bool,
    since: Ms,
    /// Versions, [`NIL`] where they are unknown or too many.
    agent_version: u32,
    client_version: u32,
    /// What it serves and what it wants of others, [`NIL`] where it named neither.
    profile: u32,
    rtt_us: u32,
    seq: u32,
    hash: LeaseSetHash,
    head: u64,

    hosting: bool,
    slots: u32,
    /// It takes no light node now.
    light_full: bool,
    consuming: bool,
    max_price: Price,

    /// The store has a row of it.
    stored: bool,
    /// It has an entry among the deadlines of silence.
    pub(in crate::agents) watched: bool,
    /// Its presence moved since the last flush.
    pub(in crate::agents) dirty: bool,
}

/// No price is above it.
pub(crate) const ANY_PRICE: Price = Price::per_minute(Wei::new(u128::MAX));

/// Where a node claims to listen.
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
            proven: Proven::No,
            connection: None,
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
            light_full: false,
            consuming: false,
            max_price: ANY_PRICE,
            stored: false,
            watched: false,
            dirty: false,
        }
    }

    /// A node as a store kept it.
    pub(crate) fn from_row(row: &NodeRow, chain: u32) -> Self {
        let mut node = Self::new(row.id, row.credentials.clone(), row.seen, chain);
        node.endpoint = row.enode.as_ref().map(Endpoint::of);
        node.payout = row.payout;
        node.ever_host = row.host;
        node.ever_client = row.client;
        node.proven = row.proven.clone();
        node.stored = true;
        node
    }

    /// A node as a store is to keep it.
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
            proven: self.proven.clone(),
        }
    }

    pub(crate) const fn id(&self) -> NodeId {
        self.id
    }

    pub(crate) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(in crate::agents) const fn credentials_mut(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    /// The protocol that its agent speaks.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.credentials.dialect()
    }

    /// The last moment it reported.
    pub(crate) const fn seen(&self) -> Ms {
        self.seen
    }

    /// Number of its chain.
    pub(crate) const fn chain(&self) -> u32 {
        self.chain
    }

    /// Returns the number of the chain it was on.
    pub(in crate::agents) const fn set_chain(&mut self, chain: u32) -> u32 {
        std::mem::replace(&mut self.chain, chain)
    }

    /// Who earns by its slots.
    pub(crate) const fn payout(&self) -> Option<Account> {
        self.payout
    }

    pub(in crate::agents) const fn set_payout(&mut self, payout: Option<Account>) {
        self.payout = payout;
    }

    /// Whether it ever offered slots.
    pub(crate) const fn ever_host(&self) -> bool {
        self.ever_host
    }

    /// Whether it ever asked for hosts.
    pub(crate) const fn ever_client(&self) -> bool {
        self.ever_client
    }

    /// Whether it was paired with others for long enough.
    pub(crate) const fn proven(&self) -> &Proven {
        &self.proven
    }

    pub(crate) const fn connection(&self) -> Option<ConnectionId> {
        self.connection
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The address that was seen at the other end of its last connection.
    pub(crate) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether the pool can call it (a WebSocket), or only answers (HTTP).
    pub(crate) const fn callable(&self) -> bool {
        self.callable
    }

    /// When it last connected.
    pub(crate) const fn since(&self) -> Ms {
        self.since
    }

    /// Round trip in microseconds, smoothed; 0 for unknown.
    pub(crate) const fn rtt_us(&self) -> u32 {
        self.rtt_us
    }

    /// Number of the newest report on this connection; 0 for none.
    pub(crate) const fn seq(&self) -> u32 {
        self.seq
    }

    /// Hash of the leases that it said it sees.
    pub(crate) const fn hash(&self) -> LeaseSetHash {
        self.hash
    }

    /// The newest block it reported.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Whether it offers slots.
    pub(crate) const fn hosting(&self) -> bool {
        self.hosting
    }

    /// Slots that it offers in all.
    pub(crate) const fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether it takes no light node now.
    pub(crate) const fn light_full(&self) -> bool {
        self.light_full
    }

    /// Whether it asks for hosts.
    pub(crate) const fn consuming(&self) -> bool {
        self.consuming
    }

    /// The dearest slot it takes; the dearest there can be for any.
    pub(crate) const fn max_price(&self) -> Price {
        self.max_price
    }

    pub(crate) const fn agent_version(&self) -> u32 {
        self.agent_version
    }

    pub(crate) const fn client_version(&self) -> u32 {
        self.client_version
    }

    /// Numbers of both versions.
    pub(crate) const fn versions(&self) -> [u32; 2] {
        [self.agent_version, self.client_version]
    }

    /// Returns the numbers that stood there.
    pub(in crate::agents) const fn set_versions(&mut self, agent: u32, client: u32) -> [u32; 2] {
        [std::mem::replace(&mut self.agent_version, agent), std::mem::replace(&mut self.client_version, client)]
    }

    /// Number of its profile.
    pub(crate) const fn profile(&self) -> u32 {
        self.profile
    }

    /// Returns the number that stood there.
    pub(in crate::agents) const fn set_profile(&mut self, profile: u32) -> u32 {
        std::mem::replace(&mut self.profile, profile)
    }

    /// Whether the store has a row of it; from now on it has.
    pub(in crate::agents) const fn store(&mut self) -> bool {
        std::mem::replace(&mut self.stored, true)
    }

    /// A new connection, on which it has said nothing yet.
    pub(in crate::agents) fn begin_connection(&mut self, address: IpAddr, callable: bool, now: Ms) {
        self.address = Some(address);
        self.callable = callable;
        self.since = now;
        self.seq = 0;
        self.light_full = false;
        self.hash = LeaseSetHash::default();
    }

    pub(in crate::agents) const fn end_connection(&mut self) {
        self.rtt_us = 0;
    }

    /// Takes in the description that its agent sent in a connect.
    pub(in crate::agents) fn take_in(&mut self, hello: Hello<'_>, most_slots: u32) {
        self.credentials = hello.credentials;
        self.endpoint = hello.endpoint;
        self.hosting = hello.host.is_some();
        self.slots = hello.host.map_or(0, |(slots, _)| slots.min(most_slots));
        self.ever_host |= hello.host.is_some();
        self.consuming = hello.client.is_some();
        self.max_price = hello.client.unwrap_or(ANY_PRICE);
        self.ever_client |= hello.client.is_some();
    }

    /// A host offers this many slots from now on.
    pub(crate) const fn set_slots(&mut self, slots: u32) {
        if self.hosting {
            self.slots = slots;
        }
    }

    /// Returns what it said before.
    pub(in crate::agents) const fn set_light_full(&mut self, full: bool) -> bool {
        std::mem::replace(&mut self.light_full, full)
    }

    /// It asks for hosts from now on; true where it never did before.
    pub(in crate::agents) const fn become_client(&mut self) -> bool {
        self.consuming = true;
        !std::mem::replace(&mut self.ever_client, true)
    }

    /// The fields of each report that no list depends on.
    pub(in crate::agents) fn take_report(&mut self, seq: u32, hash: LeaseSetHash, head: Option<u64>) {
        self.seq = seq;
        self.hash = hash;
        self.head = head.unwrap_or(self.head);
    }

    pub(in crate::agents) fn note_latency(&mut self, rtt_us: u32) {
        let rtt = u64::from(rtt_us.max(1));
        let smooth = match self.rtt_us {
            0 => rtt,
            old => u64::from(old).saturating_mul(3).saturating_add(rtt) / 4,
        };
        self.rtt_us = u32::try_from(smooth).unwrap_or(u32::MAX);
    }

    /// Slots that it could give away if no lease held one: all of them while it can be called and dialed, else none.
    pub(crate) fn open_slots(&self) -> u32 {
        let reachable = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.port != 0);
        if self.hosting && self.callable && self.is_connected() && reachable { self.slots } else { 0 }
    }

    /// Where others may dial it: the address seen on its socket with the port it claims. The address
    /// that it claims counts in a closed pool, or where the socket came over loopback. No node is
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

    /// Where it claims to be, whether or not it was seen there.
    pub(crate) fn claimed(&self) -> Option<Enode> {
        let endpoint = self.endpoint.as_ref();
        let endpoint = endpoint.filter(|endpoint| endpoint.port != 0 && endpoint.host != EnodeHost::None)?;
        Some(endpoint.enode(self.id))
    }

    /// As [`Self::dialed_at`], or its id alone.
    pub(crate) fn named(&self, closed: bool) -> Enode {
        self.dialed_at(closed).unwrap_or_else(|| Enode::id_only(self.id))
    }

    /// Whether the pool can have it dial, and evict by a call.
    pub(crate) const fn can_dial(&self) -> bool {
        self.connection.is_some() && self.callable && self.dialect().takes_dial_calls()
    }
}
