use std::net::IpAddr;

use vipnode_types::{Account, AddressScope, ChainSpec, Delegation, Enode, EnodeHost, LeaseSetHash, Ms, NodeId, Price};

use crate::{
    ConnectionId, Credentials, NodeRow, Proven,
    agents::{hello::Hello, update_gaps::UpdateGaps},
    collections::{address_block::AddressBlock, slab::NIL},
    protocol2::dialect::AgentProtocol,
};

/// A node and its agent. Other owners keep their own state of it, under its index.
#[derive(Debug)]
pub(crate) struct Node {
    id: NodeId,
    credentials: Credentials,
    /// When its agent last reported.
    pub(in crate::agents) seen: Ms,
    chain: u32,
    pub(in crate::agents) endpoint: Option<ListenAddress>,
    payout: Option<Account>,
    ever_host: bool,
    ever_client: bool,
    pub(in crate::agents) proven: Proven,
    /// Whether its newest delegation replaced an older one.
    pub(in crate::agents) replaced: bool,
    /// The address block that it counts for; [`AddressBlock::ALL`] for none.
    pub(in crate::agents) block: AddressBlock,

    /// The current connection, if any. The fields below describe it.
    pub(in crate::agents) connection: Option<ConnectionId>,
    address: Option<IpAddr>,
    callable: bool,
    /// When it last connected or left.
    pub(in crate::agents) since: Ms,
    /// Numbers of the versions, or [`NIL`] if they are unknown or too many.
    agent_version: u32,
    client_version: u32,
    /// Number of the profile, or [`NIL`] if it sent none.
    profile: u32,
    pub(in crate::agents) rtt_us: u32,
    pub(in crate::agents) update_gaps: UpdateGaps,
    seq: u32,
    hash: LeaseSetHash,
    head: u64,

    /// Whether the operator drained it: it gets no new leases.
    drained: bool,
    is_host: bool,
    slots: u32,
    /// Whether its slots for light nodes are full.
    pub(in crate::agents) light_full: bool,
    is_client: bool,
    /// Whether it is a client whose node dials a host only seconds after the call.
    dials_late: bool,
    /// `None` if it has no maximum, as most have none.
    pub(in crate::agents) max_price: Option<Box<Price>>,

    /// Whether the store has a row of it.
    stored: bool,
    /// Whether it has an entry among the deadlines of silence.
    pub(in crate::agents) watched: bool,
    /// Whether it has an entry among the checks of never-paired nodes.
    pub(in crate::agents) forget_scheduled: bool,
    /// Whether it has an entry among the nodes that may be proven.
    pub(in crate::agents) proof_scheduled: bool,
    /// Whether the time of its last report changed since the last write.
    pub(in crate::agents) dirty: bool,
}

/// Where a node claims to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    host: EnodeHost,
    port: u16,
    disc_port: Option<u16>,
}

/// Which address of a node another one dials.
#[derive(Debug, Clone, Copy)]
enum DialAddress {
    Claimed,
    /// The remote address of its socket, with the port that it claims.
    Observed(IpAddr),
}

