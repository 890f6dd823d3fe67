use std::collections::BTreeMap;

/// Who was really connected when: written by the model of the nodes, read by the checker.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pairs: BTreeMap<(usize, usize), Vec<Span>>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    /// `None` while it lasts.
    to: Option<u64>,
}

/// How a pair was connected in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Milliseconds connected.
    pub ms: u64,
    /// Stretches without a connection in it, those at its beginning and end included.
    pub gaps: u64,
}

impl Truth {
    /// Both ends stand.
    pub fn up(&mut self, a: usize, b: usize, at: u64) {
        let spans = self.pairs.entry(key(a, b)).or_default();
        if spans.last().is_none_or(|last| last.to.is_some()) {
            spans.push(Span { from: at, to: None });
        }
    }

    /// An end fell.
    pub fn down(&mut self, a: usize, b: usize, at: u64) {
        if let Some(last) = self.pairs.get_mut(&key(a, b)).and_then(|spans| spans.last_mut()) {
            last.to.get_or_insert(at);
        }
    }

    /// Whether they ever were before `at`.
    #[must_use]
    pub fn ever_before(&self, a: usize, b: usize, at: u64) -> bool {
        self.pairs.get(&key(a, b)).is_some_and(|spans| spans.iter().any(|span| span.from <= at))
    }

    /// How they were from `from` to `to`.
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
}

fn key(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_was_connected_and_counts_the_rest() {
        let mut truth = Truth::default();
        truth.up(1, 0, 10);
        truth.down(0, 1, 20);
        truth.up(0, 1, 30);
        assert_eq!(truth.overlap(0, 1, 0, 40), Overlap { ms: 20, gaps: 2 });
        assert_eq!(truth.overlap(0, 1, 10, 20), Overlap { ms: 10, gaps: 0 });
        assert_eq!(truth.overlap(0, 1, 21, 29), Overlap { ms: 0, gaps: 1 });
        assert_eq!(truth.overlap(0, 2, 0, 40), Overlap { ms: 0, gaps: 1 });
        assert!(truth.ever_before(0, 1, 10) && !truth.ever_before(0, 1, 9));
    }
}
