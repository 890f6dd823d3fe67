use vipnode_types::{Ms, NodeId};

use crate::{
    HostTimeRow, Limits, TimesRow,
    agents::Agents,
    collections::{address_block::AddressBlock, slab::Handle},
    metering::{
        Metering,
        client_times::{ClientTimes, HostTime},
    },
};

/// What the store is to do about a client's time with its hosts.
#[derive(Debug)]
pub(crate) enum TimesChange {
    /// Replace what it keeps of the client.
    Keep(Box<TimesRow>),
    /// Forget what it keeps.
    Forget(NodeId),
}

impl Metering {
    /// What the store is to do about a client that [`Self::pop_dirty`] returned.
    pub(crate) fn written(&mut self, client: Handle, agents: &Agents) -> Option<TimesChange> {
        let index = agents.live(client)?;
        let row = self.row(index, agents);
        let times = self.clients.get_mut(index)?.as_mut()?;
        times.dirty = false;
        let stored = std::mem::replace(&mut times.stored, row.is_some());
        match row {
            Some(row) => Some(TimesChange::Keep(Box::new(row))),
            None => stored.then(|| agents.id(index)).flatten().map(TimesChange::Forget),
        }
    }

    /// A client's time with its hosts as a store is to keep it; `None` if there is none.
    pub(crate) fn row(&self, client: u32, agents: &Agents) -> Option<TimesRow> {
        let times = self.times(client)?;
        let (mut others, mut hosts) = (times.others(), Vec::new());
        for pair in times.pairs() {
            match agents.live(pair.host).and_then(|host| agents.id(host)) {
                Some(host) => hosts.push(HostTimeRow { host, block: pair.block, time: pair.time }),
                None => others = others.joined(&pair.time),
            }
        }
        let row = TimesRow { client: agents.id(client)?, block: times.block(), others, hosts };
        (!row.hosts.is_empty() || !row.others.is_empty()).then_some(row)
    }

    /// A client's time with its hosts as a store kept it. The time with hosts that are unknown counts as that of all others.
    pub(crate) fn restore(&mut self, row: &TimesRow, now: Ms, agents: &Agents, limits: &Limits) {
        let Some(client) = agents.find(&row.client) else { return };
        let (mut others, mut hosts) = (row.others, Vec::new());
        for HostTimeRow { host, block, time } in &row.hosts {
            match agents.find(host).and_then(|host| agents.handle(host)) {
                Some(host) => hosts.push(HostTime { host, block: *block, time: *time }),
                None => others = others.joined(time),
            }
        }
        let times = ClientTimes::restored(row.block, others, hosts);
        times.take_all(&mut self.shares);
        if let Some(block) = row.block {
            for (host, time) in times.all(now) {
                self.blocks.add(now, block, host.map(AddressBlock::wide), time.block_ms.into(), limits);
            }
        }
        if let Some(place) = self.clients.get_mut(client) {
            *place = Some(Box::new(times));
        }
    }

    /// Forgets what is old of a client's time with its hosts.
    pub(crate) fn forget_old(&mut self, client: u32, now: Ms, agents: &Agents) {
        let Some(place) = self.clients.get_mut(client) else { return };
        let Some(times) = place else { return };
        let was_dirty = times.dirty;
        let left = times.forget_old(now, &mut self.shares, |host| agents.live(host).is_some());
        if !left && !times.stored {
            *place = None;
            return;
        }
        times.dirty |= !left;
        if times.dirty && !was_dirty {
            self.dirty.extend(agents.handle(client));
        }
    }

    /// Forgets a node. Returns whether the store has a row of its time with hosts.
    pub(crate) fn forget(&mut self, node: u32) -> bool {
        self.rows.forget(node);
        let Some(times) = self.clients.take(node) else { return false };
        times.give_back_all(&mut self.shares);
        times.stored
    }

    /// Whether each pair is counted for its address block, for checks.
    pub(crate) fn counts_pairs_right(&self, agents: &Agents) -> bool {
        let counted = |times: &ClientTimes| times.block().map_or(0, |_| times.pairs().len());
        let pairs = agents.iter().filter_map(|(index, _)| self.times(index)).map(counted);
        pairs.fold(0_usize, usize::saturating_add) == self.shares.held() as usize
    }
}
