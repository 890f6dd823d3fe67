/// What a metric is called and means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// As it is scraped.
    pub name: String,
    /// How it moves.
    pub kind: Kind,
    /// Its label and all values of it, where it has one.
    pub label: Option<(&'static str, Vec<&'static str>)>,
    /// What it says, without a full stop.
    pub help: &'static str,
}

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Up and down.
    Gauge,
    /// Up, and to 0 with a restart.
    Counter,
}

impl Kind {
    /// In Prometheus' word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}
