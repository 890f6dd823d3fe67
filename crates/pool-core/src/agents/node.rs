use std::net::IpAddr;

use vipnode_types::{Account, ChainSpec, Delegation, LeaseSetHash, Ms, NodeId, Price};

use crate::{
    ConnectionId, Credentials, Limits, NodeRow, PairedTime, Proven,
    agents::{
        hello::Hello, host_payout::HostPayout, listen_address::ListenAddress, node_flags::NodeFlag, presence::Presence,
        update_gaps::UpdateGaps,
    },
    collections::{address_block::AddressBlock, slab::NIL},
    protocol2::dialect::AgentProtocol,
};

/// A node and its agent. Other owners keep their own state of it, under its index. The fields are in this order in memory:
/// the presence is next to the node's generation.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node {
    pub(in crate::agents) presence: Presence,
    id: NodeId,
    credentials: Credentials,
    /// In its own allocation, because few nodes of most pools have one.
    payout: Option<Box<HostPayout>>,
    /// The times for which it was paired, while it is not proven yet.
    paired_times: Option<Box<[PairedTime; 2]>>,
    /// The address block that it counts for; [`AddressBlock::ALL`] for none.
    pub(in crate::agents) block: AddressBlock,
    /// Number of the version of its agent, or [`NIL`] if it is unknown or there are too many.
    agent_version: u32,
    /// How much of its trial it used as a client, in milliseconds, without a trial that runs.
    trial_used_ms: u32,
    /// `None` if it has no maximum, as most have none.
    pub(in crate::agents) max_price: Option<Box<Price>>,
}

impl Node {
    pub(crate) fn new(id: NodeId, credentials: Credentials, seen: Ms, chain: u32) -> Self {
        Self {
            id,
            credentials,
            presence: Presence::new(seen, chain),
            payout: None,
            paired_times: None,
            block: AddressBlock::ALL,
            agent_version: NIL,
            trial_used_ms: 0,
            max_price: None,
        }
    }

    /// Returns a node from a stored row.
    pub(crate) fn from_row(row: &NodeRow, chain: u32, limits: &Limits) -> Self {
        let mut node = Self::new(row.id, row.credentials.clone(), row.seen, chain);
        node.presence.endpoint = row.enode.as_ref().map(ListenAddress::of);
        node.payout = row.payout.map(Box::new);
        node.set(NodeFlag::EVER_HOST, row.host);
        node.set(NodeFlag::EVER_CLIENT, row.client);
        node.set_proven(row.proven.clone());
        node.set(NodeFlag::REPLACED, row.replaced);
        node.block = row.block.unwrap_or(AddressBlock::ALL);
        node.trial_used_ms = row.trial_used_ms;
        node.set(NodeFlag::STORED, true);
        node.count_paired(limits);
        node
    }

    /// Returns the row to store.
    pub(crate) fn row(&self, chain: ChainSpec) -> NodeRow {
        NodeRow {
            id: self.id,
            credentials: self.credentials.on_new_socket(),
            seen: self.seen(),
            chain,
            enode: self.presence.endpoint.as_ref().map(|endpoint| endpoint.enode(self.id)),
            payout: self.payout.as_deref().copied(),
            host: self.ever_host(),
            client: self.ever_client(),
            proven: self.proven(),
            replaced: self.has(NodeFlag::REPLACED),
            block: Some(self.block).filter(|block| *block != AddressBlock::ALL),
            trial_used_ms: self.trial_used_ms,
        }
    }

    /// Whether a flag is set.
    pub(in crate::agents) const fn has(&self, flag: NodeFlag) -> bool {
        self.presence.flags.has(flag)
    }

    /// Sets or clears a flag. Returns whether it was set before.
    pub(in crate::agents) const fn set(&mut self, flag: NodeFlag, on: bool) -> bool {
        self.presence.flags.set(flag, on)
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
        self.presence.seen
    }

    /// Number of its chain.
    pub(crate) const fn chain(&self) -> u32 {
        self.presence.chain
    }

    /// Sets the chain. Returns the number of the previous one.
    pub(in crate::agents) const fn set_chain(&mut self, chain: u32) -> u32 {
        std::mem::replace(&mut self.presence.chain, chain)
    }

