use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Capability, LeaseId};

use crate::{
    Limits,
    agents::{Agents, profile::Profile},
    collections::{
        address_block::{AddressBlock, WideBlock},
        block_shares::{BlockShares, leaves_enough},
        slab::NIL,
    },
};

/// What clients saw on the hosts that they are connected with. Most execution clients name their own capabilities without
/// versions, so only a connected node sees these.
///
/// The attack: a report costs nothing. One client that never connected could claim that a host serves `snap/999` and make
/// it unfit for everyone who needs a version, and a host could describe its client as a light node. Therefore only clients
/// of paired leases are heard. Each is kept apart and dropped with its lease, so nothing invented remains. One is enough
/// for clients in its own address block and in a closed pool; for everyone else, clients in two wide blocks (/16, /32)
/// have to agree: a customer of a provider has many address blocks of it.
/// Against what a host names itself, observations only rank it lower. Each host has few of them, and address blocks share
/// that room.
#[derive(Debug)]
pub(crate) struct CapabilityObservations {
    /// By the host's index; only hosts that have any.
    hosts: BTreeMap<u32, HostObservations>,
    /// Hosts that name no capabilities, by the address blocks of their paired observations.
    unnamed: BTreeSet<(AddressBlock, u32)>,
    shares: BlockShares,
}

/// The observations of one host.
#[derive(Debug, Default)]
struct HostObservations {
    list: Vec<Observation>,
    /// The host names no capabilities, and its profile has those on which enough observations agree.
    filled: bool,
}

/// What one client saw on a host.
#[derive(Debug, PartialEq, Eq)]
struct Observation {
    lease: LeaseId,
    /// The address block of the client.
    block: AddressBlock,
    /// Whether the host sees the client too. Until then, nothing depends on it.
    paired: bool,
    seen: Box<[Capability]>,
}

/// What a client reports to see on a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObservedCapabilities<'a> {
    pub(crate) lease: LeaseId,
    pub(crate) client: u32,
    pub(crate) host: u32,
    /// Whether both sides report that they are connected to each other.
    pub(crate) paired: bool,
    pub(crate) capabilities: &'a [Capability],
}

impl HostObservations {
    fn paired(&self) -> impl Iterator<Item = &Observation> {
        self.list.iter().filter(|observation| observation.paired)
    }

    /// Whether a client in an address block may be one of at most `most` observations: it may if its block then holds at most
    /// as many as are free.
    fn has_room(&self, block: AddressBlock, most: usize, members_only: bool) -> bool {
        let free = count(most.saturating_sub(self.list.len()));
        let held = |same: &dyn Fn(&Observation) -> bool| {
            count(self.list.iter().filter(|observation| same(observation)).count())
        };
        let (own, wide) =
            (held(&|observation| observation.block == block), held(&|other| other.block.wide() == block.wide()));
        free > 0 && (members_only || leaves_enough(own, wide, free))
    }

    /// The capabilities that clients of at least `blocks` wide blocks saw.
    fn agreed(&self, blocks: usize) -> Vec<Capability> {
        let mut seen: BTreeMap<&Capability, BTreeSet<WideBlock>> = BTreeMap::new();
        for observation in self.paired() {
            for capability in &observation.seen {
                seen.entry(capability).or_default().insert(observation.block.wide());
            }
        }
        let agreed = seen.into_iter().filter(|(_, by)| by.len() >= blocks);
        agreed.map(|(capability, _)| capability.clone()).collect()
    }
}

impl CapabilityObservations {
    pub(in crate::agents) const fn new() -> Self {
        Self { hosts: BTreeMap::new(), unnamed: BTreeSet::new(), shares: BlockShares::new(0) }
    }

    fn add(&mut self, host: u32, observation: Observation, limits: &Limits) {
        let free = limits.observations.saturating_sub(self.shares.held());
        let may_take = if limits.members_only { free > 0 } else { self.shares.may_take(observation.block, free) };
        let most = limits.observations_a_host as usize;
        let has_room = |at: &HostObservations| at.has_room(observation.block, most, limits.members_only);
        let block = observation.block;
        if may_take && self.hosts.get(&host).is_none_or(has_room) {
            self.shares.take(block);
            self.hosts.entry(host).or_default().list.push(observation);
        }
    }

    fn remove(&mut self, host: u32, lease: LeaseId) {
        let Some(at) = self.hosts.get_mut(&host) else { return };
        let Some(position) = at.list.iter().position(|observation| observation.lease == lease) else { return };
        let block = at.list.swap_remove(position).block;
        self.shares.give_back(block);
        self.unnamed.remove(&(block, host));
    }

