use std::collections::BTreeMap;

use vipnode_types::Ms;

use crate::{
    Limits,
    collections::address_block::{AddressBlock, WideBlock},
    metering::budget_day::day,
};

/// Budgets of a block that the clients in a wide block share: its holder has up to 65,536 blocks.
const BUDGETS_OF_A_WIDE: u64 = 4;
/// Wide blocks of hosts that are distinguished in what is remembered of a block. The time that hosts in further ones reported
/// counts together, and keeps nobody apart from a host.
const HOST_BLOCKS: usize = 64;

/// Today's unpaired time of clients that are not known as ones that pay, by their address block and by their wide block.
///
/// Ids are free, so a block's clients share one budget. The attack: each id is billed for a moment and then uses a budget of
/// its own. So a client counts alone only once it was billed within seven days for as long as it could use for nothing in one.
/// The clients in a wide block share four such budgets.
#[derive(Debug, Default)]
pub(crate) struct UnpairedBlocks {
    day: u32,
    blocks: BTreeMap<AddressBlock, HostWords>,
    wide: BTreeMap<WideBlock, HostWords>,
}

/// Hosts from which the clients in a block that are not known as ones that pay are kept apart today: those whose word about
/// them counts for no more. Without that, many ids of one block could each use one host for nothing.
#[derive(Debug, Default)]
pub(crate) struct SpentHosts(Vec<WideBlock>);

impl SpentHosts {
    /// Whether a host at an address block is among them.
    pub(crate) fn contains(&self, host: Option<AddressBlock>) -> bool {
        host.is_some_and(|host| self.0.contains(&host.wide()))
    }
}

/// What hosts reported about one block's clients, in milliseconds by the host's wide block, each once; `None` for all others.
#[derive(Debug, Default)]
struct HostWords {
    by_host: Vec<(Option<WideBlock>, u32)>,
    /// How much of it counts for the wide block of the clients too, in milliseconds.
    in_wide_ms: u64,
}

impl UnpairedBlocks {
    /// Adds time of a client in a block, which a host in a wide block reported.
    pub(in crate::metering) fn add(
        &mut self,
        now: Ms,
        block: AddressBlock,
        host: Option<WideBlock>,
        ms: u64,
        limits: &Limits,
    ) {
        if self.day != day(now) {
            *self = Self { day: day(now), ..Self::default() };
        }
        if ms == 0 {
            return;
        }
        let (most, mut in_wide_ms) = (limits.unpaired_blocks as usize, ms);
        if self.blocks.contains_key(&block) || self.blocks.len() < most {
            let words = self.blocks.entry(block).or_default();
            words.add(host, ms);
            // A block uses up no more than its own budget of its wide block's: else one block with false clients and false hosts
            // would deny all newcomers of a provider.
            in_wide_ms = ms.min(limits.unpaired_ms_a_day.saturating_sub(words.in_wide_ms));
            words.in_wide_ms = words.in_wide_ms.saturating_add(in_wide_ms);
        }
        if in_wide_ms > 0 && (self.wide.contains_key(&block.wide()) || self.wide.len() < most) {
            self.wide.entry(block.wide()).or_default().add(host, in_wide_ms);
        }
    }

    /// Whether the clients in a block, or of its wide block, have used up what they may.
    pub(in crate::metering) fn is_used_up(&self, now: Ms, block: AddressBlock, limits: &Limits) -> bool {
        self.about(now, block, limits).any(|(words, budget)| words.reach(budget, limits))
    }

    /// The hosts that the clients in a block have used as much as they may.
    pub(in crate::metering) fn spent_hosts(&self, now: Ms, block: AddressBlock, limits: &Limits) -> SpentHosts {
        let about = self.about(now, block, limits);
        SpentHosts(about.flat_map(|(words, budget)| words.spent(budget, limits)).collect())
    }

