use std::collections::BTreeMap;

use vipnode_types::{Amount, MeterId, PoolId, UtcDay, wire::DailyStatement};

/// Finds billing periods that take the same part of a payer's meter. A pool that signed two such periods in one incarnation
/// billed the same funds twice.
#[derive(Debug, Default)]
pub(crate) struct MeterOverlaps {
    intervals: BTreeMap<(PoolId, u64, MeterId), Vec<Interval>>,
}

/// A part of a meter, from the first amount up to the second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Interval {
    from: Amount,
    to: Amount,
    entry: u64,
    day: UtcDay,
}

/// Overlaps that are shown.
const SHOWN: usize = 20;

impl MeterOverlaps {
    /// Adds the lines of a page whose signature is valid.
    pub(crate) fn add(&mut self, page: &DailyStatement) {
        for line in &page.lines {
            let [from, to] = line.interval;
            if from < to {
                let of = (page.pool, page.incarnation, line.meter);
                self.intervals.entry(of).or_default().push(Interval { from, to, entry: line.entry, day: page.day });
            }
        }
    }

    /// The overlaps that were found, as sentences.
    pub(crate) fn found(mut self) -> Vec<String> {
        let mut found = Vec::new();
        for ((pool, _, meter), intervals) in &mut self.intervals {
            intervals.sort_unstable();
            let mut farthest: Option<Interval> = None;
            for next in &*intervals {
                // The same entry is on two statements if the pool has two URLs.
                let before = farthest.filter(|before| before.to > next.from && before.entry != next.entry);
                if let Some(before) = before {
                    found.push(format!(
                        "The pool {} billed the same funds twice: the intervals of entry {} ({}) and entry {} ({}) overlap on \
                         meter {meter}",
                        pool.short(),
                        before.entry,
                        before.day,
                        next.entry,
                        next.day
                    ));
                }
                if farthest.is_none_or(|before| next.to > before.to) {
                    farthest = Some(*next);
                }
            }
        }
        found.truncate(SHOWN);
        found
    }
}