    /// Forgets a host that has no observation, once its profile is its own again.
    fn clean(&mut self, host: u32) {
        if self.hosts.get(&host).is_some_and(|at| at.list.is_empty() && !at.filled) {
            self.hosts.remove(&host);
        }
    }

    /// Lists a host that names no capabilities by the blocks of its observations.
    fn list(&mut self, host: u32, names_none: bool) {
        let Some(at) = self.hosts.get(&host) else { return };
        for observation in at.paired() {
            if names_none {
                self.unnamed.insert((observation.block, host));
            } else {
                self.unnamed.remove(&(observation.block, host));
            }
        }
    }
}

impl Agents {
    /// Remembers what a client sees on a host; a later observation on the same lease replaces it.
    pub(crate) fn observe_capabilities(&mut self, observed: ObservedCapabilities<'_>, limits: &Limits) {
        let ObservedCapabilities { lease, client, host, paired, capabilities } = observed;
        let Some(block) = self.address(client).map(AddressBlock::of) else { return };
        let seen: BTreeSet<&Capability> = capabilities.iter().take(limits.capabilities as usize).collect();
        let seen = seen.into_iter().cloned().collect();
        let observation = Observation { lease, block, paired, seen };
        if self.observations.hosts.get(&host).is_some_and(|at| at.list.contains(&observation)) {
            return;
        }
        self.observations.remove(host, lease);
        self.observations.add(host, observation, limits);
        self.recount_observations(host, limits);
    }

    /// From now on, both sides of a lease are connected to each other: what the client saw counts.
    pub(crate) fn observation_paired(&mut self, host: u32, lease: LeaseId, limits: &Limits) {
        let at = self.observations.hosts.get_mut(&host);
        let Some(observation) = at.and_then(|at| at.list.iter_mut().find(|observation| observation.lease == lease))
        else {
            return;
        };
        observation.paired = true;
        self.recount_observations(host, limits);
    }

    /// Forgets what a client saw, because its lease is over.
    pub(crate) fn drop_observation(&mut self, host: u32, lease: LeaseId, limits: &Limits) {
        if self.observations.hosts.contains_key(&host) {
            self.observations.remove(host, lease);
            self.recount_observations(host, limits);
        }
    }

    /// Gives a host that names no capabilities those on which enough observations agree, and no others.
    pub(in crate::agents) fn recount_observations(&mut self, host: u32, limits: &Limits) {
        let Some(at) = self.observations.hosts.get(&host) else { return };
        let Some(node) = self.nodes.get(host) else { return };
        let (was_filled, names_none) = (at.filled, self.own_capabilities(host).is_empty());
        let blocks = if limits.members_only { 1 } else { limits.observation_blocks.max(1) };
        let mut agreed = if names_none { at.agreed(blocks as usize) } else { Vec::new() };
        agreed.truncate(limits.capabilities as usize);
        self.observations.list(host, names_none);
        if was_filled || !agreed.is_empty() {
            let rules = self.profile(node).map(|profile| profile.rules.clone()).unwrap_or_default();
            let filled = Profile { serves: agreed.into(), rules: rules.clone() };
            let own = Profile { serves: Box::default(), rules };
            // If the table of profiles is full, the host is as it described itself.
            let charged_to = self.charged_for_node(host, limits);
            let number = [filled, own].into_iter().filter(|profile| !profile.is_empty());
            let number =
                number.into_iter().find_map(|profile| self.profiles.acquire(profile, charged_to)).unwrap_or(NIL);
            let is_filled = self.profiles.get(number).is_some_and(|profile| !profile.serves.is_empty());
            if let Some(node) = self.nodes.get_mut(host) {
                self.profiles.give_back(node.set_profile(number));
            }
            if let Some(at) = self.observations.hosts.get_mut(&host) {
                at.filled = is_filled;
            }
        }
        self.observations.clean(host);
    }

    /// Weighs all observations again, because the limits changed. Returns the hosts that have any.
    pub(crate) fn recount_all_observations(&mut self, limits: &Limits) -> Vec<u32> {
        let hosts: Vec<u32> = self.observations.hosts.keys().copied().collect();
        for &host in &hosts {
            self.recount_observations(host, limits);
        }
        hosts
    }

    /// A host described itself again: its profile is its own.
    pub(in crate::agents) fn declared_itself(&mut self, host: u32, limits: &Limits) {
        if let Some(at) = self.observations.hosts.get_mut(&host) {
            at.filled = false;
            self.recount_observations(host, limits);
        }
    }

