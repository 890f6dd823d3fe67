use std::collections::BTreeMap;

use vipnode_types::{
    Account, Mismatch,
    protocol2::Kind,
    wire::{Score, Selection},
};

use crate::{
    Limits,
    agents::{
        Agents,
        node::Node,
        node_class::{LastingClass, NodeClass},
    },
    collections::{
        address_block::{AddressBlock, WideBlock},
        seeded_rng::SeededRng,
    },
    matching::{
        Context, Matching,
        compatibility::{Incompatibilities, Incompatibility, class_incompatibility, incompatibility_if},
        failed_searches::FailedSearch,
        funding::Funding,
        hosts_by_block::DrawnHost,
        no_host::NoHost,
        open_hosts::ChainHosts,
        pending_offers::ClientShare,
        rejection::{NewHostCheck, Rejection},
    },
    metering::unpaired_blocks::SpentHosts,
};

/// What one search has found so far: the best host, and why others were rejected.
struct HostSearch<'a> {
    criteria: Criteria,
    context: Context<'a>,
    best: Option<(u32, Score)>,
    /// Hosts that fit.
    fitting: u32,
    /// Those of them that clients were connected with; all of them while that is true of no host on the chain.
    compared: u32,
    incompatibilities: Incompatibilities,
    /// Hosts and classes looked at.
    steps: u32,
    /// How far it came in the classes of hosts, where it looked at them.
    progress: Option<FailedSearch>,
}

/// What a client's host is selected by, collected once per search.
#[derive(Debug)]
pub(crate) struct Criteria {
    pub(crate) client: u32,
    /// Its current hosts.
    pub(in crate::matching) hosts: Vec<u32>,
    /// Nodes that it hosts itself: already connected, in the other direction.
    pub(crate) clients: Vec<u32>,
    pub(crate) blocks: Vec<AddressBlock>,
    pub(crate) payouts: Vec<Account>,
    /// Nodes that it avoids.
    pub(in crate::matching) avoid: Vec<u32>,
    /// Hosts from which it is kept apart today, for time that it was not billed.
    pub(in crate::matching) barred: Vec<u32>,
    /// Hosts from which it is kept apart today, for time that newcomers of its address block were not billed.
    pub(in crate::matching) spent: SpentHosts,
    /// The execution client that a host has to be; unknown for any.
    pub(in crate::matching) kind: Kind,
    /// Which hosts are left out because of its current ones.
    apart: Apart,
    /// Whether clients were connected with any of the hosts that have free slots.
    pub(in crate::matching) any_has_served: bool,
    /// Whether its address block has as many pending offers of hosts that report with their updates only as it may.
    pub(in crate::matching) late_offers_exhausted: bool,
    /// The share of its address block, if that has as many pending offers as it may always have.
    pub(in crate::matching) share_beyond_minimum: Option<ClientShare>,
    /// Whether hosts without a free slot fit too: one of theirs would be freed for it.
    pub(in crate::matching) frees_slot: bool,
    /// Whether it would get a trial, which not every host gives.
    pub(in crate::matching) is_trial: bool,
    /// The wide block of the client.
    wide: WideBlock,
    /// What the search has learned of classes of hosts.
    classes: BTreeMap<NodeClass, Option<Incompatibility>>,
}

/// Which hosts are left out because of where a client's current hosts are. In a closed pool, none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    Nothing,
    /// Those in the address block of a current host.
    Block,
    /// Those in the wide block of a current host.
    WideBlock,
}

