/// A metric as the docs list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// The name as it is scraped.
    pub name: String,
    /// The type of metric.
    pub kind: MetricKind,
    /// The label and all its values, if it has one.
    pub label: Option<(&'static str, Vec<&'static str>)>,
    /// The help text, without a full stop.
    pub help: &'static str,
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A value that goes up and down.
    Gauge,
    /// A total that only grows, and starts at 0 with each restart.
    Counter,
}

impl MetricKind {
    /// The type as Prometheus calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}