    /// The capabilities that a node names itself.
    pub(crate) fn own_capabilities(&self, index: u32) -> &[Capability] {
        if self.observations.hosts.get(&index).is_some_and(|at| at.filled) {
            return &[];
        }
        let profile = self.nodes.get(index).and_then(|node| self.profile(node));
        profile.map(|profile| &*profile.serves).unwrap_or_default()
    }

    /// What observations in a client's own address block saw on a host that names no capabilities; `None` if there are none.
    pub(crate) fn seen_nearby(&self, client: u32, host: u32) -> Option<Vec<Capability>> {
        let block = self.address(client).map(AddressBlock::of)?;
        let at = self.observations.hosts.get(&host).filter(|_| self.observations.unnamed.contains(&(block, host)))?;
        let near = at.paired().filter(|observation| observation.block == block);
        Some(near.flat_map(|observation| observation.seen.iter().cloned()).collect())
    }

    /// Hosts that name no capabilities and that a client has to be compared with one by one, because observations in its
    /// own address block saw some; at most `most`.
    pub(crate) fn hosts_seen_nearby(&self, client: u32, most: u32) -> Vec<u32> {
        let needs =
            self.nodes.get(client).and_then(|node| self.profile(node)).is_some_and(|own| !own.rules.need.is_empty());
        let Some(block) = self.address(client).map(AddressBlock::of).filter(|_| needs) else { return Vec::new() };
        let near = self.observations.unnamed.range((block, 0)..=(block, u32::MAX));
        near.take(most as usize).map(|(_, host)| *host).collect()
    }

    /// Whether enough observations saw that a host does not serve what a client requires, although the host names it.
    pub(crate) fn is_contradicted(&self, client: u32, host: u32, limits: &Limits) -> bool {
        let Some(at) = self.observations.hosts.get(&host) else { return false };
        let Some(profile) = self.nodes.get(client).and_then(|node| self.profile(node)) else { return false };
        if profile.rules.need.is_empty() || self.own_capabilities(host).is_empty() {
            return false;
        }
        let block = self.address(client).map(AddressBlock::of);
        let (mut near, mut blocks) = ([0_u32; 2], [BTreeSet::new(), BTreeSet::new()]);
        for observation in at.paired() {
            let against = usize::from(profile.rules.misses(&observation.seen).is_some());
            if let Some(count) =
                near.get_mut(against).filter(|_| limits.members_only || Some(observation.block) == block)
            {
                *count = count.saturating_add(1);
            }
            if let Some(blocks) = blocks.get_mut(against) {
                blocks.insert(observation.block.wide());
            }
        }
        let [agree, disagree] = blocks.map(|blocks| blocks.len());
        let [near_agree, near_disagree] = near;
        (near_disagree > 0 && near_agree == 0) || (disagree >= limits.observation_blocks as usize && disagree > agree)
    }

    /// Forgets the observations of a node that is forgotten.
    pub(in crate::agents) fn forget_observations(&mut self, host: u32) {
        for observation in self.observations.hosts.remove(&host).into_iter().flat_map(|at| at.list) {
            self.observations.shares.give_back(observation.block);
            self.observations.unnamed.remove(&(observation.block, host));
        }
    }

    /// Checks the observations against the leases for which `is_paired` returns whether both sides are connected to
    /// each other.
    ///
    /// # Errors
    /// A description of the first disagreement.
    pub(crate) fn check_observations(
        &self,
        is_paired: impl Fn(u32, LeaseId) -> Option<bool>,
    ) -> Result<(), &'static str> {
        let CapabilityObservations { hosts, unnamed, shares } = &self.observations;
        let (mut held, mut listed) = (0, BTreeSet::new());
        for (host, at) in hosts {
            held = at.list.len().saturating_add(held);
            let names_none = self.own_capabilities(*host).is_empty();
            for observation in &at.list {
                match is_paired(*host, observation.lease) {
                    None => return Err("what a client saw outlives its lease"),
                    Some(paired) if paired != observation.paired => {
                        return Err("what a client saw counts before it is paired");
                    }
                    Some(paired) => {
                        if paired && names_none {
                            listed.insert((observation.block, *host));
                        }
                    }
                }
            }
            if at.list.is_empty() {
                return Err("a host without an observation is listed");
            }
        }
        let agree = listed == *unnamed && count(held) == shares.held();
        if agree { Ok(()) } else { Err("observations are miscounted") }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
