use std::collections::BTreeMap;

use crate::Counter;

/// Counters of one metric that differ by the value of its label.
#[derive(Debug, Clone, Default)]
pub struct LabeledCounters(BTreeMap<&'static str, Counter>);

impl LabeledCounters {
    pub(crate) fn new(counters: BTreeMap<&'static str, Counter>) -> Self {
        Self(counters)
    }

    /// Adds one to the counter with this label value; does nothing for a value that the table does not list.
    pub fn inc(&self, value: &str) {
        if let Some(counter) = self.0.get(value) {
            counter.inc();
        }
    }

    /// Returns the label values with their totals.
    pub fn totals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(value, counter)| (*value, counter.get()))
    }

    /// Sets the counter with this label value to a total that is counted elsewhere.
    pub fn set(&self, value: &str, total: u64) {
        if let Some(counter) = self.0.get(value) {
            crate::set_counter(counter, total);
        }
    }
}
