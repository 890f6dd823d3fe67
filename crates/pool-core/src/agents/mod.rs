//! The nodes whose agents have connected to this pool: their identity, connection, presence, offer, and requests. May
//! call the collections and the clock. Leases, matching, and money do not belong here.

pub(crate) mod attached_agent;
pub(crate) mod chain_votes;
mod connections;
pub(crate) mod delegations;
mod dial_address;
pub(crate) mod drains;
pub(crate) mod hello;
pub(crate) mod host_payout;
pub(crate) mod last_reports;
pub(crate) mod listen_address;
pub(crate) mod never_paired;
pub(crate) mod node;
pub(crate) mod node_class;
mod node_flags;
pub(crate) mod node_shares;
pub(crate) mod observations;
pub(crate) mod payout_changes;
mod presence;
pub(crate) mod profile;
pub(crate) mod proven;
pub(crate) mod registry;
pub(crate) mod roles;
mod shared_descriptions;
mod trial_use;
pub(crate) mod update_gaps;

use std::{collections::BTreeMap, net::IpAddr};

use vipnode_types::{ChainSpec, Enode, Ms, NodeId};

use crate::{
    ConnectionId, Credentials, Limits, NodeRow, Signer,
    agents::{
        chain_votes::ChainVotes, delegations::Delegations, drains::Drains, last_reports::LastReports, node::Node,
        node_flags::NodeFlag, node_shares::NodeShares, observations::CapabilityObservations,
        payout_changes::PayoutChanges, profile::Profile, registry::Registry, roles::Roles,
    },
    collections::{
        address_block::{AddressBlock, WideBlock},
        deadlines::Deadlines,
        interner::Interner,
        seeded_rng::SeededRng,
        slab::Handle,
    },
    protocol2::dialect::AgentProtocol,
};

/// All known nodes and their agents. A [`Node`] is changed only through [`Agents::update`], whose [`Changed`] makes the
/// caller update the lists of other owners.
#[derive(Debug)]
pub(crate) struct Agents {
    nodes: Registry,
    chains: Interner<ChainSpec>,
    votes: ChainVotes,
    versions: Interner<Box<str>>,
    profiles: Interner<Profile>,
    /// Versions that a node rejected by a rule that only its agent knows; the oldest first.
    rejected_versions: BTreeMap<u32, Vec<u32>>,
    observations: CapabilityObservations,
    last_reports: LastReports,
    drains: Drains,
    shares: NodeShares,
    /// When never-paired nodes are checked for removal: one entry for each that is gone.
    never_paired: Deadlines<Handle>,
    delegations: Delegations,
    /// When nodes may be proven by leases that run.
    proofs: Deadlines<Handle>,
    /// When trials are checked: at most one entry for each client.
    trials: Deadlines<Handle>,
    roles: Roles,
    payout_changes: PayoutChanges,
    /// Where the search for nodes to forget continues.
    sweep_at: u32,
}

/// The index of a node that may differ from the lists of hosts and clients. Pass it to `Core::refresh`.
#[derive(Debug)]
#[must_use = "the lists of hosts and clients have to be updated"]
pub(crate) struct Changed(u32);

impl Changed {
    /// The node's index.
    pub(crate) const fn index(&self) -> u32 {
        self.0
    }
}

