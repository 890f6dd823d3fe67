//! An agent's metrics for Prometheus: the values ([`AgentMetrics`]) and the HTTP server that serves them
//! ([`MetricsServer`]). The crate `metrics` defines the table and its format.
//!
//! Uses only the clock and the counts of the agent core. What is counted is decided in the core, not here.

mod agent_metrics;
mod metrics_server;

pub use agent_metrics::AgentMetrics;
pub use metrics_server::MetricsServer;
