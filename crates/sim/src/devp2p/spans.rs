/// Spans of time in which something held, in order. Times are virtual, in ms.
#[derive(Debug, Clone, Default)]
pub struct Spans(Vec<Span>);

#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    /// `None` while it holds.
    to: Option<u64>,
}

/// For how long something held within a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Milliseconds in which it held.
    pub ms: u64,
    /// The length of each part in which it did not, in ms, including those at the beginning and at the end.
    pub gaps: Vec<u64>,
}

impl Overlap {
    /// Milliseconds in which it held, and at most `most_ms` of each gap.
    #[must_use]
    pub fn with_gaps(&self, most_ms: u64) -> u64 {
        self.ms + self.gaps.iter().map(|gap| (*gap).min(most_ms)).sum::<u64>()
    }
}

impl Spans {
    /// It holds from `at` on.
    pub fn begin(&mut self, at: u64) {
        if self.0.last().is_none_or(|last| last.to.is_some()) {
            self.0.push(Span { from: at, to: None });
        }
    }

    /// It holds until `at`.
    pub fn end(&mut self, at: u64) {
        if let Some(last) = self.0.last_mut() {
            last.to.get_or_insert(at);
        }
    }

    /// Whether it ever held up to `at`.
    #[must_use]
    pub fn ever_before(&self, at: u64) -> bool {
        self.0.iter().any(|span| span.from <= at)
    }

    /// For how long it held from `from` to `to`.
    #[must_use]
    pub fn overlap(&self, from: u64, to: u64) -> Overlap {
        let mut overlap = Overlap::default();
        let mut reached = from;
        for span in &self.0 {
            let start = span.from.max(from);
            let end = span.to.unwrap_or(u64::MAX).min(to);
            if start < end {
                overlap.ms += end - start;
                overlap.gaps.extend(Some(start - reached).filter(|gap| *gap > 0));
                reached = end;
            }
        }
        overlap.gaps.extend(to.checked_sub(reached).filter(|gap| *gap > 0));
        overlap
    }

    /// For how many milliseconds it held from `from` to `to` while `other` held too.
    #[must_use]
    pub fn overlap_with(&self, other: &Self, from: u64, to: u64) -> u64 {
        other.0.iter().map(|span| self.overlap(span.from.max(from), span.to.unwrap_or(u64::MAX).min(to)).ms).sum()
    }
}
