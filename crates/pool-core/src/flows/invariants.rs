use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, BrokenInvariant, LeaseId};

use crate::{
    Core,
    agents::node::Node,
    collections::slab::NIL,
    leases::lease::{CountedAs, Lease, UNSEEN},
    ledger::burn::BurnRate,
};

impl Core {
    /// Checks every index and count against the data. For tests and the simulator, because it walks everything.
    ///
    /// # Errors
    /// A description of the first disagreement.
    pub fn check(&self) -> Result<(), BrokenInvariant> {
        self.check_nodes()?;
        self.check_leases()?;
        self.check_selections()?;
        self.check_open_hosts()?;
        self.check_held_slots()?;
        self.agents.check_shared()?;
        self.agents.check_votes()?;
        self.check_observations()?;
        self.check_prices()?;
        self.check_burns()?;
        self.check_final_parts()?;
        self.check_sums()
    }

    fn check_nodes(&self) -> Result<(), BrokenInvariant> {
        let (mut waiting, mut connections) = (0_usize, 0_usize);
        for (index, node) in self.agents.iter() {
            let id = node.id();
            BrokenInvariant::unless(self.agents.find(&id) == Some(index), || format!("{id:?} is not found by its id"))?;
            if let Some(connection) = node.connection() {
                connections = connections.saturating_add(1);
                let found = self.agents.at(connection) == Some(index);
                BrokenInvariant::unless(found, || format!("{id:?} is not found by its connection"))?;
            }
            let judged = self.agents.is_watched(index) || (!node.is_connected() && !self.leases.any(index));
            BrokenInvariant::unless(judged, || format!("{id:?} has no deadline of silence"))?;
            let planned = self.agents.is_forget_scheduled(index) || node.is_paired() || !self.is_gone(index);
            BrokenInvariant::unless(planned, || format!("{id:?} was never paired and is not to be forgotten"))?;
            self.check_lists(index, node)?;
            let waits = self.matching.check_waiting(index, self.context()).map_err(|what| format!("{id:?} {what}"))?;
            waiting = waiting.saturating_add(usize::from(waits));
        }
        let queue = self.matching.wait_queue();
        BrokenInvariant::unless(waiting == queue.len() && waiting as u64 == queue.clients(), || {
            "the queue of waiting clients has ghosts".to_owned()
        })?;
        BrokenInvariant::unless(waiting == 0 || queue.serve_at().is_some(), || {
            "no step serves waiting clients".to_owned()
        })?;
        BrokenInvariant::unless(connections == self.agents.connected(), || {
            "the index of connections has ghosts".to_owned()
        })?;
        let mut asks = self.matching.asks().clients();
        let connected = |index| self.agents.get(index).is_some_and(Node::is_connected);
        BrokenInvariant::unless(asks.all(connected), || "a request waits for no agent".to_owned())
    }

    fn check_selections(&self) -> Result<(), BrokenInvariant> {
        let ghost = self.matching.selections().leases().find(|&lease| self.leases.find(lease).is_none());
        BrokenInvariant::unless(ghost.is_none(), || format!("how a host was selected outlives {ghost:?}"))?;
        let new_host_offers = self.matching.new_host_offers();
        let ghost = self.leases.consents().find(|&lease| self.leases.find(lease).is_none());
        BrokenInvariant::unless(ghost.is_none(), || format!("a question about the price outlives {ghost:?}"))?;
        BrokenInvariant::unless(new_host_offers.counts_right(), || "offers of new hosts are miscounted".to_owned())?;
        let of_offers = new_host_offers.leases();
        let pending = |lease: &LeaseId| self.leases.find(*lease).and_then(|index| self.leases.get(index));
        let ghost = of_offers.into_iter().find(|lease| pending(lease).is_none_or(Lease::is_running));
        BrokenInvariant::unless(ghost.is_none(), || format!("{ghost:?} counts as a pending offer and is not one"))
    }

    fn check_lists(&self, index: u32, node: &Node) -> Result<(), BrokenInvariant> {
        let id = node.id();
        let most = self.leases.len();
        let client: Vec<&Lease> = self.leases.of_client(index).take(most).map(|(_, lease)| lease).collect();
        let hosted = self.leases.of_host(index).take(most).filter(|(_, lease)| lease.host() == index).count();
        let paired = self.leases.of_host(index).take(most).filter(|(_, lease)| lease.is_running()).count();
        BrokenInvariant::unless(paired == self.matching.paired_clients(index), || {
            format!("{id:?} has miscounted clients")
        })?;
        let admitting = client.iter().filter(|lease| lease.is_admitting()).count();
        let own = client.iter().filter(|lease| lease.client() == index).count();
        let (as_client, as_host) = (self.leases.client_count(index), self.leases.host_count(index));
        BrokenInvariant::unless(
            own == as_client as usize && own == client.len() && hosted == as_host as usize,
            || format!("{id:?} has lost a lease"),
        )?;
        let hosts: BTreeSet<u32> = client.iter().map(|lease| lease.host()).collect();
        BrokenInvariant::unless(hosts.len() == client.len(), || format!("{id:?} has one host twice"))?;
        let counted = self.leases.admitting(index) as usize;
        BrokenInvariant::unless(admitting == counted, || format!("{id:?} miscounts what is asked for it"))
    }

