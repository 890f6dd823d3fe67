use std::collections::{BTreeMap, BTreeSet};

use crate::{Core, agents::node::Node, leases::lease::Lease, leases::lease::NIL, leases::table::List};

impl Core {
    /// Whether every index and count agrees with what it is about. For tests and the simulator: it
    /// walks everything.
    ///
    /// # Errors
    /// What does not agree.
    pub fn check(&self) -> Result<(), String> {
        self.check_nodes()?;
        self.check_leases()?;
        self.check_selections()?;
        self.check_places()?;
        self.check_interned()?;
        self.check_sums()
    }

    fn check_nodes(&self) -> Result<(), String> {
        let mut waiting = 0_usize;
        let mut sockets = 0_usize;
        for (index, node) in self.nodes.iter() {
            ensure(self.nodes.find(&node.id) == Some(index), || format!("{:?} is not found by its id", node.id))?;
            if let Some(peer) = node.peer {
                sockets = sockets.saturating_add(1);
                ensure(self.nodes.at_peer(peer) == Some(index), || format!("{:?} is not found by socket", node.id))?;
            }
            ensure(node.watched || (node.peer.is_none() && !node.leased()), || {
                format!("{:?} could be silent for ever", node.id)
            })?;
            self.check_lists(index, node)?;
            if let Some(key) = node.wait_key {
                waiting = waiting.saturating_add(1);
                ensure(key.served == node.client_leases, || format!("{:?} stands wrong in the queue", node.id))?;
                ensure(self.wait_queue.holds(node.chain, key, index), || format!("{:?} is not in the queue", node.id))?;
            }
            let wants = node.can_dial() && node.consuming && node.client_leases < node.want;
            let waits = node.admitting > 0 || node.backing_off || self.asks.contains_key(&index);
            ensure(node.wait_key.is_some() == (wants && !waits), || format!("{:?} is forgotten or sated", node.id))?;
        }
        ensure(waiting == self.wait_queue.len(), || "the queue of the waiting has ghosts".to_owned())?;
        ensure(waiting == 0 || self.wait_queue.serve_at.is_some(), || "nobody serves the waiting".to_owned())?;
        ensure(sockets == self.nodes.sockets(), || "the index of sockets has ghosts".to_owned())?;
        let asks = self.asks.keys().all(|&index| self.nodes.get(index).is_some_and(|node| node.peer.is_some()));
        ensure(asks, || "a request waits for nobody".to_owned())
    }

    fn check_selections(&self) -> Result<(), String> {
        let ghost = self.selections.leases().find(|&lease| self.leases.find(lease).is_none());
        ensure(ghost.is_none(), || format!("how a host won outlives {ghost:?}"))
    }

    fn check_lists(&self, index: u32, node: &Node) -> Result<(), String> {
        let client: Vec<&Lease> =
            self.leases.walk(List::Client, node.client_head).take(self.leases.len()).map(|(_, lease)| lease).collect();
        let host = self.leases.walk(List::Host, node.host_head).take(self.leases.len());
        let hosted = host.filter(|(_, lease)| lease.host == index).count();
        let admitting = client.iter().filter(|lease| lease.admitting).count();
        let own = client.iter().filter(|lease| lease.client == index).count();
        ensure(
            own == node.client_leases as usize && own == client.len() && hosted == node.host_leases as usize,
            || format!("{:?} has lost a lease", node.id),
        )?;
        let hosts: BTreeSet<u32> = client.iter().map(|lease| lease.host).collect();
        ensure(hosts.len() == client.len(), || format!("{:?} has one host twice", node.id))?;
        ensure(admitting == node.admitting as usize, || format!("{:?} miscounts what is asked for it", node.id))
    }

    fn check_leases(&self) -> Result<(), String> {
        let mut running = 0_u64;
        let mut aged = 0_usize;
        for (index, lease) in self.leases.iter() {
            ensure(self.leases.find(lease.id) == Some(index), || format!("{} is not found", lease.id))?;
            ensure(lease.client != lease.host, || format!("{} is with itself", lease.id))?;
            ensure(!lease.runs() || lease.paired, || format!("{} runs unpaired", lease.id))?;
            ensure(lease.id.get() < self.next_lease, || format!("{} is yet to be named", lease.id))?;
            let chain = |node: u32| self.nodes.get(node).map(|node| node.chain);
            ensure(chain(lease.client).is_some() && chain(lease.client) == chain(lease.host), || {
                format!("{} joins two chains", lease.id)
            })?;
            running = running.saturating_add(u64::from(lease.paired));
            let linked = lease.age_link.prev != NIL || lease.age_link.next != NIL;
            aged = aged.saturating_add(usize::from(linked || self.leases.oldest() == Some(index)));
        }
        let paired = usize::try_from(running).unwrap_or(usize::MAX);
        ensure(aged == paired, || "rows and their order disagree".to_owned())?;
        ensure(running == self.counters.running, || "running leases are miscounted".to_owned())
    }