    /// What was reported today of a block and of its wide block, each with its budget in milliseconds.
    fn about(&self, now: Ms, block: AddressBlock, limits: &Limits) -> impl Iterator<Item = (&HostWords, u64)> {
        let (budget, today) = (limits.unpaired_ms_a_day, self.day == day(now));
        let own = self.blocks.get(&block).map(|words| (words, budget));
        let wide = self.wide.get(&block.wide()).map(|words| (words, budget.saturating_mul(BUDGETS_OF_A_WIDE)));
        own.into_iter().chain(wide).filter(move |_| today)
    }
}

impl HostWords {
    fn add(&mut self, host: Option<WideBlock>, ms: u64) {
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        let known = self.by_host.iter().any(|(other, _)| *other == host);
        let host = host.filter(|_| known || self.by_host.len() < HOST_BLOCKS);
        match self.by_host.iter_mut().find(|(other, _)| *other == host) {
            Some((_, sum)) => *sum = sum.saturating_add(ms),
            None => self.by_host.push((host, ms)),
        }
    }

    /// Whether they exceed a budget. The hosts in each wide block count for their part alone, so that it takes hosts in several:
    /// one host must not deny all newcomers of a block by its word.
    fn reach(&self, budget: u64, limits: &Limits) -> bool {
        let part = part(budget, limits);
        let counted = self.by_host.iter().fold(0_u64, |sum, (_, ms)| sum.saturating_add(u64::from(*ms).min(part)));
        !self.by_host.is_empty() && counted >= budget
    }

    /// The wide blocks whose hosts reported more than their part.
    fn spent(&self, budget: u64, limits: &Limits) -> impl Iterator<Item = WideBlock> {
        // One pair keeps nobody else apart, whatever a crash or a lost link cost it.
        let late = limits.report_interval_ms.saturating_mul(2);
        let pair = limits.silence_ms.saturating_add(limits.unpaired_pair_ms).saturating_add(late);
        let most = part(budget, limits).max(pair);
        self.by_host.iter().filter(move |(_, ms)| u64::from(*ms) > most).filter_map(|(host, _)| *host)
    }
}

