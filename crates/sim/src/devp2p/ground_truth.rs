use std::collections::BTreeMap;

/// Which pairs of nodes were really connected when, or had a lease: written by the model of the nodes and the agents, read
/// by the checker. Times are virtual, in ms.
#[derive(Debug, Clone, Default)]
pub struct GroundTruth {
    pairs: BTreeMap<(usize, usize), Vec<Span>>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    /// `None` while the pair is connected.
    to: Option<u64>,
}

/// How long and with how many gaps a pair was connected within a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Milliseconds connected.
    pub ms: u64,
    /// Spans without a connection, including those at the beginning and at the end.
    pub gaps: u64,
}

impl GroundTruth {
    /// Both ends of a connection are up.
    pub fn up(&mut self, a: usize, b: usize, at: u64) {
        let spans = self.pairs.entry(key(a, b)).or_default();
        if spans.last().is_none_or(|last| last.to.is_some()) {
            spans.push(Span { from: at, to: None });
        }
    }

    /// One end of it is down.
    pub fn down(&mut self, a: usize, b: usize, at: u64) {
        if let Some(last) = self.pairs.get_mut(&key(a, b)).and_then(|spans| spans.last_mut()) {
            last.to.get_or_insert(at);
        }
    }

    /// Whether the pair was ever connected up to `at`.
    #[must_use]
    pub fn ever_before(&self, a: usize, b: usize, at: u64) -> bool {
        self.pairs.get(&key(a, b)).is_some_and(|spans| spans.iter().any(|span| span.from <= at))
    }

    /// How the pair was connected from `from` to `to`.
    #[must_use]
    pub fn overlap(&self, a: usize, b: usize, from: u64, to: u64) -> Overlap {
        let mut overlap = Overlap::default();
        let mut reached = from;
        for span in self.pairs.get(&key(a, b)).into_iter().flatten() {
            let start = span.from.max(from);
            let end = span.to.unwrap_or(u64::MAX).min(to);
            if start < end {
                overlap.ms += end - start;
                overlap.gaps += u64::from(start > reached);
                reached = end;
            }
        }
        overlap.gaps += u64::from(reached < to);
        overlap
    }

    /// How long the pair was connected from `from` to `to` while it was in `other` too, in ms.
    #[must_use]
    pub fn overlap_with(&self, other: &Self, (a, b): (usize, usize), from: u64, to: u64) -> u64 {
        let spans = other.pairs.get(&key(a, b)).into_iter().flatten();
        spans.map(|span| self.overlap(a, b, span.from.max(from), span.to.unwrap_or(u64::MAX).min(to)).ms).sum()
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
        ground_truth.up(0, 1, 30);
        assert_eq!(ground_truth.overlap(0, 1, 0, 40), Overlap { ms: 20, gaps: 2 });
        assert_eq!(ground_truth.overlap(0, 1, 10, 20), Overlap { ms: 10, gaps: 0 });
        assert_eq!(ground_truth.overlap(0, 1, 21, 29), Overlap { ms: 0, gaps: 1 });
        assert_eq!(ground_truth.overlap(0, 2, 0, 40), Overlap { ms: 0, gaps: 1 });
        let mut leased = GroundTruth::default();
        leased.up(0, 1, 15);
        leased.down(0, 1, 32);
        assert_eq!(ground_truth.overlap_with(&leased, (1, 0), 0, 40), 5 + 2);
        assert_eq!(ground_truth.overlap_with(&leased, (1, 0), 16, 31), 4 + 1);
        assert!(ground_truth.ever_before(0, 1, 10) && !ground_truth.ever_before(0, 1, 9));
    }
}
