//! Limits for time that a client used and was not billed for. `flows::close_period` measures it: of each row that is over,
//! how long the host saw the client, less what is billed, in whatever way the row ended. Nothing is forgiven per row or per
//! lease, because a client chooses when rows begin: one that reports up and down at once, claims that a lease was
//! interrupted, reports too seldom or falls silent would use slots for nothing.
//!
//! It is the host's word against the client's, and a host may lie. What its word does is therefore bounded: a pair is kept
//! apart for the rest of the day once its unpaired time exceeds what a crash or two lost links cost, plus a share of what the
//! pair was billed in a week; a host's reports count against the client's own budget and that of its address block only up
//! to that; and it takes reports from several wide address blocks (/16, /32) to exceed either.

use std::collections::BTreeMap;

use vipnode_types::{Ms, Price};

use crate::{
    Counters, Limits,
    agents::Agents,
    collections::{
        address_block::{AddressBlock, WideBlock},
        slab::Handle,
    },
    leases::Leases,
    metering::{
        Metering, billed_period::running_ms, budget_day::BudgetDay, client_times::ClientTimes, pair_week::PairWeek,
        unpaired_blocks::SpentHosts,
    },
};

/// A client and a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) client: u32,
    pub(crate) host: u32,
}

/// Time of a pair that is over, at the price of its lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedTime {
    pub(crate) price: Price,
    pub(crate) billed_ms: u64,
    /// Milliseconds that only the host reported.
    pub(crate) unpaired_ms: u64,
    /// Milliseconds billed by now on the client's running periods with other hosts.
    pub(crate) running_ms: u64,
}

impl Metering {
    /// Adds the time of a pair that is over. Only leases with a price count.
    pub(crate) fn add_time(
        &mut self,
        pair: Pair,
        spent: EndedTime,
        now: Ms,
        agents: &Agents,
        limits: &Limits,
        counters: &mut Counters,
    ) {
        let (Some(node), Some(host)) = (agents.get(pair.client), agents.handle(pair.host)) else { return };
        if spent.price.is_free() || (spent.billed_ms == 0 && spent.unpaired_ms == 0) {
            return;
        }
        counters.unpaired_ms = counters.unpaired_ms.saturating_add(spent.unpaired_ms);
        let block = node.address().map(AddressBlock::of);
        let Some(times) = self.clients.get_mut(pair.client) else { return };
        let times = times.get_or_insert_with(|| Box::new(ClientTimes::new(block)));
        if !std::mem::replace(&mut times.dirty, true) {
            self.dirty.extend(agents.handle(pair.client));
        }
        // What this very row bills counts too, and so do rows that may run for a day.
        let paid = times.billed_week(now).saturating_add(spent.billed_ms).saturating_add(spent.running_ms);
        let pays_too_little = paid < billed_enough_ms(limits);
        let Some(entry) = times.with_mut(host, now, &mut self.shares, limits) else { return };
        entry.block = agents.address(pair.host).map(AddressBlock::of).or(entry.block);
        entry.time.add_billed(spent.billed_ms);
        let most = allowance_ms(&entry.time, pair, agents, limits);
        let counted = entry.time.add_unpaired(spent.unpaired_ms, most, pays_too_little);
        if let Some(block) = block.filter(|_| pays_too_little) {
            self.blocks.add(now, block, entry.block.map(AddressBlock::wide), counted, limits);
        }
    }

    /// Whether two nodes are kept apart until the next day, because of the time that only the host reported.
    pub(crate) fn is_barred(&self, pair: Pair, now: Ms, agents: &Agents, limits: &Limits) -> bool {
        let Some(host) = agents.handle(pair.host).filter(|_| !limits.price.is_free()) else { return false };
        self.times(pair.client).is_some_and(|times| {
            let barred = |time: PairWeek| u64::from(time.unpaired_ms) > allowance_ms(&time, pair, agents, limits);
            times.with(host, now).is_some_and(barred)
        })
    }

    /// The hosts from which a client is kept apart until the next day.
    pub(crate) fn barred_hosts(&self, client: u32, now: Ms, agents: &Agents, limits: &Limits) -> Vec<u32> {
        let pairs = self.times(client).map_or(&[][..], ClientTimes::pairs);
        let hosts = pairs.iter().filter_map(|pair| agents.live(pair.host));
        hosts.filter(|&host| self.is_barred(Pair { client, host }, now, agents, limits)).collect()
    }

