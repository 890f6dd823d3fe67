use std::collections::BTreeMap;

use super::{Overlap, Spans};

/// Which pairs of nodes were really connected when, or had a lease: written by the model of the nodes and the agents, read
/// by the checker. Times are virtual, in ms.
#[derive(Debug, Clone, Default)]
pub struct GroundTruth {
    pairs: BTreeMap<(usize, usize), Spans>,
}

impl GroundTruth {
    /// Both ends of a connection are up.
    pub fn up(&mut self, a: usize, b: usize, at: u64) {
        self.pairs.entry(key(a, b)).or_default().begin(at);
    }

    /// One end of it is down.
    pub fn down(&mut self, a: usize, b: usize, at: u64) {
        if let Some(spans) = self.pairs.get_mut(&key(a, b)) {
            spans.end(at);
        }
    }

    /// Whether the pair was ever connected up to `at`.
    #[must_use]
    pub fn ever_before(&self, a: usize, b: usize, at: u64) -> bool {
        self.pairs.get(&key(a, b)).is_some_and(|spans| spans.ever_before(at))
    }

    /// How the pair was connected from `from` to `to`.
    #[must_use]
    pub fn overlap(&self, a: usize, b: usize, from: u64, to: u64) -> Overlap {
        self.pairs.get(&key(a, b)).unwrap_or(&Spans::default()).overlap(from, to)
    }

    /// How long the pair was connected from `from` to `to` while it was in `other` too, in ms.
    #[must_use]
    pub fn overlap_with(&self, other: &Self, (a, b): (usize, usize), from: u64, to: u64) -> u64 {
        let spans = self.pairs.get(&key(a, b)).zip(other.pairs.get(&key(a, b)));
        spans.map_or(0, |(connected, other)| connected.overlap_with(other, from, to))
    }
}

fn key(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_was_connected_and_counts_the_rest() {
        let mut ground_truth = GroundTruth::default();
        ground_truth.up(1, 0, 10);
        ground_truth.down(0, 1, 20);
        ground_truth.up(0, 1, 35);
        assert_eq!(ground_truth.overlap(0, 1, 0, 40), Overlap { ms: 15, gaps: vec![10, 15] });
        assert_eq!(ground_truth.overlap(0, 1, 0, 40).with_gaps(11), 15 + 10 + 11);
        assert_eq!(ground_truth.overlap(0, 1, 10, 20), Overlap { ms: 10, gaps: vec![] });
        assert_eq!(ground_truth.overlap(0, 1, 21, 29), Overlap { ms: 0, gaps: vec![8] });
        assert_eq!(ground_truth.overlap(0, 2, 0, 40), Overlap { ms: 0, gaps: vec![40] });
        let mut leased = GroundTruth::default();
        leased.up(0, 1, 15);
        leased.down(0, 1, 37);
        assert_eq!(ground_truth.overlap_with(&leased, (1, 0), 0, 40), 5 + 2);
        assert_eq!(ground_truth.overlap_with(&leased, (1, 0), 16, 36), 4 + 1);
        assert!(ground_truth.ever_before(0, 1, 10) && !ground_truth.ever_before(0, 1, 9));
    }
}