    fn check_leases(&self) -> Result<(), BrokenInvariant> {
        let (mut running, mut aged) = (0_u64, 0_usize);
        for (index, lease) in self.leases.iter() {
            let id = lease.id();
            BrokenInvariant::unless(self.leases.find(id) == Some(index), || format!("{id} is not found"))?;
            BrokenInvariant::unless(lease.client() != lease.host(), || format!("{id} is with itself"))?;
            BrokenInvariant::unless(!lease.runs() || lease.is_running(), || format!("{id} runs unpaired"))?;
            let known = lease.is_known_to_client() || lease.client_up() == UNSEEN;
            BrokenInvariant::unless(known, || format!("the client of {id} sees what it does not know of"))?;
            BrokenInvariant::unless(id.get() < self.leases.numbers().0, || format!("{id} is yet to be named"))?;
            let chain = |node: u32| self.agents.get(node).map(Node::chain);
            let (client, host) = (chain(lease.client()), chain(lease.host()));
            let joined = client.zip(host).is_some_and(|(one, other)| self.agents.were_joined(one, other));
            BrokenInvariant::unless(joined, || format!("{id} joins two chains"))?;
            let watched =
                !lease.is_running() || !self.leases.is_trial(lease) || self.agents.is_trial_watched(lease.client());
            BrokenInvariant::unless(watched, || format!("no check of the trial {id} is planned"))?;
            let trial = self.leases.trial_of(lease.client()).filter(|_| self.leases.is_trial(lease));
            BrokenInvariant::unless(trial.is_none_or(|(only, _)| only == index), || format!("{id} is a second trial"))?;
            running = running.saturating_add(u64::from(lease.is_running()));
            let link = lease.age_link();
            let linked = link.prev != NIL || link.next != NIL;
            aged = aged.saturating_add(usize::from(linked || self.leases.oldest() == Some(index)));
        }
        let trials = self.leases.iter().filter(|(_, lease)| self.leases.is_trial(lease)).map(|(_, lease)| lease.id());
        let trials: BTreeSet<LeaseId> = trials.collect();
        BrokenInvariant::unless(trials.into_iter().rev().eq(self.leases.trials()), || {
            "trials are miscounted".to_owned()
        })?;
        let rows = usize::try_from(running).unwrap_or(usize::MAX);
        BrokenInvariant::unless(aged == rows, || "rows and their order disagree".to_owned())?;
        BrokenInvariant::unless(running == self.leases.running(), || "running leases are miscounted".to_owned())
    }

    fn check_open_hosts(&self) -> Result<(), BrokenInvariant> {
        let mut free: BTreeMap<u32, (u64, u64, usize)> = BTreeMap::new();
        let (mut hosts, mut clients) = (0_usize, 0_u64);
        for (index, node) in self.agents.iter() {
            let listed = self.matching.is_listed_correctly(index, self.context());
            BrokenInvariant::unless(listed, || format!("{:?} is not listed as the host that it is", node.id()))?;
            let (slots, shown) = self.matching.listed_slots(index);
            if slots > 0 {
                let sum = free.entry(node.chain()).or_default();
                let (free, used) = (sum.0.saturating_add(slots.into()), sum.1.saturating_add(shown.into()));
                *sum = (free, used, sum.2.saturating_add(1));
            }
            hosts = hosts.saturating_add(usize::from(node.is_host() && node.is_connected()));
            clients = clients.saturating_add(u64::from(node.counts_as_client_now() && node.is_connected()));
        }
        let open = self.matching.open_hosts();
        BrokenInvariant::unless(hosts == open.connected().len(), || "hosts are shown that are gone".to_owned())?;
        BrokenInvariant::unless(clients == open.clients(), || "connected clients are miscounted".to_owned())?;
        let sums = |shown: &BTreeMap<_, u64>| shown.values().fold(0_u64, |sum, slots| sum.saturating_add(*slots));
        let shown = open.chains().all(|(_, open)| open.shown == sums(&open.shown_of));
        BrokenInvariant::unless(shown, || "slots that were used are miscounted by wide block".to_owned())?;
        let lists: BTreeMap<u32, (u64, u64, usize)> =
            open.chains().map(|(chain, open)| (chain, (open.free, open.shown, open.groups.len()))).collect();
        BrokenInvariant::unless(lists == free, || "free slots are miscounted".to_owned())
    }

