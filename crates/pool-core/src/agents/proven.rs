use std::net::IpAddr;

use vipnode_types::Ms;

use crate::{
    Limits,
    agents::{Agents, node::Node, node_flags::NodeFlag},
    collections::address_block::WideBlock,
};

/// Whether a node was paired with others for long enough to be known as real.
///
/// That takes a time with nodes of two other wide address blocks (in a closed pool, any time with any node). An id is
/// free and an address block is cheap, but time with two strangers who report it is neither. It protects from limits
/// that are there for unknown nodes, and never makes a node rank higher.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proven {
    /// It was never paired.
    #[default]
    No,
    /// It was paired, but not yet for long enough, or only within its own wide block.
    Partly(Box<[PairedTime; 2]>),
    /// It was paired for that time with nodes of two other wide blocks.
    Yes,
}

/// Time that a node was paired with nodes of a wide block. Zero time for none.
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

    /// Whether it was ever paired, for however short a time.
    #[must_use]
    pub const fn is_paired(&self) -> bool {
        !matches!(self, Self::No)
    }

    /// How many more milliseconds it takes at least, of `needed` with each of two wide blocks.
    fn lacks_ms(&self, needed: u64) -> u64 {
        match self {
            Self::No => needed,
            Self::Partly(times) => PairedTime::lack_ms(times, needed),
            Self::Yes => 0,
        }
    }

    /// Remembers that it was paired. Returns whether that is new.
    fn set_paired(&mut self) -> bool {
        if self.is_paired() {
            return false;
        }
        *self = Self::Partly(Box::new([PairedTime::NONE; 2]));
        true
    }

    /// Adds time that a node at `own` was paired with one at `other`, in milliseconds; `needed` is how much it takes with each of two
    /// wide blocks, `None` where any time is enough. Returns whether anything changed.
    pub(crate) fn add(&mut self, own: IpAddr, other: IpAddr, ms: u64, needed: Option<u64>) -> bool {
        if ms == 0 || self.is_proven() {
            return false;
        }
        let Some(needed) = needed else {
            *self = Self::Yes;
            return true;
        };
        let first_time = self.set_paired();
        let with = WideBlock::of(other);
        if with == WideBlock::of(own) {
            return first_time;
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
            return first_time;
        }
        *time = PairedTime { with, ms: had.saturating_add(ms).min(needed) };
        let changed = *time != before;
        if times.iter().all(|time| time.ms >= needed) {
            *self = Self::Yes;
        }
        changed || first_time
    }
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
        let needed = if limits.members_only { 1 } else { limits.proven_ms };
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
        let needed = if limits.members_only { None } else { Some(limits.proven_ms) };
        let Some((node, own)) = self.get(index).and_then(|node| Some((node, node.address()?))) else { return u64::MAX };
        let mut proven = node.proven();
        for (other, ms) in running {
            if let Some(other) = self.address(*other) {
                proven.add(own, other, *ms, needed);
            }
        }
        let lacks_ms = proven.lacks_ms(needed.unwrap_or(1));
        let vote = self.vote(index);
        if lacks_ms == 0
            && let Some(node) = self.nodes.get_mut(index)
        {
            let never_paired = !node.is_paired();
            node.set_proven(Proven::Yes);
            if never_paired {
                self.shares.paired(node.block);
            }
        }
        self.count_vote(index, vote);
        lacks_ms
    }

    /// Adds time that two nodes were paired, in milliseconds; returns which of the two have to be written again.
    pub(crate) fn add_paired(&mut self, pair: [u32; 2], ms: u64, limits: &Limits) -> [bool; 2] {
        let needed = if limits.members_only { None } else { Some(limits.proven_ms) };
        let addresses = pair.map(|node| self.address(node));
        let votes = pair.map(|node| self.vote(node));
        let mut add = |index, own: Option<IpAddr>, other: Option<IpAddr>| {
            let Some(node) = self.nodes.get_mut(index) else { return false };
            let never_paired = !node.is_paired();
            let mut proven = node.take_proven();
            let changed = match own.zip(other) {
                Some((own, other)) => proven.add(own, other, ms, needed),
                // Not connected since the pool's start.
                None => ms > 0 && proven.set_paired(),
            };
            node.set_proven(proven);
            if never_paired && node.is_paired() {
                self.shares.paired(node.block);
            }
            changed
        };
        let ([first, second], [one, two]) = (pair, addresses);
        let changed = [add(first, one, two), add(second, two, one)];
        for (node, before) in pair.into_iter().zip(votes) {
            self.count_vote(node, before);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn it_takes_the_time_with_nodes_of_two_other_wide_blocks() {
        let mut proven = Proven::default();
        let own = ip("8.8.8.8");
        let mut add = |other: &str, ms| {
            proven.add(own, ip(other), ms, Some(600));
            proven.is_proven()
        };
        assert!(!add("8.8.9.9", 10_000), "its own wide block");
        assert!(!add("9.9.9.9", 10_000));
        assert!(!add("9.9.8.8", 10_000), "the same other one");
        assert!(!add("7.7.7.7", 599));
        assert!(add("7.7.1.1", 1));
    }

    #[test]
    fn a_third_wide_block_replaces_the_shorter_time() {
        let mut proven = Proven::default();
        let own = ip("8.8.8.8");
        for (other, ms) in [("1.1.1.1", 5), ("2.2.2.2", 300), ("3.3.3.3", 600), ("2.2.2.2", 300)] {
            assert!(!proven.is_proven());
            proven.add(own, ip(other), ms, Some(600));
        }
        assert!(proven.is_proven());
    }

    #[test]
    fn in_a_closed_pool_any_time_is_enough() {
        let mut proven = Proven::default();
        assert!(!proven.add(ip("8.8.8.8"), ip("8.8.8.9"), 0, None));
        assert!(proven.add(ip("8.8.8.8"), ip("8.8.8.9"), 1, None));
        assert!(proven.is_proven() && !proven.add(ip("8.8.8.8"), ip("8.8.8.9"), 1, None));
    }
}
