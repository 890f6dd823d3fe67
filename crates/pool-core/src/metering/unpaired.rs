use std::{collections::BTreeMap, net::IpAddr};

use vipnode_types::{Ms, Price, wire::Side};

use crate::{
    Counters, Limits,
    agents::{Agents, node::Node},
    collections::address_block::AddressBlock,
    leases::lease::{Lease, UNSEEN},
    metering::{
        Metering,
        day_budget::{DayBudget, day},
        row_ends::side_end,
    },
    pool_clock::PoolClock,
};

/// Today's time that only hosts saw, by address block of the clients.
#[derive(Debug, Default)]
pub(crate) struct UnpairedBlocks {
    day: u32,
    blocks: BTreeMap<AddressBlock, DayBudget>,
}

impl UnpairedBlocks {
    fn add(&mut self, now: Ms, address: IpAddr, ms: u64, limit: u32) {
        if self.day != day(now) {
            self.blocks.clear();
            self.day = day(now);
        }
        let block = AddressBlock::of(address);
        if self.blocks.contains_key(&block) || self.blocks.len() < limit as usize {
            self.blocks.entry(block).or_default().add(now, ms);
        }
    }

    fn used(&self, now: Ms, address: IpAddr) -> u64 {
        self.blocks.get(&AddressBlock::of(address)).map_or(0, |budget| budget.used(now))
    }
}

/// Time in which only the host reported a client's use of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnpairedTime {
    pub(crate) client: u32,
    pub(crate) price: Price,
    pub(crate) ms: u64,
}

impl Metering {
    /// Counts unpaired time of leases with a price. It is never billed, because a host could create it by disconnecting
    /// clients.
    pub(crate) fn count_unpaired(
        &mut self,
        time: UnpairedTime,
        now: Ms,
        agents: &Agents,
        limits: &Limits,
        counters: &mut Counters,
    ) {
        let UnpairedTime { client, price, ms } = time;
        if ms == 0 || price.is_free() || agents.get(client).is_none() {
            return;
        }
        if let Some(budget) = self.nodes.get_mut(client) {
            budget.add(now, ms);
        }
        counters.unpaired_ms = counters.unpaired_ms.saturating_add(ms);
        if let Some(address) = agents.address(client) {
            self.blocks.add(now, address, ms, limits.unpaired_blocks);
        }
    }

    /// Returns today's milliseconds that only hosts saw of a client.
    pub(crate) fn unpaired_today(&self, client: u32, now: Ms) -> u64 {
        self.nodes.get(client).used(now)
    }

    /// Whether a client has used up today's unpaired time, by itself or together with its address block.
    pub(crate) fn past_unpaired(&self, client: u32, now: Ms, agents: &Agents, limits: &Limits) -> bool {
        let Some(node) = agents.get(client) else { return false };
        let block = node.address().map_or(0, |address| self.blocks.used(now, address));
        let used = self.unpaired_today(client, now).max(block);
        !limits.price.is_free() && used >= limits.unpaired_ms_a_day
    }
}

/// Returns the milliseconds of an ending row that only the host saw: until the client saw it too, or since the client
/// became silent at `client_end`. The gap between two honest reports does not count.
pub(crate) fn unpaired_ms(
    lease: &Lease,
    client_end: Ms,
    silent: bool,
    agents: &Agents,
    clock: &PoolClock,
    limits: &Limits,
) -> u64 {
    let lone = lease.client_up() == UNSEEN || silent;
    if lease.host_up() == UNSEEN || !lone {
        return 0;
    }
    let since = if lease.client_up() == UNSEEN { lease.host_up() } else { client_end.max(lease.host_up()) };
    // A connected host still sees what it last reported.
    let there = agents.get(lease.host()).is_some_and(Node::is_connected);
    let sees = lease.sees(Side::Host) && there && !agents.is_silent(lease.host(), clock, limits);
    let until = if sees { clock.now() } else { side_end(lease, Side::Host, agents) };
    until.since(since)
}
