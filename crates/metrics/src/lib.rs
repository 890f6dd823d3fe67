//! Metrics as Prometheus reads them.
//!
//! A [`MetricTable`] is both what is scraped and what the docs are made of: a metric that is not in it does not
//! exist, and one that is has a help text. Labels have few values, all of them known from the start: never a node, an
//! address or a version, which would tell who is a customer of whom and grow without end.

mod labeled_counters;
mod metric_row;
mod metric_table;

pub use labeled_counters::Labelled;
pub use metric_row::{Kind, MetricRow};
pub use metric_table::{CONTENT_TYPE, MetricTable};
pub use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use std::sync::atomic::Ordering;

/// Has a counter show a total that somebody else counts. A total that falls is a restart to Prometheus.
pub fn follow(counter: &Counter, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}

/// Has a gauge show a number; one beyond its range is the greatest that it can show.
pub fn show(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
