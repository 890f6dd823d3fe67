//! An agent's metrics for Prometheus: the values ([`AgentMetrics`]) and the HTTP server that serves them
//! ([`MetricsServer`]). The crate `metrics` defines the table and its format.

mod agent_metrics;
mod metrics_server;

pub use agent_metrics::AgentMetrics;
pub use metrics_server::MetricsServer;
