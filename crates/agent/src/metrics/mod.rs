//! An agent's numbers for Prometheus: the values ([`AgentMetrics`]) and the HTTP server that shows them
//! ([`MetricsServer`]). What the values mean is declared in the crate `metrics`.

mod agent_metrics;
mod metrics_server;

pub use agent_metrics::AgentMetrics;
pub use metrics_server::MetricsServer;
