use vipnode_types::Ms;

use crate::{
    Limits,
    collections::{address_block::AddressBlock, block_shares::BlockShares, slab::Handle},
    metering::pair_week::PairWeek,
};

/// Hosts whose time with a client is always remembered one by one.
const ALWAYS: usize = 4;

/// The time that one client spent with each of its hosts.
///
/// A stranger could make a new pair every second. Address blocks therefore share the room for pairs, and beyond it the
/// time of a client's least important host is added to that of all others, so that nothing is forgotten by it.
#[derive(Debug)]
pub(crate) struct ClientTimes {
    /// The address block that the pairs count for: where the client was at the first of them.
    block: Option<AddressBlock>,
    pairs: Vec<HostTime>,
    /// The time with hosts that are not remembered one by one.
    others: PairWeek,
    /// The store has an older state.
    pub(in crate::metering) dirty: bool,
    /// The store has a state.
    pub(in crate::metering) stored: bool,
}

/// The time of a client with one host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostTime {
    pub(crate) host: Handle,
    /// Where the host was at the last time.
    pub(crate) block: Option<AddressBlock>,
    pub(crate) time: PairWeek,
}

impl ClientTimes {
    /// No time, of a client at an address block.
    pub(crate) fn new(block: Option<AddressBlock>) -> Self {
        Self { block, pairs: Vec::new(), others: PairWeek::default(), dirty: false, stored: false }
    }

    /// As a store kept it.
    pub(crate) fn restored(block: Option<AddressBlock>, others: PairWeek, pairs: Vec<HostTime>) -> Self {
        Self { block, pairs, others, dirty: false, stored: true }
    }

    pub(crate) const fn block(&self) -> Option<AddressBlock> {
        self.block
    }

    pub(crate) fn pairs(&self) -> &[HostTime] {
        &self.pairs
    }

    pub(crate) const fn others(&self) -> PairWeek {
        self.others
    }

    /// The time with a host, as of now.
    pub(crate) fn with(&self, host: Handle, now: Ms) -> Option<PairWeek> {
        self.pairs.iter().find(|pair| pair.host == host).map(|pair| pair.time.at(now))
    }

    /// Every time as of now, with where its host was.
    pub(crate) fn all(&self, now: Ms) -> impl Iterator<Item = (Option<AddressBlock>, PairWeek)> {
        let pairs = self.pairs.iter().map(move |pair| (pair.block, pair.time.at(now)));
        pairs.chain([(None, self.others.at(now))])
    }

    /// How long it was billed within seven days, in milliseconds.
    pub(in crate::metering) fn billed_week(&self, now: Ms) -> u64 {
        self.all(now).fold(0, |sum, (_, time)| sum.saturating_add(time.billed_week()))
    }

    /// The time with a host, to be added to.
    pub(in crate::metering) fn with_mut(
        &mut self,
        host: Handle,
        now: Ms,
        shares: &mut BlockShares,
        limits: &Limits,
    ) -> Option<&mut HostTime> {
        if let Some(at) = self.pairs.iter().position(|pair| pair.host == host) {
            let pair = self.pairs.get_mut(at)?;
            pair.time = pair.time.at(now);
            return Some(pair);
        }
        if !self.has_room(shares, limits) {
            self.join_least(now, shares);
        }
        self.take(shares);
        self.pairs.push(HostTime { host, block: None, time: PairWeek::default().at(now) });
        self.pairs.last_mut()
    }

    /// Forgets hosts with which nothing is left to remember, and adds the time with those that are not `known` to that of all
    /// others: else a host that leaves would take back what counts against a client. Returns whether anything is left.
    pub(in crate::metering) fn forget_old(
        &mut self,
        now: Ms,
        shares: &mut BlockShares,
        known: impl Fn(Handle) -> bool,
    ) -> bool {
        let (before, mut others) = (self.pairs.len(), self.others);
        self.pairs.retain(|pair| {
            let (time, known) = (pair.time.at(now), known(pair.host));
            if !known {
                others = others.joined(&time);
            }
            known && !time.is_empty()
        });
        self.others = others;
        for _ in self.pairs.len()..before {
            self.give_back(shares);
            self.dirty = true;
        }
        if self.others.at(now).is_empty() {
            self.others = PairWeek::default();
        }
        !self.pairs.is_empty() || !self.others.is_empty()
    }

    /// Counts its pairs for its address block.
    pub(in crate::metering) fn take_all(&self, shares: &mut BlockShares) {
        self.pairs.iter().for_each(|_| self.take(shares));
    }

