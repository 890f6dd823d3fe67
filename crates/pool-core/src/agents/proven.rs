use vipnode_types::Ms;

use crate::{
    Limits,
    agents::{Agents, node::Node, node_flags::NodeFlag},
    collections::address_block::WideBlock,
};

/// Whether a node was paired with others for long enough to be known as real.
///
/// That takes a time with nodes in two other wide address blocks (in a closed pool, any time with any node). An id is
/// free and an address block is cheap, but time with two strangers who report it is neither. It protects from limits
/// that are there for unknown nodes, and never makes a node rank higher.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proven {
    /// It was never paired with a node in another wide block.
    #[default]
    No,
    /// It was, but not yet for long enough.
    Partly(Box<[PairedTime; 2]>),
    /// It was paired for that time with nodes in two other wide blocks.
    Yes,
}

/// Time that a node was paired with nodes in a wide block. Zero time for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairedTime {
    /// Where the other nodes are.
    pub with: WideBlock,
    /// Milliseconds, at most as many as are needed.
    pub ms: u64,
}

impl PairedTime {
    const NONE: Self = Self { with: WideBlock::from_bits(0), ms: 0 };

    /// How many more milliseconds it takes at least, of `needed` with each of two wide blocks.
    pub(in crate::agents) fn lack_ms(times: &[Self; 2], needed: u64) -> u64 {
        times.iter().map(|time| needed.saturating_sub(time.ms)).max().unwrap_or(needed)
    }
}

impl Proven {
    /// Whether it was paired for long enough.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// How many more milliseconds it takes at least, of `needed` with each of two wide blocks.
    fn lacks_ms(&self, needed: u64) -> u64 {
        match self {
            Self::No => needed,
            Self::Partly(times) => PairedTime::lack_ms(times, needed),
            Self::Yes => 0,
        }
    }

    /// Adds time that a node was paired with one of another wide block, in milliseconds; `needed` is how much it takes with each of
    /// two of them. Returns whether anything changed.
    fn add(&mut self, with: WideBlock, ms: u64, needed: u64) -> bool {
        if ms == 0 || self.is_proven() {
            return false;
        }
        if matches!(self, Self::No) {
            *self = Self::Partly(Box::new([PairedTime::NONE; 2]));
        }
        let Self::Partly(times) = self else { return false };
        let [first, second] = &mut **times;
        // A third wide block takes the place of the one with less time, so that old short times do not block it.
        let time = if first.with == with {
            first
        } else if second.with == with || second.ms <= first.ms {
            second
        } else {
            first
        };
        let before = *time;
        let had = if time.with == with { time.ms } else { 0 };
        if time.with != with && ms < time.ms {
            return false;
        }
        *time = PairedTime { with, ms: had.saturating_add(ms).min(needed) };
        let changed = *time != before;
        if times.iter().all(|time| time.ms >= needed) {
            *self = Self::Yes;
        }
        changed
    }

    /// Adds time that a node in a wide block was paired with one in another, in milliseconds. In a closed pool, any time is
    /// enough. Returns whether anything changed.
    fn add_between(&mut self, [own, other]: [Option<WideBlock>; 2], ms: u64, limits: &Limits) -> bool {
        if limits.members_only {
            let changed = ms > 0 && !self.is_proven();
            if changed {
                *self = Self::Yes;
            }
            return changed;
        }
        let other = other.filter(|other| own.is_some_and(|own| own != *other));
        other.is_some_and(|with| self.add(with, ms, limits.proven_ms))
    }
}

/// How long a node has to be paired until it is proven: with each of two wide blocks, or in all.
const fn needed_ms(limits: &Limits) -> u64 {
    if limits.members_only { 1 } else { limits.proven_ms }
}

impl Agents {
    /// Whether a node was paired with others for long enough.
    pub(crate) fn is_proven(&self, index: u32) -> bool {
        self.get(index).is_some_and(Node::is_proven)
    }

    /// Whether limits for unknown nodes apply to a node. Members of a closed pool are known to its operator.
    pub(crate) fn is_limited(&self, index: u32, limits: &Limits) -> bool {
        !limits.members_only && !self.is_proven(index)
    }

    /// How many more milliseconds a node has to be paired at least to be proven.
    pub(crate) fn lacks_ms(&self, index: u32, limits: &Limits) -> u64 {
        let needed = needed_ms(limits);
        self.get(index).map_or(needed, |node| node.lacks_ms(needed))
    }

