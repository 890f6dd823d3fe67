use std::collections::BTreeMap;

use crate::Counter;

/// Counters that differ by the value of one label.
#[derive(Debug, Clone, Default)]
pub struct Labelled(BTreeMap<&'static str, Counter>);

impl Labelled {
    pub(crate) fn new(counters: BTreeMap<&'static str, Counter>) -> Self {
        Self(counters)
    }

    /// Counts one of that value; a value that is not in the table is not counted.
    pub fn inc(&self, value: &str) {
        if let Some(counter) = self.0.get(value) {
            counter.inc();
        }
    }

    /// Has the counter of that value show a total that somebody else counts.
    pub fn follow(&self, value: &str, total: u64) {
        if let Some(counter) = self.0.get(value) {
            crate::follow(counter, total);
        }
    }
}