    fn check_places(&self) -> Result<(), String> {
        let mut free: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
        let mut connected = 0_usize;
        for (index, node) in self.nodes.iter() {
            ensure(node.open_free == node.free_slots(), || format!("{:?} miscounts its free places", node.id))?;
            if node.open_free > 0 {
                let at = self.open_hosts.of(node.chain).and_then(|open| open.hosts.get(node.open_position as usize));
                ensure(at == Some(&index), || format!("{:?} is not where it should be", node.id))?;
                let sum = free.entry(node.chain).or_default();
                *sum = (sum.0.saturating_add(u64::from(node.open_free)), sum.1.saturating_add(1));
            } else {
                ensure(node.open_position == NIL, || format!("{:?} is offered without a free place", node.id))?;
            }
            if node.hosting && node.peer.is_some() {
                connected = connected.saturating_add(1);
                let at = self.open_hosts.connected().get(node.host_position as usize);
                ensure(at == Some(&index), || format!("{:?} is not shown", node.id))?;
            }
        }
        ensure(connected == self.open_hosts.connected().len(), || "hosts are shown that are gone".to_owned())?;
        let lists: BTreeMap<u32, (u64, usize)> =
            self.open_hosts.chains().map(|(chain, open)| (chain, (open.free, open.hosts.len()))).collect();
        ensure(lists == free, || "free places are miscounted".to_owned())
    }

    fn check_interned(&self) -> Result<(), String> {
        let mut chains: BTreeMap<u32, u32> = BTreeMap::new();
        let mut versions: BTreeMap<u32, u32> = BTreeMap::new();
        let mut profiles: BTreeMap<u32, u32> = BTreeMap::new();
        let mut prices: BTreeMap<u32, u32> = BTreeMap::new();
        let add = |map: &mut BTreeMap<u32, u32>, number: u32| {
            let uses = map.entry(number).or_default();
            *uses = uses.saturating_add(1);
        };
        for (_, node) in self.nodes.iter() {
            add(&mut chains, node.chain);
            let told = [node.agent_version, node.client_version].into_iter().filter(|number| *number != NIL);
            told.for_each(|number| add(&mut versions, number));
            Some(node.profile).filter(|at| *at != NIL).into_iter().for_each(|number| add(&mut profiles, number));
        }
        for (index, list) in &self.unwanted {
            ensure(self.nodes.get(*index).is_some(), || "somebody unknown refuses versions".to_owned())?;
            list.iter().for_each(|number| add(&mut versions, *number));
        }
        for (_, lease) in self.leases.iter() {
            add(&mut prices, lease.price);
        }
        ensure(chains == self.chains.uses(), || "chains are miscounted".to_owned())?;
        ensure(versions == self.versions.uses(), || "versions are miscounted".to_owned())?;
        ensure(profiles == self.profiles.uses(), || "profiles are miscounted".to_owned())?;
        ensure(prices == self.prices.uses(), || "prices are miscounted".to_owned())
    }

    fn check_sums(&self) -> Result<(), String> {
        let unpaired = self.leases.iter().filter(|(_, lease)| !lease.paired);
        let mut pending_offers = 0_u32;
        let mut in_blocks = 0_u64;
        for (_, lease) in unpaired {
            pending_offers = pending_offers.saturating_add(1);
            let known = self.nodes.get(lease.client).is_some_and(|node| node.address.is_some());
            in_blocks = in_blocks.saturating_add(u64::from(known));
        }
        ensure(pending_offers == self.pending_offers.len(), || "pending_offers offers are miscounted".to_owned())?;
        ensure(in_blocks == self.pending_offers.in_blocks(), || "offers of blocks are miscounted".to_owned())?;
        let hosts = self.nodes.iter().filter(|(_, node)| node.ever_host).count();
        let clients = self.nodes.iter().filter(|(_, node)| node.ever_client).count();
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let fits = count(hosts) == self.roles.hosts && count(clients) == self.roles.clients;
        ensure(fits, || "hosts and clients are miscounted".to_owned())
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