impl Matching {
    /// Returns the best of a few hosts with a free slot, drawn by address blocks, and counts the `steps` that this takes.
    /// If it has to be `apart` from the client's current hosts, the first that fits is taken: hosts that rank well and stay silent
    /// would be first again and again.
    /// The cost does not grow with the pool, nor with the kinds of hosts there are. Where no kind of host on the chain is
    /// compatible with the client's kind, that is remembered until a new kind of host is there.
    pub(crate) fn find_host(
        &mut self,
        client: u32,
        apart: Apart,
        rng: &mut SeededRng,
        steps: &mut u32,
        context: Context<'_>,
    ) -> Result<(u32, Selection), NoHost> {
        *steps = steps.saturating_add(1);
        let price = context.limits.price;
        let Some(node) = context.agents.get(client) else { return Err(NoHost::NoneFree) };
        if !node.accepts(price) {
            return Err(NoHost::Price(price));
        }
        let chains = [Some(node.chain()), context.joined_chain(node.chain())];
        let mut why = NoHost::NoneFree;
        for chain in chains.into_iter().flatten() {
            match self.find_host_on(chain, (client, apart), rng, steps, context) {
                Ok(found) => return Ok(found),
                Err(NoHost::NoneFree) => {}
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    /// As [`Self::find_host`], among the hosts of one chain.
    fn find_host_on(
        &mut self,
        chain: u32,
        (client, apart): (u32, Apart),
        rng: &mut SeededRng,
        steps: &mut u32,
        context: Context<'_>,
    ) -> Result<(u32, Selection), NoHost> {
        let Some(node) = context.agents.get(client) else { return Err(NoHost::NoneFree) };
        let Some(open) = self.open_hosts.of(chain) else { return Err(NoHost::NoneFree) };
        let class = context.agents.lasting_class(NodeClass::of(node));
        let nearby = context.agents.hosts_seen_nearby(client, context.limits.candidates);
        if let Some(incompatibilities) = open.failed_before(class).filter(|_| nearby.is_empty()) {
            return Err(NoHost::Incompatible(incompatibilities.clone()));
        }
        let criteria = self.criteria_apart(client, apart, context);
        let mut search = HostSearch::new(criteria, context);
        for host in nearby {
            search.examine(self, host, NewHostCheck::Due);
        }
        let failed = open.failed_before(class).filter(|_| search.best.is_none());
        let found = match failed {
            Some(incompatibilities) => Err(NoHost::Incompatible(incompatibilities.clone())),
            None => self.search(&mut search, open, class, rng),
        };
        *steps = steps.saturating_add(search.steps);
        if let Some(progress) = search.progress {
            let block = self.block_of(node);
            self.open_hosts.remember_failure(chain, class, progress, block, context.limits);
        }
        found
    }

    fn search(
        &self,
        search: &mut HostSearch<'_>,
        open: &ChainHosts,
        class: LastingClass,
        rng: &mut SeededRng,
    ) -> Result<(u32, Selection), NoHost> {
        let Limits { candidates, compared_hosts, examined_hosts, .. } = *search.context.limits;
        let mut walk = open.groups.walk(rng);
        let first = if search.criteria.apart != Apart::Nothing { 1 } else { candidates.max(1) };
        for _ in 0..first {
            // Each host that is drawn is somewhere else in memory, and a few good ones are as good as many.
            if search.compared >= compared_hosts {
                break;
            }
            let Some(drawn) = walk.next(rng) else { break };
            search.examine_drawn(self, drawn);
        }
        if search.best.is_none()
            && !search.incompatibilities.is_empty()
            && let Some(incompatibilities) = search.look_by_class(self, open, class, rng)
        {
            return Err(NoHost::Incompatible(incompatibilities));
        }
        let mut looked = first;
        while search.best.is_none() && looked < examined_hosts {
            let Some(drawn) = walk.next(rng) else { break };
            looked = looked.saturating_add(1);
            search.examine_drawn(self, drawn);
        }
        match search.best {
            Some((host, score)) => Ok((host, Selection { score, candidates: search.fitting })),
            None if search.incompatibilities.is_empty() => Err(NoHost::NoneFits),
            None => Err(NoHost::Incompatible(std::mem::take(&mut search.incompatibilities))),
        }
    }

    /// Returns how a host is selected for a client without a search; `None` if it cannot be offered to the client now, or is not
    /// `apart` from the client's current hosts.
    pub(crate) fn select(&self, client: u32, (host, apart): (u32, Apart), context: Context<'_>) -> Option<Selection> {
        let mut criteria = self.criteria_apart(client, apart, context);
        let fits = self.rejection(&mut criteria, host, context).is_none();
        fits.then(|| Selection { score: self.score(&criteria, host, context), candidates: 1 })
    }

    /// Whether a client could get a slot of a host if one was free, by what a search of it is to find.
    pub(crate) fn fits_once_free(&self, criteria: &mut Criteria, host: u32, context: Context<'_>) -> bool {
        criteria.frees_slot = true;
        let offers = context.agents.get(host).is_some_and(|node| node.open_slots() > 0);
        offers && !self.is_backing_off(host) && self.rejection(criteria, host, context).is_none()
    }

    /// Collects what a client's host is selected by if it has to be apart from the client's current hosts.
    fn criteria_apart(&self, client: u32, apart: Apart, context: Context<'_>) -> Criteria {
        let apart = if self.members_only { Apart::Nothing } else { apart };
        Criteria { apart, ..self.criteria(client, context) }
    }

    /// Collects what a client's host is selected by.
    pub(crate) fn criteria(&self, client: u32, context: Context<'_>) -> Criteria {
        let hosts: Vec<u32> = context.leases.of_client(client).map(|(_, lease)| lease.host()).collect();
        let clients = context.leases.of_host(client).map(|(_, lease)| lease.client()).collect();
        let near = hosts.iter().filter_map(|&host| context.agents.get(host));
        let blocks = near.clone().filter_map(Node::address).map(AddressBlock::of).collect();
        let payouts = near.filter_map(Node::payout).collect();
        let avoid = self.avoided(client).iter().filter_map(|&handle| context.agents.live(handle)).collect();
        let Context { now, limits, agents, leases, metering, .. } = context;
        let barred = metering.barred_hosts(client, now, agents, limits);
        let spent = metering.spent_hosts(client, now, (agents, leases), limits);
        let kind = self.asks.kind(client);
        let chain = context.agents.get(client).map(Node::chain);
        let node = context.agents.get(client);
        let wide = node.map_or(AddressBlock::ALL, |node| self.block_of(node)).wide();
        let any_has_served = chain.is_some_and(|chain| self.knows_hosts_on(chain, context));
        let late_offers_exhausted = self.late_offers_exhausted(client, context);
        let share_beyond_minimum = self.share_beyond_minimum(client, context);
        let is_trial = matches!(context.funding(client), Funding::Trial | Funding::InTrial);
        let classes = BTreeMap::new();
        Criteria {
            client,
            hosts,
            clients,
            blocks,
            payouts,
            avoid,
            barred,
            spent,
            kind,
            apart: Apart::Nothing,
            any_has_served,
            late_offers_exhausted,
            share_beyond_minimum,
            frees_slot: false,
            is_trial,
            wide,
            classes,
        }
    }
}

impl Criteria {
    /// Whether a host is left out because of where it is.
    pub(in crate::matching) fn leaves_out(&self, host: &Node) -> bool {
        let Some(at) = host.address().map(AddressBlock::of) else { return false };
        match self.apart {
            Apart::Nothing => false,
            Apart::Block => self.blocks.contains(&at),
            Apart::WideBlock => self.blocks.iter().any(|block| block.wide() == at.wide()),
        }
    }

    /// Why the client and the hosts of a class are incompatible; checked once for each class.
    fn incompatibility(&mut self, class: NodeClass, agents: &Agents) -> Option<Incompatibility> {
        let client = self.client;
        self.classes.entry(class).or_insert_with(|| class_incompatibility(client, class, agents)).clone()
    }

    /// Why the client and a host of a class are incompatible. If the host names no capabilities, what observations in the
    /// client's own address block saw counts.
    pub(in crate::matching) fn incompatibility_with(
        &mut self,
        host: u32,
        class: NodeClass,
        agents: &Agents,
    ) -> Option<Incompatibility> {
        let why = self.incompatibility(class, agents)?;
        let lacks = matches!(why, Incompatibility::Host(Mismatch::Lacks(_)));
        match agents.seen_nearby(self.client, host).filter(|_| lacks) {
            Some(seen) => incompatibility_if(self.client, class, &seen, agents),
            None => Some(why),
        }
    }
}

impl<'a> HostSearch<'a> {
    fn new(criteria: Criteria, context: Context<'a>) -> Self {
        let incompatibilities = Incompatibilities::default();
        Self { criteria, context, best: None, fitting: 0, compared: 0, incompatibilities, steps: 0, progress: None }
    }

    /// Looks at a host that was drawn. Where clients fill a pool, most are new hosts of blocks that have their offers: that is
    /// seen without a look at the node, which is somewhere else in memory.
    fn examine_drawn(&mut self, matching: &Matching, drawn: DrawnHost) {
        if self.criteria.any_has_served
            && matching.drawn_awaits_first_clients(drawn, self.criteria.wide, self.context.limits)
        {
            self.steps = self.steps.saturating_add(1);
        } else {
            self.examine(matching, drawn.host, NewHostCheck::Done);
        }
    }

    /// Looks at a host.
    fn examine(&mut self, matching: &Matching, host: u32, check: NewHostCheck) {
        self.steps = self.steps.saturating_add(1);
        match matching.rejection_of(&mut self.criteria, host, check, self.context) {
            Some(Rejection::Incompatible(why)) => self.incompatibilities.count(why, 1),
            Some(_) => {}
            None => {
                self.fitting = self.fitting.saturating_add(1);
                let counts = !self.criteria.any_has_served || matching.nodes.get(host).open_has_served;
                self.compared = self.compared.saturating_add(u32::from(counts));
                let score = matching.score(&self.criteria, host, self.context);
                if self.best.is_none_or(|(_, other)| score.total > other.total) {
                    self.best = Some((host, score));
                }
            }
        }
    }

    /// Looks for a class of hosts that is compatible with the client, and at hosts of it; at most at `examined_hosts_by_rules` classes
    /// and hosts, from where the last search for this class of clients ended. Returns why no class is compatible, where
    /// that is so: then no host is, however many there are.
    fn look_by_class(
        &mut self,
        matching: &Matching,
        open: &ChainHosts,
        class: LastingClass,
        rng: &mut SeededRng,
    ) -> Option<Incompatibilities> {
        let Limits { candidates, examined_hosts_by_rules, .. } = *self.context.limits;
        let most = self.steps.saturating_add(examined_hosts_by_rules);
        let mut progress = open.checked_before(class);
        let before = progress.checked;
        let (mut all, mut any_fits, mut goes_on, mut ended) = (progress.why.clone(), false, true, false);
        for (number, of_hosts, hosts) in open.classes.starting_at(before) {
            ended = self.best.is_some() || self.steps >= most;
            if ended {
                break;
            }
            self.steps = self.steps.saturating_add(1);
            let why = self.criteria.incompatibility(of_hosts, self.context.agents);
            // What one client's agent rejected holds for that client alone.
            goes_on &= why.as_ref().is_some_and(|why| *why != Incompatibility::VersionRejected);
            if let Some(why) = why {
                let many = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
                if goes_on {
                    progress.checked = number.saturating_add(1);
                    progress.why.count(why.clone(), many);
                }
                all.count(why, many);
                continue;
            }
            any_fits = true;
            // Some of them may have been counted before.
            let counted = self.incompatibilities.clone();
            let mut walk = hosts.walk(rng);
            for _ in 0..candidates.max(1).min(most.saturating_sub(self.steps)) {
                let Some(drawn) = walk.next(rng) else { break };
                self.examine_drawn(matching, drawn);
            }
            self.incompatibilities = counted;
        }
        if goes_on && !ended {
            progress.checked = open.classes.next();
        }
        self.progress = (progress.checked > before).then_some(progress);
        (!any_fits && !ended && self.best.is_none()).then_some(all)
    }
}
