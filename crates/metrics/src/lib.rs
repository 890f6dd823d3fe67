//! Metrics in the text format of Prometheus.
//!
//! A [`MetricTable`] is the source of both `/metrics` and the docs: a metric that is not in it does not exist, and each
//! has a help text. Labels have few values, all known from the start. A node, an address, or the version of a peer is
//! never a label: it would reveal who is a customer of whom, and the number of series would have no limit.
//!
//! Names follow the conventions of Prometheus: a prefix for the program, the unit at the end of the name
//! (`_seconds`, `_gwei`, `_units` of the pool's asset), `_total` for counters.

mod labeled_counters;
mod labeled_gauges;
mod metric_row;
mod metric_table;

pub use labeled_counters::LabeledCounters;
pub use labeled_gauges::LabeledGauges;
pub use metric_row::{MetricKind, MetricRow};
pub use metric_table::{CONTENT_TYPE, MetricTable};
pub use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A gauge of an amount of money, in the largest unit of its asset. It is for graphs and not exact.
pub type AmountGauge = Gauge<f64, AtomicU64>;

/// A counter of seconds with a fraction.
pub type SecondsCounter = Counter<f64, AtomicU64>;

/// Sets a counter to a total that is counted elsewhere. Prometheus takes a falling total for a restart.
pub fn set_counter(counter: &Counter, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}

/// Sets a counter of seconds to a total in milliseconds, as [`set_counter`] does.
pub fn set_seconds(counter: &SecondsCounter, total_ms: u64) {
    // The library keeps the bits of the number.
    counter.inner().store(Duration::from_millis(total_ms).as_secs_f64().to_bits(), Ordering::Relaxed);
}

/// Sets a gauge; a value beyond `i64::MAX` becomes that.
pub fn set_gauge(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