    /// Whether a client has used up today's unpaired time, or its address block or wide block has and it is not known as one
    /// that pays.
    pub(crate) fn past_unpaired(
        &self,
        client: u32,
        now: Ms,
        (agents, leases): (&Agents, &Leases),
        limits: &Limits,
    ) -> bool {
        let known = !limits.price.is_free() && agents.get(client).is_some();
        known && (self.past_own(client, now, limits) || self.past_of_block(client, now, (agents, leases), limits))
    }

    fn past_own(&self, client: u32, now: Ms, limits: &Limits) -> bool {
        let Some(times) = self.times(client) else { return false };
        let (mut counted, mut billed) = (0_u64, 0_u64);
        for (_, time) in times.all(now) {
            counted = counted.saturating_add(time.counted_ms.into());
            billed = billed.saturating_add(time.billed_today().into());
        }
        let limit = limits.unpaired_ms_a_day.saturating_add(share(billed, limits));
        if counted == 0 || counted < limit {
            return false;
        }
        // Each wide block counts for its part alone, so that it takes several to lock a client out: one provider's customer
        // can have hosts in many address blocks of it.
        let mut blocks: BTreeMap<Option<WideBlock>, u64> = BTreeMap::new();
        for (block, time) in times.all(now) {
            let sum = blocks.entry(block.map(AddressBlock::wide)).or_default();
            *sum = sum.saturating_add(time.counted_ms.into());
        }
        let part = limit.div_ceil(u64::from(limits.lockout_blocks.max(1)));
        blocks.values().fold(0_u64, |sum, ms| sum.saturating_add(*ms.min(&part))) >= limit
    }

    fn past_of_block(&self, client: u32, now: Ms, (agents, leases): (&Agents, &Leases), limits: &Limits) -> bool {
        let block = agents.address(client).map(AddressBlock::of).filter(|_| !limits.members_only);
        let used_up = block.is_some_and(|block| self.blocks.is_used_up(now, block, limits));
        used_up && !self.was_billed_enough(client, now, (agents, leases), limits)
    }

    /// Hosts from which a client is kept apart today because of what the clients in its address block used for nothing.
    pub(crate) fn spent_hosts(
        &self,
        client: u32,
        now: Ms,
        (agents, leases): (&Agents, &Leases),
        limits: &Limits,
    ) -> SpentHosts {
        let block =
            agents.address(client).map(AddressBlock::of).filter(|_| !limits.members_only && !limits.price.is_free());
        let Some(block) = block.filter(|_| !self.was_billed_enough(client, now, (agents, leases), limits)) else {
            return SpentHosts::default();
        };
        self.blocks.spent_hosts(now, block, limits)
    }

    /// Whether a client is known as one that pays, on rows that still run too, so that what others in its address block do does not
    /// count against it.
    fn was_billed_enough(&self, client: u32, now: Ms, (agents, leases): (&Agents, &Leases), limits: &Limits) -> bool {
        let billed = self.times(client).map_or(0, |times| times.billed_week(now));
        billed.saturating_add(running_ms(client, None, leases, agents)) >= billed_enough_ms(limits)
    }

    /// Until when today's unpaired time of a client has to be remembered; `None` if there is none.
    pub(crate) fn counts_until(&self, client: u32, now: Ms) -> Option<Ms> {
        let times = self.times(client)?;
        let any = times.all(now).any(|(_, time)| time.unpaired_ms > 0);
        any.then(|| now.plus(BudgetDay::renewed_in(now)))
    }

    pub(in crate::metering) fn times(&self, client: u32) -> Option<&ClientTimes> {
        self.clients.get(client).as_deref()
    }

    /// The next client whose time with its hosts has to be written.
    pub(crate) fn pop_dirty(&mut self) -> Option<Handle> {
        self.dirty.pop()
    }
}

/// How much of a pair's day may be unpaired, in milliseconds: a crash or two lost links, which are noticed late, and a
/// share of what the pair was billed in a week.
fn allowance_ms(time: &PairWeek, pair: Pair, agents: &Agents, limits: &Limits) -> u64 {
    let late_ms = |node: u32| agents.dialect(node).late_ms(limits);
    let late = late_ms(pair.client).max(late_ms(pair.host));
    let fixed = limits.silence_ms.saturating_add(limits.unpaired_pair_ms).saturating_add(late);
    fixed.saturating_add(share(time.billed_week(), limits))
}

/// How long a client has to be billed within seven days before its address block's budget no longer applies to it, in
/// milliseconds.
fn billed_enough_ms(limits: &Limits) -> u64 {
    limits.unpaired_ms_a_day.max(1)
}

/// The share of billed time that may be unpaired, in milliseconds, rounded down.
fn share(billed_ms: u64, limits: &Limits) -> u64 {
    billed_ms.saturating_mul(limits.unpaired_percent.into()) / 100
}