    /// The account that is paid for its slots.
    pub(crate) fn payout(&self) -> Option<Account> {
        self.payout.as_deref().map(|payout| payout.account)
    }

    /// As [`Self::payout`], with the orders of the node key.
    pub(crate) fn host_payout(&self) -> Option<&HostPayout> {
        self.payout.as_deref()
    }

    /// Sets the payout account. Returns the previous one.
    pub(in crate::agents) fn set_payout(&mut self, payout: Option<HostPayout>) -> Option<HostPayout> {
        std::mem::replace(&mut self.payout, payout.map(Box::new)).map(|before| *before)
    }

    /// Whether it ever offered slots.
    pub(crate) const fn ever_host(&self) -> bool {
        self.has(NodeFlag::EVER_HOST)
    }

    /// Whether it ever asked for hosts.
    pub(crate) const fn ever_client(&self) -> bool {
        self.has(NodeFlag::EVER_CLIENT)
    }

    /// Whether a delegation that was issued at this time replaces the newest one.
    pub(in crate::agents) fn is_replaced_by(&self, issued: Ms) -> bool {
        let newest = self.credentials.issued;
        newest != Ms::ZERO && newest != issued
    }

    /// Whether its newest delegation revokes an older one that could hold otherwise.
    pub(in crate::agents) fn revokes(&self, now: Ms) -> bool {
        self.has(NodeFlag::REPLACED) && now < Delegation::longest(self.credentials.issued)
    }

    /// Whether it counts as a client of the pool. A full node of protocol 2 does not, because each agent of the original
    /// asks for hosts; its page shows light nodes as clients.
    pub(crate) const fn counts_as_client(&self) -> bool {
        self.ever_client() && (self.dialect().names_roles() || !self.ever_host())
    }

    /// Whether it counts as a client of the pool with its current roles.
    pub(crate) const fn counts_as_client_now(&self) -> bool {
        self.is_client() && (self.dialect().names_roles() || !self.is_host())
    }

    /// Whether it was paired with others for long enough.
    pub(crate) fn proven(&self) -> Proven {
        match &self.paired_times {
            _ if self.is_proven() => Proven::Yes,
            Some(times) => Proven::Partly(times.clone()),
            None => Proven::No,
        }
    }

    /// Whether it was paired with others for long enough.
    pub(crate) const fn is_proven(&self) -> bool {
        self.has(NodeFlag::PROVEN)
    }

    /// Whether it counts as paired, so that it is remembered for long: it was paired with nodes in another wide block for some time,
    /// or used a part of its trial, which would otherwise begin again. An id is free, and so is time with a host of one's own.
    pub(crate) const fn is_paired(&self) -> bool {
        self.has(NodeFlag::PAIRED)
    }

    /// Has it count as paired, if it was for long enough. From then on it always does.
    pub(in crate::agents) fn count_paired(&mut self, limits: &Limits) {
        let needed_ms = limits.paired_ms.min(limits.proven_ms);
        let times = self.paired_times.as_deref().map_or(&[][..], |times| times);
        let paired = times.iter().any(|time| time.ms > 0 && time.ms >= needed_ms);
        if paired || self.is_proven() || self.trial_used_ms > 0 {
            self.set(NodeFlag::PAIRED, true);
        }
    }

    /// Whether the newest delegation of a node that will soon be forgotten has room among those of such nodes.
    pub(in crate::agents) fn reserves_delegation(&self) -> bool {
        self.has(NodeFlag::REPLACED) && !self.is_paired() && self.block != AddressBlock::ALL
    }

    /// How much of its trial it used as a client, in milliseconds, without a trial that runs.
    pub(crate) const fn trial_used_ms(&self) -> u32 {
        self.trial_used_ms
    }

    /// Whether it is a host that gives trials.
    pub(crate) const fn gives_trials(&self) -> bool {
        !self.has(NodeFlag::NO_TRIALS)
    }

    /// As [`Self::proven`]; afterward it is not proven, until [`Self::set_proven`] puts the result back.
    pub(in crate::agents) fn take_proven(&mut self) -> Proven {
        if self.set(NodeFlag::PROVEN, false) {
            return Proven::Yes;
        }
        self.paired_times.take().map_or(Proven::No, Proven::Partly)
    }