    fn check_held_slots(&self) -> Result<(), BrokenInvariant> {
        let held = self.leases.counted_held_slots();
        for (index, node) in self.agents.iter() {
            let id = node.id();
            let counted = held.get(&index).copied().unwrap_or(0);
            BrokenInvariant::unless(counted == self.leases.held_slots(index), || {
                format!("{id:?} miscounts its held slots")
            })?;
            BrokenInvariant::unless(counted == 0 || node.is_connected(), || {
                format!("{id:?} holds slots without a connection")
            })?;
            let admitted = self.leases.of_host(index).filter(|(_, lease)| !lease.is_admitting()).count();
            let taken = u32::try_from(admitted).unwrap_or(u32::MAX).saturating_add(counted);
            BrokenInvariant::unless(taken == self.leases.taken_slots(index), || {
                format!("{id:?} miscounts its taken slots")
            })?;
        }
        Ok(())
    }

    fn check_observations(&self) -> Result<(), BrokenInvariant> {
        let of_host =
            |host: u32, lease: LeaseId| self.leases.get(self.leases.find(lease)?).filter(|at| at.host() == host);
        Ok(self.agents.check_observations(|host, lease| of_host(host, lease).map(Lease::is_running))?)
    }

    fn check_prices(&self) -> Result<(), BrokenInvariant> {
        let mut prices: BTreeMap<u32, u32> = BTreeMap::new();
        for (_, lease) in self.leases.iter() {
            let uses = prices.entry(u32::from(lease.price())).or_default();
            *uses = uses.saturating_add(1);
        }
        BrokenInvariant::unless(prices == self.leases.price_uses(), || "prices are miscounted".to_owned())
    }

    fn check_burns(&self) -> Result<(), BrokenInvariant> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let unpaid = self.leases.iter().find(|(_, lease)| self.lacks_payer(lease, None));
        BrokenInvariant::unless(unpaid.is_none(), || "a lease costs something, and nobody pays for it".to_owned())?;
        let mut burns: BTreeMap<Account, (BurnRate, u32)> = BTreeMap::new();
        for (payer, rate, _) in self.leases.iter().filter_map(|(_, lease)| self.running_charge(lease)) {
            let (sum, leases) = burns.entry(payer).or_default();
            (*sum, *leases) = (sum.plus(rate), leases.saturating_add(1));
        }
        BrokenInvariant::unless(burns == ledger.burning(), || "what payers spend is miscounted".to_owned())
    }

    fn check_final_parts(&self) -> Result<(), BrokenInvariant> {
        let mut waiting = self.metering.awaited_final_parts();
        let ghost = waiting.find(|&(lease, node)| !self.leases.is_undoing(lease, node));
        BrokenInvariant::unless(ghost.is_none(), || format!("the last part of {ghost:?} waits for no answer"))
    }

    fn check_sums(&self) -> Result<(), BrokenInvariant> {
        let pending = self.leases.iter().filter(|(_, lease)| !lease.is_running());
        let (mut offers, mut shared, mut late) = (0_u32, 0_u64, 0_u64);
        let mut groups = BTreeMap::new();
        for (_, lease) in pending {
            offers = offers.saturating_add(1);
            if let Some(share) = self.share_of((lease.client(), lease.host()), lease.counted()) {
                let of_group: &mut u32 = groups.entry(share.group()).or_default();
                *of_group = of_group.saturating_add(1);
            }
            let address = self.agents.address(lease.client());
            let is_shared = address.is_some() && lease.counted() != CountedAs::Unshared;
            let is_late = address.is_some() && lease.counted() == CountedAs::SharedLate;
            shared = shared.saturating_add(u64::from(is_shared));
            late = late.saturating_add(u64::from(is_late));
        }
        let pairs = self.metering.counts_pairs_right(&self.agents);
        BrokenInvariant::unless(pairs, || "remembered pairs are miscounted".to_owned())?;
        let counted = self.matching.pending_offers();
        BrokenInvariant::unless(offers == counted.len(), || "pending offers are miscounted".to_owned())?;
        BrokenInvariant::unless([shared, late] == counted.shared(), || "offers of blocks are miscounted".to_owned())?;
        BrokenInvariant::unless(groups == counted.of_groups(), || "offers of hosts are miscounted".to_owned())?;
        let hosts = self.agents.iter().filter(|(_, node)| node.ever_host()).count();
        let clients = self.agents.iter().filter(|(_, node)| node.counts_as_client()).count();
        let (count, roles) = (|len: usize| u64::try_from(len).unwrap_or(u64::MAX), self.agents.roles());
        let fits = count(hosts) == roles.hosts && count(clients) == roles.clients;
        BrokenInvariant::unless(fits, || "hosts and clients are miscounted".to_owned())
    }
}
