use std::collections::BTreeMap;

use vipnode_types::{ChainSpec, LeaseId, Ms, NodeId, Wei};

use crate::{
    Core, LeaseRow, Limits, NodeRow, Presence, Row, RowKey,
    agents::node::Node,
    leases::lease::{Lease, UNSEEN},
};

/// Rows as they come, the newest of each key.
#[derive(Debug, Default)]
struct Rows {
    nodes: BTreeMap<NodeId, NodeRow>,
    leases: BTreeMap<LeaseId, LeaseRow>,
    seen: BTreeMap<NodeId, (Ms, u64)>,
    clock: Ms,
    next_lease: u64,
}

/// For each chain id the chain that was told, where it is the only one.
fn told_chains<'a>(rows: impl Iterator<Item = &'a NodeRow>) -> BTreeMap<u64, Option<ChainSpec>> {
    let mut told = BTreeMap::new();
    for chain in rows.map(|row| row.chain).filter(|chain| *chain != ChainSpec::untold(chain.chain_id)) {
        let only = told.entry(chain.chain_id).or_insert(Some(chain));
        *only = only.filter(|other| *other == chain);
    }
    told
}

impl Core {
    /// A pool that goes on from what a store kept. The reconnect window begins: agents come back in
    /// it, and nobody is judged or evicted for being away.
    ///
    /// Rows may come in the order they were written or as a store lists them. A lease whose nodes are
    /// unknown is left out.
    #[must_use]
    pub fn restore(limits: Limits, seed: [u8; 32], now: Ms, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut core = Self::new(limits, seed, now);
        let mut read = Rows::default();
        for row in rows {
            core.read(&mut read, row);
        }
        let floor = read.nodes.values().map(|node| node.seen).chain(read.seen.values().map(|(seen, _)| *seen));
        let seen = |side: Option<(Ms, Option<Ms>)>| side.map_or(Ms::ZERO, |(up, down)| up.max(down.unwrap_or(up)));
        let ups = read.leases.values().map(|row| row.offered.max(seen(row.client_seen)).max(seen(row.host_seen)));
        let now = floor.chain(ups).fold(now.max(read.clock), Ms::max);
        (core.now, core.started) = (now, now);
        core.presences.flush_at = now.plus(core.limits.flush_ms);
        core.open_window(now);
        let told = told_chains(read.nodes.values());
        for mut row in read.nodes.into_values() {
            let chain = row.chain;
            if chain == ChainSpec::untold(chain.chain_id) {
                // It was written before anybody told the genesis.
                row.chain = told.get(&chain.chain_id).copied().flatten().unwrap_or(chain);
            }
            let (seen, nonce) = read.seen.get(&row.id).copied().unwrap_or_default();
            row.seen = row.seen.max(seen);
            row.credentials.raise_nonce(nonce);
            core.restore_node(&row);
        }
        let last = read.leases.last_key_value().map_or(0, |(id, _)| id.get());
        core.next_lease = read.next_lease.max(last.saturating_add(1));
        core.reserved_leases = core.next_lease;
        for row in read.leases.into_values() {
            core.restore_lease(&row);
        }
        core
    }

    fn read(&mut self, read: &mut Rows, row: Row) {
        match row {
            Row::Node(node) => {
                read.nodes.insert(node.id, *node);
            }
            Row::Lease(lease) => {
                read.leases.insert(lease.id, *lease);
            }
            Row::Metered(row) => {
                let counters = &mut self.counters;
                counters.metered_rows = counters.metered_rows.saturating_add(1);
                counters.metered_ms = counters.metered_ms.saturating_add(row.billed_ms);
                let sum = counters.metered_cost.checked_add(row.cost);
                counters.metered_cost = sum.unwrap_or(Wei::new(u128::MAX));
            }
            Row::Presence(seen) => {
                for Presence { id, seen, nonce } in seen {
                    let newest = read.seen.entry(id).or_default();
                    *newest = (seen.max(newest.0), nonce.max(newest.1));
                }
            }
            Row::Clock(clock) => read.clock = read.clock.max(clock),
            Row::NextLease(next) => read.next_lease = read.next_lease.max(next),
            Row::Delete(RowKey::Node(id)) => {
                read.nodes.remove(&id);
                read.seen.remove(&id);
            }
            Row::Delete(RowKey::Lease(id)) => {
                read.leases.remove(&id);
            }
        }
    }

    fn restore_node(&mut self, row: &NodeRow) {
        let Some(chain) = self.chains.acquire_past_limit(row.chain) else { return };
        self.roles.hosts = self.roles.hosts.saturating_add(u64::from(row.host));
        self.roles.clients = self.roles.clients.saturating_add(u64::from(row.client));
        self.nodes.insert(Node::from_row(row, chain));
    }

    fn restore_lease(&mut self, row: &LeaseRow) {
        let (Some(client), Some(host)) = (self.nodes.find(&row.client), self.nodes.find(&row.host)) else { return };
        let Some(price) = self.prices.acquire(row.price) else { return };
        let mut lease = Lease::new(row.id, client, host, price, row.offered);
        lease.row = row.row;
        lease.client_up = row.client_seen.map_or(UNSEEN, |(up, _)| up);
        (lease.host_up, lease.host_down) =
            row.host_seen.map_or((UNSEEN, UNSEEN), |(up, down)| (up, down.unwrap_or(UNSEEN)));
        // Whether the host said yes was not written: both are told, and the offer's deadline decides.
        (lease.admitting, lease.told) = (false, true);
        lease.paired = lease.client_up != UNSEEN && lease.host_up != UNSEEN;
        let (paired, down, id) = (lease.paired, lease.host_down != UNSEEN, lease.id);
        lease.half_armed = down;
        let Some(index) = self.leases.insert(lease) else { return };
        self.link_lease(index);
        if paired {
            self.counters.running = self.counters.running.saturating_add(1);
            self.leases.row_begins(index);
        } else {
            self.pending_offers.add(None);
            self.timers.offers.push(self.offers_wait, id);
        }
        if down {
            self.timers.half_downs.push(self.now.plus(self.half_down_wait(client)), id);
        }
    }

    /// The durable part, as a store holds it once every presence is flushed: `restore` of it is equal
    /// to it.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let nodes = self.nodes.iter().filter_map(|(index, _)| self.node_row(index));
        let mut nodes: Vec<NodeRow> = nodes.collect();
        nodes.sort_by_key(|row| row.id);
        let mut leases: Vec<LeaseRow> = self.leases.iter().filter_map(|(_, lease)| self.lease_row(lease)).collect();
        leases.sort_by_key(|row| row.id);
        let mut rows = vec![Row::Clock(self.now), Row::NextLease(self.reserved_leases)];
        rows.extend(nodes.into_iter().map(|row| Row::Node(Box::new(row))));
        rows.extend(leases.into_iter().map(|row| Row::Lease(Box::new(row))));
        rows
    }
}