/// What the hosts in one wide block may count of a budget, in milliseconds.
fn part(budget: u64, limits: &Limits) -> u64 {
    budget.div_ceil(u64::from(limits.lockout_blocks.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = Ms::new(1_700_000_000_000);

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    fn limits() -> Limits {
        Limits {
            unpaired_ms_a_day: 600,
            lockout_blocks: 3,
            silence_ms: 100,
            unpaired_pair_ms: 100,
            report_interval_ms: 0,
            ..Limits::default()
        }
    }

    /// Adds so much time on the word of hosts in three wide blocks.
    fn add(blocks: &mut UnpairedBlocks, at: AddressBlock, ms: u64, limits: &Limits) {
        for host in ["30.1.1.1", "31.1.1.1", "2001:db8::1"] {
            blocks.add(NOW, at, Some(block(host).wide()), ms / 3, limits);
        }
    }

    #[test]
    fn a_block_has_one_budget_and_a_wide_block_four() {
        let mut blocks = UnpairedBlocks::default();
        let v6 = |n: u32| block(&format!("2001:db8:{n:x}::1"));
        let free = |blocks: &UnpairedBlocks, at| !blocks.is_used_up(NOW, at, &limits());
        add(&mut blocks, v6(0), 597, &limits());
        assert!(free(&blocks, v6(0)));
        add(&mut blocks, v6(0), 3, &limits());
        assert!(!free(&blocks, v6(0)) && free(&blocks, v6(1)));
        for n in 1..=18 {
            add(&mut blocks, v6(n), 99, &limits());
        }
        assert!(free(&blocks, v6(60_000)));
        add(&mut blocks, v6(19), 99, &limits());
        assert!(!free(&blocks, v6(60_000)), "2,400 ms in 20 blocks");
        assert!(free(&blocks, block("2001:db9::1")));
        assert!(!blocks.is_used_up(NOW.plus(24 * 3_600_000), v6(0), &limits()), "tomorrow");
    }

    #[test]
    fn the_hosts_of_one_wide_block_count_for_their_part() {
        let mut blocks = UnpairedBlocks::default();
        let client = block("8.8.8.8");
        let mut denied = |host: &str| {
            blocks.add(NOW, client, Some(block(host).wide()), 1_000_000, &limits());
            blocks.is_used_up(NOW, client, &limits())
        };
        assert!(!denied("30.1.1.1") && !denied("30.1.2.1") && !denied("31.1.1.1") && denied("32.1.1.1"));
    }

    #[test]
    fn a_block_is_kept_apart_from_hosts_that_used_up_their_part() {
        let mut blocks = UnpairedBlocks::default();
        let (client, host) = (block("8.8.8.8"), block("30.1.1.1"));
        let spent = |blocks: &UnpairedBlocks, of: &str, host| {
            blocks.spent_hosts(NOW, block(of), &limits()).contains(Some(host))
        };
        blocks.add(NOW, client, Some(host.wide()), 200, &limits());
        assert!(!spent(&blocks, "8.8.8.8", host), "one pair can do as much");
        blocks.add(NOW, client, Some(host.wide()), 1, &limits());
        assert!(spent(&blocks, "8.8.8.8", block("30.1.2.1")) && !spent(&blocks, "8.8.8.8", block("31.1.1.1")));
        assert!(!spent(&blocks, "8.8.9.8", host));
        for n in 10..20 {
            blocks.add(NOW, block(&format!("8.8.{n}.1")), Some(host.wide()), 60, &limits());
        }
        assert!(spent(&blocks, "8.8.9.8", host), "800 ms of its wide block");
    }

    #[test]
    fn beyond_the_limit_a_block_counts_as_a_part_of_its_wide_block_only() {
        let limits = Limits { unpaired_blocks: 1, ..limits() };
        let mut blocks = UnpairedBlocks::default();
        add(&mut blocks, block("8.8.1.1"), 3, &limits);
        add(&mut blocks, block("8.8.2.1"), 1_800, &limits);
        assert!(!blocks.is_used_up(NOW, block("8.8.2.1"), &limits));
        add(&mut blocks, block("8.8.3.1"), 600, &limits);
        assert!(blocks.is_used_up(NOW, block("8.8.2.1"), &limits));
        assert_eq!((blocks.blocks.len(), blocks.wide.len()), (1, 1));
    }

    /// The attack: false clients at one address and three false hosts.
    #[test]
    fn one_block_uses_up_no_more_than_its_own_budget_of_its_wide_block() {
        let mut blocks = UnpairedBlocks::default();
        let free = |blocks: &UnpairedBlocks, at: &str| !blocks.is_used_up(NOW, block(at), &limits());
        for n in 1..=3 {
            add(&mut blocks, block(&format!("8.8.{n}.1")), 1_000_000, &limits());
        }
        assert!(!free(&blocks, "8.8.1.1") && free(&blocks, "8.8.200.1"), "three blocks of one provider");
    }

    #[test]
    fn hosts_in_further_wide_blocks_are_counted_together_and_keep_nobody_apart() {
        let (mut blocks, client) = (UnpairedBlocks::default(), block("8.8.8.8"));
        for n in 0..200 {
            blocks.add(NOW, client, Some(block(&format!("{n}.7.1.1")).wide()), 1_000, &limits());
        }
        let words = &blocks.blocks[&client];
        assert_eq!(words.by_host.len(), HOST_BLOCKS + 1);
        let spent = blocks.spent_hosts(NOW, client, &limits());
        assert!(spent.contains(Some(block("7.7.1.1"))) && !spent.contains(Some(block("150.7.1.1"))));
        assert!(!spent.contains(None), "a host whose address is unknown");
    }
}