impl ListenAddress {
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
            replaced: false,
            block: AddressBlock::ALL,
            connection: None,
            address: None,
            callable: false,
            since: seen,
            agent_version: NIL,
            client_version: NIL,
            profile: NIL,
            rtt_us: 0,
            update_gaps: UpdateGaps::default(),
            seq: 0,
            hash: LeaseSetHash::default(),
            head: 0,
            drained: false,
            is_host: false,
            slots: 0,
            light_full: false,
            is_client: false,
            dials_late: false,
            max_price: None,
            stored: false,
            watched: false,
            forget_scheduled: false,
            proof_scheduled: false,
            dirty: false,
        }
    }

    /// Returns a node from a stored row.
    pub(crate) fn from_row(row: &NodeRow, chain: u32) -> Self {
        let mut node = Self::new(row.id, row.credentials.clone(), row.seen, chain);
        node.endpoint = row.enode.as_ref().map(ListenAddress::of);
        node.payout = row.payout;
        node.ever_host = row.host;
        node.ever_client = row.client;
        node.proven = row.proven.clone();
        node.replaced = row.replaced;
        node.block = row.block.unwrap_or(AddressBlock::ALL);
        node.stored = true;
        node
    }

    /// Returns the row to store.
    pub(crate) fn row(&self, chain: ChainSpec) -> NodeRow {
        NodeRow {
            id: self.id,
            credentials: self.credentials.on_new_socket(),
            seen: self.seen,
            chain,
            enode: self.endpoint.as_ref().map(|endpoint| endpoint.enode(self.id)),
            payout: self.payout,
            host: self.ever_host,
            client: self.ever_client,
            proven: self.proven.clone(),
            replaced: self.replaced,
            block: Some(self.block).filter(|block| *block != AddressBlock::ALL),
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
    pub(crate) const fn dialect(&self) -> AgentProtocol {
        self.credentials.dialect()
    }

    /// When it last reported.
    pub(crate) const fn seen(&self) -> Ms {
        self.seen
    }

    /// Number of its chain.
    pub(crate) const fn chain(&self) -> u32 {
        self.chain
    }

    /// Sets the chain. Returns the number of the previous one.
    pub(in crate::agents) const fn set_chain(&mut self, chain: u32) -> u32 {
        std::mem::replace(&mut self.chain, chain)
    }

    /// The account that is paid for its slots.
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

    /// Whether its newest delegation revokes an older one that could hold otherwise.
    pub(in crate::agents) fn revokes(&self, now: Ms) -> bool {
        self.replaced && now < Delegation::longest(self.credentials.issued)
    }

    /// Whether it counts as a client of the pool. A full node of protocol 2 does not, because each agent of the original
    /// asks for hosts; its page shows light nodes as clients.
    pub(crate) const fn counts_as_client(&self) -> bool {
        self.ever_client && (self.dialect().names_roles() || !self.ever_host)
    }

    /// Whether it counts as a client of the pool with its current roles.
    pub(crate) const fn counts_as_client_now(&self) -> bool {
        self.is_client && (self.dialect().names_roles() || !self.is_host)
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

    /// The remote address of its last connection.
    pub(crate) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether the pool can call its agent (WebSocket) or only answer it (HTTP).
    pub(crate) const fn callable(&self) -> bool {
        self.callable
    }

    /// When it last connected; while it is not connected, when it left.
    pub(crate) const fn since(&self) -> Ms {
        self.since
    }

    /// The smoothed round trip time in microseconds; 0 if unknown.
    pub(crate) const fn rtt_us(&self) -> u32 {
        self.rtt_us
    }

    /// The number of the newest report on this connection, or 0.
    pub(crate) const fn seq(&self) -> u32 {
        self.seq
    }

    /// The hash of the leases that it reported to see.
    pub(crate) const fn hash(&self) -> LeaseSetHash {
        self.hash
    }

    /// The newest block it reported.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Whether the operator drained it: it gets no new leases.
    pub(crate) const fn drained(&self) -> bool {
        self.drained
    }

    pub(in crate::agents) const fn set_drained(&mut self, drained: bool) {
        self.drained = drained;
    }

    /// Whether it offers slots.
    pub(crate) const fn is_host(&self) -> bool {
        self.is_host
    }

    /// The slots that it offers in total.
    pub(crate) const fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether its slots for light nodes are full.
    pub(crate) const fn light_full(&self) -> bool {
        self.light_full
    }

    /// Whether it asks for hosts.
    pub(crate) const fn is_client(&self) -> bool {
        self.is_client
    }

    /// Whether it pays this price: it does not exceed its maximum.
    pub(crate) fn accepts(&self, price: Price) -> bool {
        self.max_price.as_deref().is_none_or(|most| !price.exceeds(*most))
    }

    pub(crate) const fn agent_version(&self) -> u32 {
        self.agent_version
    }

    pub(crate) const fn client_version(&self) -> u32 {
        self.client_version
    }

    /// The numbers of both versions.
    pub(crate) const fn versions(&self) -> [u32; 2] {
        [self.agent_version, self.client_version]
    }

    /// Sets the numbers of both versions. Returns the previous ones.
    pub(in crate::agents) const fn set_versions(&mut self, agent: u32, client: u32) -> [u32; 2] {
        [std::mem::replace(&mut self.agent_version, agent), std::mem::replace(&mut self.client_version, client)]
    }

    /// The number of its profile.
    pub(crate) const fn profile(&self) -> u32 {
        self.profile
    }

    /// Sets the number of its profile. Returns the previous one.
    pub(in crate::agents) const fn set_profile(&mut self, profile: u32) -> u32 {
        std::mem::replace(&mut self.profile, profile)
    }

    /// Marks it as stored. Returns whether it was before.
    pub(in crate::agents) const fn store(&mut self) -> bool {
        std::mem::replace(&mut self.stored, true)
    }

    /// Resets the state of the connection for a new one.
    pub(in crate::agents) fn begin_connection(&mut self, address: IpAddr, callable: bool, now: Ms) {
        self.address = Some(address);
        self.callable = callable;
        self.since = now;
        self.seq = 0;
        self.light_full = false;
        self.update_gaps = UpdateGaps::default();
        self.hash = LeaseSetHash::default();
    }

    pub(in crate::agents) fn end_connection(&mut self, left: Option<Ms>) {
        self.rtt_us = 0;
        self.since = left.unwrap_or(self.since);
    }

    /// Stores the description that its agent sent in a connect.
    pub(in crate::agents) fn take_in(&mut self, hello: Hello<'_>, most_slots: u32) {
        let before = self.credentials.issued;
        self.replaced |= before != Ms::ZERO && before != hello.credentials.issued;
        self.credentials = hello.credentials;
        self.endpoint = hello.endpoint;
        self.is_host = hello.host.is_some();
        self.slots = hello.host.map_or(0, |(slots, _)| slots.min(most_slots));
        self.ever_host |= hello.host.is_some();
        self.is_client = hello.client;
        self.dials_late = hello.dials_late;
        self.max_price = hello.max_price.map(Box::new);
        self.ever_client |= hello.client;
    }

    /// Whether it is a client whose node dials a host only seconds after the call.
    pub(crate) const fn dials_late(&self) -> bool {
        self.dials_late
    }

    /// Sets the number of slots that a host offers.
    pub(crate) const fn set_slots(&mut self, slots: u32) {
        if self.is_host {
            self.slots = slots;
        }
    }

    /// Sets whether the slots for light nodes are full. Returns the previous value.
    pub(in crate::agents) const fn set_light_full(&mut self, full: bool) -> bool {
        std::mem::replace(&mut self.light_full, full)
    }

    /// Makes it a client. Returns true if it was never one before.
    pub(in crate::agents) const fn become_client(&mut self) -> bool {
        self.is_client = true;
        !std::mem::replace(&mut self.ever_client, true)
    }

    /// Stores the fields of a report that no list depends on.
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

    /// The slots that it could provide without its leases: all of them while it can be called and dialed and is not drained,
    /// otherwise 0.
    pub(crate) fn open_slots(&self) -> u32 {
        let reachable = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.port != 0);
        let offers = self.is_host && !self.drained && self.callable && self.is_connected() && reachable;
        if offers { self.slots } else { 0 }
    }

    /// Returns where a node that was observed in a scope may dial it: the remote address of its socket with the port that it
    /// claims. The claimed address is used only in a closed pool or if the socket came over loopback, so that no node is
    /// made to dial an address that the pool did not observe.
    ///
    /// `None` where neither address means this node from there. Otherwise an agent in the pool's own network could make
    /// the nodes of strangers connect to machines in theirs, and addresses of a private network would leave it.
    pub(crate) fn dialed_from(&self, observed: AddressScope, members_only: bool) -> Option<Enode> {
        let enode = || Some(self.endpoint.as_ref()?.enode(self.id));
        match self.dial_address(observed, members_only)? {
            DialAddress::Claimed => enode(),
            DialAddress::Observed(ip) => Some(enode()?.with_ip(ip)),
        }
    }

    /// Which of its addresses a node that was observed in a scope may dial; see [`Self::dialed_from`].
    fn dial_address(&self, observed: AddressScope, members_only: bool) -> Option<DialAddress> {
        let endpoint = self.endpoint.as_ref().filter(|endpoint| endpoint.port != 0)?;
        let own = self.address?.to_canonical();
        let reachable = |ip: IpAddr| AddressScope::of(ip).is_some_and(|scope| scope.is_reachable_from(observed));
        let claims = match &endpoint.host {
            EnodeHost::None => false,
            EnodeHost::Ip(ip) => reachable(*ip),
            EnodeHost::Dns(_) => true,
        };
        if claims && (members_only || own.is_loopback()) {
            return Some(DialAddress::Claimed);
        }
        reachable(own).then_some(DialAddress::Observed(own))
    }

    /// The scope in which it is observed: where its agent's socket comes from.
    pub(crate) fn scope(&self) -> Option<AddressScope> {
        self.address.map(|ip| AddressScope::of(ip).unwrap_or(AddressScope::Public))
    }

    /// Whether another node may dial it.
    pub(crate) fn may_be_dialed_by(&self, other: &Self, members_only: bool) -> bool {
        other.scope().is_some_and(|observed| self.dial_address(observed, members_only).is_some())
    }

    /// Returns where another node may dial it; `None` if that node's address is not known.
    pub(crate) fn dialed_by(&self, other: &Self, members_only: bool) -> Option<Enode> {
        self.dialed_from(other.scope()?, members_only)
    }

    /// Returns where it was observed, for another node; `None` if that address does not mean this node from there.
    pub(crate) fn address_for(&self, other: &Self) -> Option<IpAddr> {
        let (own, observed) = (self.address?.to_canonical(), other.scope()?);
        AddressScope::of(own).filter(|scope| scope.is_reachable_from(observed)).map(|_| own)
    }

    /// As [`Self::dialed_by`], or only its id.
    pub(crate) fn named_to(&self, other: &Self, members_only: bool) -> Enode {
        self.dialed_by(other, members_only).unwrap_or_else(|| Enode::id_only(self.id))
    }

    /// Whether the pool can call it to dial.
    pub(crate) const fn can_dial(&self) -> bool {
        self.connection.is_some() && self.callable && self.dialect().takes_dial_calls()
    }
}
