use std::collections::BTreeMap;

use crate::Gauge;

/// Gauges of one metric that differ by the value of its label, of which one is 1: the state that something is in.
#[derive(Debug, Clone, Default)]
pub struct LabeledGauges(BTreeMap<&'static str, Gauge>);

impl LabeledGauges {
    pub(crate) fn new(gauges: BTreeMap<&'static str, Gauge>) -> Self {
        Self(gauges)
    }

    /// Sets the gauge with this label value to 1 and all others to 0.
    pub fn set_state(&self, value: &str) {
        for (label, gauge) in &self.0 {
            gauge.set(i64::from(*label == value));
        }
    }
}