    /// Plans to look whether a node is proven, unless it is or that is planned already.
    pub(crate) fn schedule_proof(&mut self, index: u32, due: Ms) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let node = self.nodes.get_mut(index).filter(|node| !node.is_proven() && !node.has(NodeFlag::PROOF_SCHEDULED));
        let Some(node) = node else { return };
        node.set(NodeFlag::PROOF_SCHEDULED, true);
        self.proofs.push(due, handle);
    }

    /// Returns a node that may be proven by now, for which no further look is planned from here on.
    pub(crate) fn pop_proof(&mut self, now: Ms) -> Option<Option<u32>> {
        let handle = self.proofs.pop_due(now)?;
        let index = self.nodes.live(handle);
        if let Some(node) = index.and_then(|index| self.nodes.get_mut(index)) {
            node.set(NodeFlag::PROOF_SCHEDULED, false);
        }
        Some(index)
    }

    /// When the next node may be proven.
    pub(crate) fn next_proof(&self) -> Option<Ms> {
        self.proofs.next()
    }

    /// The number of nodes that may be proven by their running leases.
    pub(crate) const fn planned_proofs(&self) -> usize {
        self.proofs.len()
    }

    /// Makes a node proven if what was counted before and the milliseconds of its running leases with other nodes are
    /// enough. Returns how many more it takes at least. The time of a running lease is not counted yet: that is done when
    /// its row ends.
    pub(crate) fn prove(&mut self, index: u32, running: &[(u32, u64)], limits: &Limits) -> u64 {
        let Some(mut proven) = self.get(index).filter(|node| node.address().is_some()).map(Node::proven) else {
            return u64::MAX;
        };
        let own = self.wide_block(index);
        for (other, ms) in running.iter().filter(|(other, _)| self.address(*other).is_some()) {
            proven.add_between([own, self.wide_block(*other)], *ms, limits);
        }
        let lacks_ms = proven.lacks_ms(needed_ms(limits));
        if lacks_ms == 0 {
            self.change_proven(index, limits, |proven| *proven = Proven::Yes);
        }
        lacks_ms
    }

    /// Adds time that two nodes were paired, in milliseconds; returns which of the two have to be written again.
    pub(crate) fn add_paired(&mut self, pair: [u32; 2], ms: u64, limits: &Limits) -> [bool; 2] {
        let [first, second] = pair;
        let [one, two] = pair.map(|node| self.wide_block(node));
        let mut add = |index, blocks| {
            self.change_proven(index, limits, |proven| proven.add_between(blocks, ms, limits)).unwrap_or(false)
        };
        [add(first, [one, two]), add(second, [two, one])]
    }

    /// Changes for how long a node was paired, and what depends on that.
    fn change_proven<T>(&mut self, index: u32, limits: &Limits, change: impl FnOnce(&mut Proven) -> T) -> Option<T> {
        let (vote, counted) = (self.vote(index), self.counted(index));
        let node = self.nodes.get_mut(index)?;
        let mut proven = node.take_proven();
        let result = change(&mut proven);
        node.set_proven(proven);
        node.count_paired(limits);
        self.count_vote(index, vote);
        self.count_again(index, counted);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> WideBlock {
        WideBlock::of(text.parse().unwrap())
    }

    fn limits() -> Limits {
        Limits { proven_ms: 600, ..Limits::default() }
    }

    #[test]
    fn it_takes_the_time_with_nodes_of_two_other_wide_blocks() {
        let mut proven = Proven::default();
        let own = Some(wide("8.8.8.8"));
        let mut add = |other: &str, ms| {
            proven.add_between([own, Some(wide(other))], ms, &limits());
            proven.clone()
        };
        assert_eq!(add("8.8.9.9", 10_000), Proven::No, "its own wide block");
        assert!(!add("9.9.9.9", 10_000).is_proven());
        assert!(!add("9.9.8.8", 10_000).is_proven(), "the same other one");
        assert!(!add("7.7.7.7", 599).is_proven());
        assert!(add("7.7.1.1", 1).is_proven());
    }

    #[test]
    fn a_third_wide_block_replaces_the_shorter_time() {
        let mut proven = Proven::default();
        for (other, ms) in [("1.1.1.1", 5), ("2.2.2.2", 300), ("3.3.3.3", 600), ("2.2.2.2", 300)] {
            assert!(!proven.is_proven());
            proven.add(wide(other), ms, 600);
        }
        assert!(proven.is_proven());
    }

    #[test]
    fn in_a_closed_pool_any_time_is_enough() {
        let closed = Limits { members_only: true, ..limits() };
        for blocks in [[Some(wide("8.8.8.8")); 2], [None; 2]] {
            let mut proven = Proven::default();
            assert!(!proven.add_between(blocks, 0, &closed));
            assert!(proven.add_between(blocks, 1, &closed));
            assert!(proven.is_proven() && !proven.add_between(blocks, 1, &closed));
        }
    }
}