impl Agents {
    /// Returns an empty set. The limits of chains, versions, and profiles are fixed here.
    pub(crate) fn new(rng: &mut SeededRng, limits: &Limits, flush_at: Ms) -> Self {
        Self {
            nodes: Registry::new(rng.keys()),
            chains: Interner::new(rng.keys(), limits.chains),
            votes: ChainVotes::default(),
            versions: Interner::new(rng.keys(), limits.versions),
            profiles: Interner::new(rng.keys(), limits.profiles),
            rejected_versions: BTreeMap::new(),
            observations: CapabilityObservations::new(),
            last_reports: LastReports::new(flush_at),
            drains: Drains::default(),
            shares: NodeShares::new(),
            never_paired: Deadlines::new(),
            delegations: Delegations::new(),
            proofs: Deadlines::new(),
            trials: Deadlines::new(),
            roles: Roles::default(),
            payout_changes: PayoutChanges::default(),
            sweep_at: 0,
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The index of a node.
    pub(crate) fn find(&self, id: &NodeId) -> Option<u32> {
        self.nodes.find(id)
    }

    /// As [`Self::find`] for each of them.
    pub(crate) fn find_all(&self, ids: &[NodeId]) -> Vec<Option<u32>> {
        self.nodes.find_all(ids)
    }

    /// A node, by its id.
    pub(crate) fn known(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.get(self.nodes.find(id)?)
    }

    /// The node that is connected on a connection.
    pub(crate) fn at(&self, connection: ConnectionId) -> Option<u32> {
        self.nodes.at_connection(connection)
    }

    pub(crate) fn id(&self, index: u32) -> Option<NodeId> {
        self.nodes.get(index).map(Node::id)
    }

    pub(crate) fn handle(&self, index: u32) -> Option<Handle> {
        self.nodes.handle(index)
    }

    /// The index of a handle, if its node is still known.
    pub(crate) fn live(&self, handle: Handle) -> Option<u32> {
        self.nodes.live(handle)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes.iter()
    }

    pub(crate) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Agents with a connection.
    pub(crate) fn connected(&self) -> usize {
        self.nodes.connections()
    }

    pub(crate) const fn roles(&self) -> Roles {
        self.roles
    }

    /// The protocol that a node's agent speaks; protocol 3 if the node is unknown.
    pub(crate) fn dialect(&self, index: u32) -> AgentProtocol {
        self.nodes.get(index).map_or(AgentProtocol::Protocol3, Node::dialect)
    }

    /// When an agent last reported; zero if it is unknown.
    pub(crate) fn seen(&self, index: u32) -> Ms {
        self.nodes.get(index).map_or(Ms::ZERO, Node::seen)
    }

    /// The remote address of an agent's last connection.
    pub(crate) fn address(&self, index: u32) -> Option<IpAddr> {
        self.nodes.get(index)?.address()
    }

    /// The wide address block of a node: where it is or was connected from, and before that, where it counted before the
    /// pool's start. `None` if that is unknown.
    pub(crate) fn wide_block(&self, index: u32) -> Option<WideBlock> {
        let node = self.nodes.get(index)?;
        let stored = || Some(node.block).filter(|block| *block != AddressBlock::ALL);
        node.address().map(AddressBlock::of).or_else(stored).map(AddressBlock::wide)
    }

    /// Where one node may dial another one; `None` if it has no address for it.
    pub(crate) fn dialed_by(&self, index: u32, by: u32, limits: &Limits) -> Option<Enode> {
        self.nodes.get(index)?.dialed_by(self.nodes.get(by)?, limits.members_only)
    }

    /// Changes a node's fields that the lists of hosts and clients depend on.
    pub(crate) fn update(&mut self, index: u32, change: impl FnOnce(&mut Node)) -> Changed {
        if let Some(node) = self.nodes.get_mut(index) {
            change(node);
        }
        Changed(index)
    }

    /// Whether the operator has drained a node, so that it gets no new leases.
    pub(crate) fn is_drained(&self, index: u32) -> bool {
        self.drains.all || self.nodes.get(index).is_some_and(Node::drained)
    }

    /// Replaces what the operator drains. Returns the nodes that may differ from the lists of hosts and clients.
    pub(crate) fn set_drains(&mut self, drains: Drains) -> Vec<Changed> {
        let old = std::mem::replace(&mut self.drains, drains);
        let changed = old.nodes.symmetric_difference(&self.drains.nodes).filter_map(|id| self.nodes.find(id));
        let changed: Vec<u32> = changed.collect();
        let mut refreshed = Vec::new();
        for index in changed {
            let drained = self.id(index).is_some_and(|id| self.drains.nodes.contains(&id));
            refreshed.push(self.update(index, |node| node.set_drained(drained)));
        }
        refreshed
    }

    /// Adds a new node, which counts for an address block. Returns `None` if 2^32 - 1 nodes are known.
    pub(crate) fn insert(
        &mut self,
        id: NodeId,
        credentials: Credentials,
        seen: Ms,
        (chain, block): (u32, Option<AddressBlock>),
    ) -> Option<u32> {
        let mut node = Node::new(id, credentials, seen, chain);
        node.set_drained(self.drains.nodes.contains(&id));
        node.set(NodeFlag::REPLACED, self.delegations.issued(&id).is_some());
        node.block = block.unwrap_or(AddressBlock::ALL);
        let index = self.nodes.insert(node)?;
        self.count_again(index, None);
        Some(index)
    }

    /// Whether an address block may have one more never-paired node once so many others are forgotten.
    pub(crate) fn has_room(&self, block: AddressBlock, forgets: usize, limits: &Limits) -> bool {
        self.shares.may_join(block, true, self.len().saturating_sub(forgets), limits)
    }

    /// The address block that pays for what a node at an address uses; `None` if no share limits it.
    pub(crate) fn charged_to(&self, id: &NodeId, address: IpAddr, limits: &Limits) -> Option<AddressBlock> {
        let proven = self.known(id).is_some_and(|node| node.is_proven());
        (!limits.members_only && !proven).then(|| AddressBlock::of(address))
    }

    /// As [`Self::charged_to`], for a connected node.
    fn charged_for_node(&self, index: u32, limits: &Limits) -> Option<AddressBlock> {
        self.address(index).filter(|_| self.is_limited(index, limits)).map(AddressBlock::of)
    }

    /// Adds a node from a stored row, which is not found by its id before [`Self::index_restored`].
    pub(crate) fn restore(&mut self, row: &NodeRow, limits: &Limits) {
        let Some(chain) = self.chains.keep(row.chain) else { return };
        let mut node = Node::from_row(row, chain, limits);
        self.roles.add(&node);
        node.set_drained(self.drains.nodes.contains(&row.id));
        if let Some(index) = self.nodes.restore(node) {
            self.payout_changes.set(index, None, row.payout);
            self.count_vote(index, None);
            self.count_again(index, None);
        }
    }

    /// Makes restored nodes found by their ids, before any node is forgotten.
    pub(crate) fn index_restored(&mut self) {
        self.nodes.index_restored();
    }

    /// Returns the row to store for a node.
    pub(crate) fn row(&self, index: u32) -> Option<NodeRow> {
        let node = self.nodes.get(index)?;
        Some(node.row(*self.chains.get(node.chain())?))
    }

    /// Forgets a node that has neither a connection nor a lease.
    pub(crate) fn remove(&mut self, index: u32) -> Option<NodeId> {
        let seen = self.seen(index);
        let _removed_next = self.detach(index, seen);
        self.forget_description(index);
        self.forget_observations(index);
        let (vote, counted) = (self.vote(index), self.counted(index));
        let node = self.nodes.remove(index)?;
        self.count_vote(index, vote);
        self.count_again(index, counted);
        self.chains.release(node.chain());
        self.roles.remove(&node);
        self.payout_changes.set(index, node.host_payout().copied(), None);
        Some(node.id())
    }

    /// Returns the next node to check for removal, in a circle over all.
    pub(crate) fn sweep_next(&mut self) -> u32 {
        let index = self.sweep_at;
        let next = index.saturating_add(1);
        self.sweep_at = if next >= self.nodes.capacity() { 0 } else { next };
        index
    }

    /// Indexes ever used: the number of calls of [`Self::sweep_next`] that cover every node.
    pub(crate) const fn capacity(&self) -> u32 {
        self.nodes.capacity()
    }

    /// Updates the smoothed round trip time of an agent's socket, in microseconds.
    pub(crate) fn note_latency(&mut self, index: u32, rtt_us: u32) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.note_latency(rtt_us);
        }
    }

