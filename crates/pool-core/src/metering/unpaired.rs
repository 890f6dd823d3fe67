use std::{collections::BTreeMap, net::IpAddr};

use vipnode_types::{
    Ms,
    wire::{Side, WireError},
};

use crate::{
    Core,
    collections::address_block::AddressBlock,
    error,
    leases::lease::{Lease, UNSEEN},
    metering::day_budget::{DayBudget, day},
};

/// Time that only hosts saw, by address block of the clients, today.
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

impl Core {
    /// Counts time that a client had a place and the host alone said so. Never billed: a host would
    /// farm it by kicking. Only where a price is asked.
    pub(crate) fn count_unpaired(&mut self, client: u32, price: u32, ms: u64) {
        if ms == 0 || self.prices.get(price).is_none_or(|price| price.is_free()) {
            return;
        }
        let now = self.now;
        let Some(node) = self.nodes.get_mut(client) else { return };
        node.unpaired.add(now, ms);
        let address = node.address;
        self.counters.unpaired_ms = self.counters.unpaired_ms.saturating_add(ms);
        if let Some(address) = address {
            self.unpaired.add(now, address, ms, self.limits.unpaired_blocks);
        }
    }

    /// Whether a client has used up its unpaired time of today, by itself or with its neighbours.
    pub(crate) fn past_unpaired(&self, client: u32) -> bool {
        let Some(node) = self.nodes.get(client) else { return false };
        let block = node.address.map_or(0, |address| self.unpaired.used(self.now, address));
        let used = node.unpaired.used(self.now).max(block);
        !self.limits.price.is_free() && used >= self.limits.unpaired_ms_a_day
    }

    pub(crate) fn unpaired_error(&self) -> WireError {
        error::unpaired(self.limits.unpaired_ms_a_day, DayBudget::renewed_in(self.now))
    }

    /// What of an ending row only the host saw: until the client saw it too, or since that fell silent
    /// at `client_end`. The gap that sampling leaves between two honest reports does not count.
    pub(crate) fn unpaired_of(&self, lease: &Lease, client_end: Ms, silent: bool) -> u64 {
        let lone = lease.client_up == UNSEEN || silent;
        if lease.host_up == UNSEEN || !lone {
            return 0;
        }
        let since = if lease.client_up == UNSEEN { lease.host_up } else { client_end.max(lease.host_up) };
        self.host_sees_until(lease).since(since)
    }

    /// A host that is there goes on seeing what it said it sees.
    fn host_sees_until(&self, lease: &Lease) -> Ms {
        let there = self.nodes.get(lease.host).is_some_and(|node| node.peer.is_some());
        if lease.sees(Side::Host) && there && !self.is_silent(lease.host) {
            self.now
        } else {
            self.side_end(lease, Side::Host)
        }
    }
}
