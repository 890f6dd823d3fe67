use std::sync::Arc;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use vipnode_core::Gauges;

/// What `/metrics` shows, in the text format of Prometheus. Cheap to clone; all clones count together.
#[derive(Debug, Clone)]
pub struct PoolMetrics(Arc<Metrics>);

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) sockets: Gauge,
    pub(crate) opened: Counter,
    pub(crate) refused: Counter,
    pub(crate) unauthenticated: Counter,
    pub(crate) tls_failed: Counter,
    pub(crate) tls_expires: Gauge,
    pub(crate) requests: Counter,
    pub(crate) errors: Counter,
    pub(crate) too_fast: Counter,
    pub(crate) calls: Counter,
    pub(crate) calls_failed: Counter,
    pub(crate) overflows: Counter,
    pub(crate) dropped_answers: Counter,
    pub(crate) queue: Gauge,
    pub(crate) commits: Counter,
    pub(crate) rebuilds: Counter,
    nodes: Gauge,
    connected: Gauge,
    hosts: Gauge,
    clients: Gauge,
    leases: Gauge,
    running: Gauge,
    free_places: Gauge,
    hungry: Gauge,
    pending_asks: Gauge,
}

impl Default for PoolMetrics {
    fn default() -> Self {
        Self(Arc::new(Metrics::new()))
    }
}

impl PoolMetrics {
    /// The text of `/metrics`.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text()
    }

    pub(crate) fn shared(&self) -> Arc<Metrics> {
        Arc::clone(&self.0)
    }
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("vipnode_pool");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let sockets = gauge("sockets", "Sockets that are open");
        let tls_expires = gauge(
            "tls_certificate_expires_seconds",
            "When the pool's certificate ends, in seconds since 1970; 0 without one",
        );
        let queue = gauge("queue", "Commands that wait for the pool's mind");
        let nodes = gauge("nodes", "Nodes remembered");
        let connected = gauge("agents", "Agents with a connection");
        let hosts = gauge("hosts", "Connected hosts");
        let clients = gauge("clients", "Connected clients");
        let leases = gauge("leases", "Leases of any state");
        let running = gauge("leases_running", "Leases that both sides saw");
        let free_places = gauge("free_places", "Places that could be given away now");
        let hungry = gauge("hungry_clients", "Clients that want more hosts");
        let pending_asks = gauge("pending_asks", "Requests for hosts that wait for a yes");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        Self {
            opened: counter("sockets_opened", "Sockets taken"),
            refused: counter("sockets_refused", "Sockets refused at a limit"),
            unauthenticated: counter("sockets_unauthenticated", "Sockets closed because they never said who they are"),
            tls_failed: counter("tls_handshakes_failed", "Sockets closed because their TLS handshake failed"),
            requests: counter("requests", "Requests of agents"),
            errors: counter("request_errors", "Requests answered with an error"),
            too_fast: counter("requests_too_fast", "Requests beyond the rate of their socket"),
            calls: counter("calls", "Calls to agents"),
            calls_failed: counter("calls_failed", "Calls to agents that were refused, lost or expired"),
            overflows: counter("overflows", "Sockets closed because their queue was full"),
            dropped_answers: counter("dropped_answers", "Answers of agents that nobody waited for"),
            commits: counter("commits", "Batches made durable"),
            rebuilds: counter("rebuilds", "Times that the pool's state was rebuilt from the store"),
            sockets,
            tls_expires,
            queue,
            nodes,
            connected,
            hosts,
            clients,
            leases,
            running,
            free_places,
            hungry,
            pending_asks,
            registry,
        }
    }

    pub(crate) fn show(&self, gauges: &Gauges) {
        for (gauge, value) in [
            (&self.nodes, gauges.nodes),
            (&self.connected, gauges.connected),
            (&self.hosts, gauges.hosts),
            (&self.clients, gauges.clients),
            (&self.leases, gauges.leases),
            (&self.running, gauges.running),
            (&self.free_places, gauges.free_places),
            (&self.hungry, gauges.hungry),
            (&self.pending_asks, gauges.pending_asks),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string fails never.
        let _infallible = encode(&mut text, &self.registry);
        text
    }
}