    /// Accepts a nonce of protocol 2 that was checked before.
    pub(crate) fn raise_nonce(&mut self, index: u32, nonce: u64) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.credentials_mut().raise_nonce(nonce);
        }
    }

    /// The credentials of a node, to be changed.
    pub(crate) fn credentials_mut(&mut self, index: u32) -> Option<&mut Credentials> {
        self.nodes.get_mut(index).map(Node::credentials_mut)
    }

    /// Returns the credentials of a node, known or new, with `signer` as its signer.
    pub(crate) fn credentials_with(&self, id: &NodeId, signer: Signer) -> Credentials {
        let new = || {
            let issued = self.delegations.issued(id).unwrap_or(Ms::ZERO);
            Credentials { issued, ..Credentials::new(signer) }
        };
        self.known(id).map_or_else(new, |node| node.credentials().with(signer))
    }

    /// Sets whether a host's slots for light nodes are full. Returns true if they no longer are.
    pub(crate) fn set_light_full(&mut self, index: u32, full: bool) -> bool {
        self.nodes.get_mut(index).is_some_and(|node| node.set_light_full(full) && !full)
    }

    /// Makes a node of protocol 2 a client. Returns true if it was never one before.
    pub(crate) fn becomes_client(&mut self, index: u32) -> bool {
        let Some(node) = self.nodes.get_mut(index) else { return false };
        self.roles.remove(node);
        let new = node.become_client();
        self.roles.add(node);
        new
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let planned = self.never_paired.heap_bytes() + self.proofs.heap_bytes();
        self.nodes.heap_bytes() + self.last_reports.heap_bytes() + planned
    }
}