    /// How many more milliseconds of pairing it takes at least, of `needed` with each of two wide blocks.
    pub(in crate::agents) fn lacks_ms(&self, needed: u64) -> u64 {
        match &self.paired_times {
            _ if self.is_proven() => 0,
            Some(times) => PairedTime::lack_ms(times, needed),
            None => needed,
        }
    }

    pub(in crate::agents) fn add_trial_use(&mut self, ms: u64) {
        let used = u64::from(self.trial_used_ms).saturating_add(ms);
        self.trial_used_ms = u32::try_from(used).unwrap_or(u32::MAX);
    }

    pub(in crate::agents) fn set_proven(&mut self, proven: Proven) {
        self.set(NodeFlag::PROVEN, proven.is_proven());
        self.paired_times = if let Proven::Partly(times) = proven { Some(times) } else { None };
    }

    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.is_connected().then_some(self.presence.connection)
    }

    /// Sets or removes the connection. Returns the previous one.
    pub(in crate::agents) fn set_connection(&mut self, connection: Option<ConnectionId>) -> Option<ConnectionId> {
        let before = self.connection();
        self.set(NodeFlag::CONNECTED, connection.is_some());
        self.presence.connection = connection.unwrap_or(self.presence.connection);
        before
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.has(NodeFlag::CONNECTED)
    }

    /// The remote address of its last connection.
    pub(crate) const fn address(&self) -> Option<IpAddr> {
        self.presence.address
    }

    /// Whether the pool can call its agent (WebSocket) or only answer it (HTTP).
    pub(crate) const fn callable(&self) -> bool {
        self.has(NodeFlag::CALLABLE)
    }

    /// When it last connected; while it is not connected, when it left.
    pub(crate) const fn since(&self) -> Ms {
        self.presence.since
    }

    /// The smoothed round trip time in microseconds; 0 if unknown.
    pub(crate) const fn rtt_us(&self) -> u32 {
        self.presence.rtt_us
    }

    /// The number of the newest report on this connection, or 0.
    pub(crate) const fn seq(&self) -> u32 {
        self.presence.seq
    }

    /// The hash of the leases that it reported to see.
    pub(crate) const fn hash(&self) -> LeaseSetHash {
        self.presence.hash
    }

    /// The newest block it reported.
    pub(crate) const fn head(&self) -> u64 {
        self.presence.head
    }

    /// Whether the operator drained it: it gets no new leases.
    pub(crate) const fn drained(&self) -> bool {
        self.has(NodeFlag::DRAINED)
    }

    pub(in crate::agents) const fn set_drained(&mut self, drained: bool) {
        self.set(NodeFlag::DRAINED, drained);
    }

    /// Whether it offers slots.
    pub(crate) const fn is_host(&self) -> bool {
        self.has(NodeFlag::HOST)
    }

    /// The slots that it offers in total.
    pub(crate) const fn slots(&self) -> u32 {
        self.presence.slots
    }

    /// Whether its slots for light nodes are full.
    pub(crate) const fn light_full(&self) -> bool {
        self.has(NodeFlag::LIGHT_FULL)
    }

    /// Whether it asks for hosts.
    pub(crate) const fn is_client(&self) -> bool {
        self.has(NodeFlag::CLIENT)
    }

    /// Whether it pays this price: it does not exceed its maximum.
    pub(crate) fn accepts(&self, price: Price) -> bool {
        self.max_price.as_deref().is_none_or(|most| !price.exceeds(*most))
    }

    pub(crate) const fn agent_version(&self) -> u32 {
        self.agent_version
    }

    pub(crate) const fn client_version(&self) -> u32 {
        self.presence.client_version
    }

    /// The numbers of both versions.
    pub(crate) const fn versions(&self) -> [u32; 2] {
        [self.agent_version, self.presence.client_version]
    }

    /// Sets the numbers of both versions. Returns the previous ones.
    pub(in crate::agents) const fn set_versions(&mut self, agent: u32, client: u32) -> [u32; 2] {
        [
            std::mem::replace(&mut self.agent_version, agent),
            std::mem::replace(&mut self.presence.client_version, client),
        ]
    }

    /// The number of its profile.
    pub(crate) const fn profile(&self) -> u32 {
        self.presence.profile
    }

    /// Sets the number of its profile. Returns the previous one.
    pub(in crate::agents) const fn set_profile(&mut self, profile: u32) -> u32 {
        std::mem::replace(&mut self.presence.profile, profile)
    }

    /// Marks it as stored. Returns whether it was before.
    pub(in crate::agents) const fn store(&mut self) -> bool {
        self.set(NodeFlag::STORED, true)
    }

    /// Resets the state of the connection for a new one.
    pub(in crate::agents) fn begin_connection(&mut self, address: IpAddr, callable: bool, now: Ms) {
        self.presence.address = Some(address);
        self.set(NodeFlag::CALLABLE, callable);
        self.presence.since = now;
        self.presence.seq = 0;
        self.set(NodeFlag::LIGHT_FULL, false);
        self.presence.update_gaps = UpdateGaps::default();
        self.presence.hash = LeaseSetHash::default();
    }

    pub(in crate::agents) fn end_connection(&mut self, left: Option<Ms>) {
        self.presence.rtt_us = 0;
        self.presence.since = left.unwrap_or(self.presence.since);
    }

    /// Stores the description that its agent sent in a connect.
    pub(in crate::agents) fn take_in(&mut self, hello: Hello<'_>, most_slots: u32) {
        if self.is_replaced_by(hello.credentials.issued) {
            self.set(NodeFlag::REPLACED, true);
        }
        self.credentials = hello.credentials;
        self.presence.endpoint = hello.endpoint;
        self.set(NodeFlag::HOST, hello.host.is_some());
        self.presence.slots = hello.host.map_or(0, |(slots, _)| slots.min(most_slots));
        self.set(NodeFlag::EVER_HOST, self.ever_host() || hello.host.is_some());
        self.set(NodeFlag::CLIENT, hello.client);
        self.set(NodeFlag::DIALS_LATE, hello.dials_late);
        self.set(NodeFlag::NO_TRIALS, hello.no_trials);
        self.max_price = hello.max_price.map(Box::new);
        self.set(NodeFlag::EVER_CLIENT, self.ever_client() || hello.client);
    }

    /// Whether it is a client whose node dials a host only seconds after the call.
    pub(crate) const fn dials_late(&self) -> bool {
        self.has(NodeFlag::DIALS_LATE)
    }

    /// Sets the number of slots that a host offers.
    pub(crate) const fn set_slots(&mut self, slots: u32) {
        if self.is_host() {
            self.presence.slots = slots;
        }
    }

    /// Sets whether the slots for light nodes are full. Returns the previous value.
    pub(in crate::agents) const fn set_light_full(&mut self, full: bool) -> bool {
        self.set(NodeFlag::LIGHT_FULL, full)
    }

    /// Makes it a client. Returns true if it was never one before.
    pub(in crate::agents) const fn become_client(&mut self) -> bool {
        self.set(NodeFlag::CLIENT, true);
        !self.set(NodeFlag::EVER_CLIENT, true)
    }

    /// Stores the fields of a report that no list depends on.
    pub(in crate::agents) fn take_report(&mut self, seq: u32, hash: LeaseSetHash, head: Option<u64>) {
        self.presence.seq = seq;
        self.presence.hash = hash;
        self.presence.head = head.unwrap_or(self.presence.head);
    }

    pub(in crate::agents) fn note_latency(&mut self, rtt_us: u32) {
        let rtt = u64::from(rtt_us.max(1));
        let smooth = match self.presence.rtt_us {
            0 => rtt,
            old => u64::from(old).saturating_mul(3).saturating_add(rtt) / 4,
        };
        self.presence.rtt_us = u32::try_from(smooth).unwrap_or(u32::MAX);
    }

    /// The slots that it could provide without its leases: all of them while it can be called and dialed and is not drained,
    /// otherwise 0.
    pub(crate) fn open_slots(&self) -> u32 {
        let reachable = self.presence.endpoint.as_ref().is_some_and(|endpoint| endpoint.port() != 0);
        let offers = self.is_host() && !self.drained() && self.callable() && self.is_connected() && reachable;
        if offers { self.presence.slots } else { 0 }
    }

    /// Whether the pool can call it to dial.
    pub(crate) const fn can_dial(&self) -> bool {
        self.is_connected() && self.callable() && self.dialect().takes_dial_calls()
    }
}