    /// Gives back what its pairs took.
    pub(in crate::metering) fn give_back_all(&self, shares: &mut BlockShares) {
        self.pairs.iter().for_each(|_| self.give_back(shares));
    }

    fn has_room(&self, shares: &BlockShares, limits: &Limits) -> bool {
        let len = self.pairs.len();
        let free = limits.pairs.saturating_sub(shares.held());
        let share = || self.block.is_some_and(|block| !limits.members_only && !shares.may_take(block, free));
        len < ALWAYS || (len < limits.pairs_a_client as usize && free > 0 && !share())
    }

    /// Adds the time of the host with the least to that of all others.
    fn join_least(&mut self, now: Ms, shares: &mut BlockShares) {
        let weight = |pair: &HostTime| {
            let time = pair.time.at(now);
            (time.unpaired_ms, time.billed_week())
        };
        let Some((at, _)) = self.pairs.iter().enumerate().min_by_key(|(_, pair)| weight(pair)) else { return };
        let least = self.pairs.swap_remove(at);
        self.others = self.others.joined(&least.time.at(now));
        self.give_back(shares);
    }

    fn take(&self, shares: &mut BlockShares) {
        if let Some(block) = self.block {
            shares.take(block);
        }
    }

    fn give_back(&self, shares: &mut BlockShares) {
        if let Some(block) = self.block {
            shares.give_back(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = Ms::new(1_700_000_000_000);

    fn host(index: u32) -> Handle {
        Handle { index, generation: 0 }
    }

    fn block(text: &str) -> Option<AddressBlock> {
        Some(AddressBlock::of(text.parse().unwrap()))
    }

    fn add(times: &mut ClientTimes, shares: &mut BlockShares, limits: &Limits, index: u32, ms: u64) {
        times.with_mut(host(index), NOW, shares, limits).unwrap().time.add_unpaired(ms, u64::MAX, false);
    }

    #[test]
    fn beyond_its_room_a_client_remembers_sums() {
        let limits = Limits { pairs_a_client: 6, ..Limits::default() };
        let (mut shares, mut times) = (BlockShares::new(0), ClientTimes::new(block("8.8.8.8")));
        for index in 0..20 {
            add(&mut times, &mut shares, &limits, index, u64::from(100 - index));
        }
        assert_eq!((times.pairs().len(), shares.held()), (6, 6));
        assert!(times.with(host(0), NOW).is_some() && times.with(host(10), NOW).is_none(), "the least goes");
        let sum: u32 = times.all(NOW).map(|(_, time)| time.counted_ms).sum();
        assert_eq!(sum, (81..=100).sum::<u32>());
        times.give_back_all(&mut shares);
        assert!(shares.is_empty());
    }

    #[test]
    fn blocks_share_the_room_and_each_client_has_some() {
        let limits = Limits { pairs: 90, ..Limits::default() };
        let mut shares = BlockShares::new(0);
        let mut flood: Vec<ClientTimes> = (0..10).map(|_| ClientTimes::new(block("8.8.8.8"))).collect();
        for times in &mut flood {
            (0..60).for_each(|index| add(times, &mut shares, &limits, index, 1));
        }
        assert!(shares.held() <= 30 + 10 * 4, "{}", shares.held());
        assert!(flood.iter().all(|times| times.pairs().len() >= ALWAYS), "each has some");
        let mut honest = ClientTimes::new(block("9.9.9.9"));
        (0..8).for_each(|index| add(&mut honest, &mut shares, &limits, index, 1));
        assert_eq!(honest.pairs().len(), 8);
        let open = Limits { members_only: true, ..limits };
        (60..70).for_each(|index| add(&mut honest, &mut shares, &open, index, 1));
        assert_eq!(honest.pairs().len(), 18, "members may sit behind one address");
    }

    #[test]
    fn what_is_old_goes_and_what_a_forgotten_host_reported_counts_with_others() {
        let limits = Limits::default();
        let (mut shares, mut times) = (BlockShares::new(0), ClientTimes::new(block("8.8.8.8")));
        (0..3).for_each(|index| add(&mut times, &mut shares, &limits, index, 1));
        assert!(times.forget_old(NOW, &mut shares, |handle| handle != host(1)));
        assert_eq!((times.pairs().len(), shares.held(), times.dirty), (2, 2, true));
        let sum: u32 = times.all(NOW).map(|(_, time)| time.counted_ms).sum();
        assert_eq!(sum, 3, "what a host that left reported counts on");
        assert!(!times.forget_old(NOW.plus(24 * 3_600_000), &mut shares, |_| true));
        assert!(shares.is_empty());
    }
}
