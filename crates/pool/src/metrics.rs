use std::sync::Arc;

use vipnode_metrics::{Counter, Gauge, Labelled, MetricRow, MetricTable, follow, show};
use vipnode_pool_core::{Counters, Gauges};
use vipnode_types::wire::EvictReason;

/// What `/metrics` shows, in the text format of Prometheus. Cheap to clone; all clones count together.
#[derive(Debug, Clone)]
pub struct PoolMetrics(Arc<Metrics>);

/// How a pool is, at a glance. Numbers of the core are up to a tick of it old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolGlance {
    /// Connected hosts.
    pub hosts: u64,
    /// Connected clients.
    pub clients: u64,
    /// Leases of any state.
    pub leases: u64,
    /// Leases that both sides saw.
    pub running: u64,
    /// Places that could be given away now.
    pub free_places: u64,
    /// Clients that want more hosts.
    pub waiting: u64,
    /// Requests of agents since the start.
    pub requests: u64,
}

/// Why a host let nobody in.
pub(crate) const REFUSED: &str = "refused";
pub(crate) const EXPIRED: &str = "expired";
pub(crate) const LOST: &str = "lost";

const WEI_A_GWEI: u128 = 1_000_000_000;

#[derive(Debug)]
pub(crate) struct Metrics {
    table: MetricTable,
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
    core: CoreCounters,
    /// By how a host's call ended.
    pub(crate) admit_failures: Labelled,
}

/// One thing that a gauge counts for as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn by(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the core counts.
#[derive(Debug)]
struct CoreCounters {
    refused_connects: Counter,
    admits: Counter,
    paired: Counter,
    ended: Labelled,
    silences: Counter,
    metered_s: Counter,
    metered_gwei: Counter,
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

    /// What each of them means.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        self.0.table.rows()
    }

    /// How the pool is now. Costs no more than reading these numbers.
    #[must_use]
    pub fn glance(&self) -> PoolGlance {
        let metrics = &*self.0;
        let number = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        PoolGlance {
            hosts: number(&metrics.hosts),
            clients: number(&metrics.clients),
            leases: number(&metrics.leases),
            running: number(&metrics.running),
            free_places: number(&metrics.free_places),
            waiting: number(&metrics.hungry),
            requests: metrics.requests.get(),
        }
    }

    pub(crate) fn shared(&self) -> Arc<Metrics> {
        Arc::clone(&self.0)
    }
}

impl Metrics {
    fn new() -> Self {
        let mut table = MetricTable::new("vipnode_pool");
        let mut gauge = |name, help| table.gauge(name, help);
        let sockets = gauge("sockets", "Sockets that are open");
        let tls_expires = gauge(
            "tls_certificate_expiry_timestamp_seconds",
            "When the pool's certificate ends, in seconds since 1970; 0 without one",
        );
        let queue = gauge("queue", "Commands that wait for the pool's core");
        let nodes = gauge("nodes", "Nodes remembered");
        let connected = gauge("agents", "Agents with a connection");
        let hosts = gauge("hosts", "Connected hosts");
        let clients = gauge("clients", "Connected clients");
        let leases = gauge("leases", "Leases of any state");
        let running = gauge("leases_running", "Leases that both sides saw");
        let free_places = gauge("free_places", "Places that could be given away now");
        let hungry = gauge("hungry_clients", "Clients that want more hosts");
        let pending_asks = gauge("pending_asks", "Requests for hosts that wait for a yes");
        let core = CoreCounters::new(&mut table);
        let admit_failures = table.counters(
            "admit_failures",
            "Calls to hosts to let a client in that failed: the host refused, did not answer in time, or its \
             connection was lost",
            "reason",
            [REFUSED, EXPIRED, LOST],
        );
        let mut counter = |name, help| table.counter(name, help);
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
            core,
            admit_failures,
            table,
        }
    }

    /// Shows what the core has and counts.
    pub(crate) fn show(&self, gauges: &Gauges, counters: &Counters) {
        self.core.show(counters);
        for (gauge, value) in [
            (&self.nodes, gauges.nodes),
            (&self.connected, gauges.connected),
            (&self.hosts, gauges.hosts),
            (&self.clients, gauges.clients),
            (&self.leases, gauges.leases),
            (&self.running, gauges.running),
            (&self.free_places, gauges.free_slots),
            (&self.hungry, gauges.waiting),
            (&self.pending_asks, gauges.pending_asks),
        ] {
            show(gauge, value);
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self) -> String {
        self.table.text()
    }
}

impl CoreCounters {
    fn new(table: &mut MetricTable) -> Self {
        let reasons = EvictReason::ALL.map(EvictReason::name);
        let refused_connects = table.counter("connects_refused", "Connects of agents that were refused");
        let admits = table.counter("admits", "Hosts that let a client in when asked");
        let paired = table.counter("leases_paired", "Leases that both sides came to see");
        let ended = table.counters("leases_ended", "Leases that ended", "reason", reasons);
        let silences = table.counter("silences", "Agents that fell silent");
        let metered_s = table.counter("metered_seconds", "Time that both sides saw, of rows of the meter that ended");
        let metered_gwei = table.counter("metered_gwei", "What that time costs");
        Self { refused_connects, admits, paired, ended, silences, metered_s, metered_gwei }
    }

    fn show(&self, counters: &Counters) {
        follow(&self.refused_connects, counters.refused_connects);
        follow(&self.admits, counters.admitted);
        follow(&self.paired, counters.paired);
        for (reason, total) in counters.ended() {
            self.ended.follow(reason.name(), total);
        }
        follow(&self.silences, counters.silences);
        follow(&self.metered_s, counters.metered_ms / 1_000);
        let gwei = counters.metered_cost.get() / WEI_A_GWEI;
        follow(&self.metered_gwei, u64::try_from(gwei).unwrap_or(u64::MAX));
    }
}
