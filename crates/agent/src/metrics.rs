use std::sync::Arc;

use vipnode_agent_core::{AdmitFailure, AgentCore};
use vipnode_metrics::{Counter, Gauge, Labelled, MetricRow, MetricTable, follow, show};
use vipnode_types::{Ms, wire::EvictReason};

use crate::clock;

/// What an agent shows to whoever watches it, in numbers. Cheap to clone; all clones show the same.
#[derive(Debug, Clone)]
pub struct AgentMetrics(Arc<Metrics>);

#[derive(Debug)]
struct Metrics {
    table: MetricTable,
    pool_connected: Gauge,
    node_up: Gauge,
    own_peers: Gauge,
    reserve: Gauge,
    places_offered: Gauge,
    places_sold: Gauge,
    places_free: Gauge,
    clients: Gauge,
    hosts_wanted: Gauge,
    hosts: Gauge,
    trusted_without_lease: Gauge,
    head_block: Gauge,
    head_timestamp: Gauge,
    last_client: Gauge,
    admits: Counter,
    admit_failures: Labelled,
    evictions: Labelled,
    hosts_failed: Counter,
    strangers_dropped: Counter,
    pool_losses: Counter,
}

impl Default for AgentMetrics {
    fn default() -> Self {
        Self(Arc::new(Metrics::new()))
    }
}

impl AgentMetrics {
    /// Everything as it is now, in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.table.text()
    }

    /// What each of them means.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        self.0.table.rows()
    }

    /// Shows what the mind has and counts.
    pub(crate) fn show(&self, core: &AgentCore) {
        self.0.show_gauges(core);
        self.0.show_counters(core);
    }
}

impl Metrics {
    fn new() -> Self {
        let mut table = MetricTable::new("vipnode_agent");
        let mut gauge = |name, help| table.gauge(name, help);
        let metrics = Self {
            pool_connected: gauge("pool_connected", "1 while the pool has taken the agent and the connection stands"),
            node_up: gauge("node_up", "1 while the node answers"),
            own_peers: gauge("own_peers", "Connected peers of the node that no lease brought"),
            reserve: gauge("reserved_places", "Places of the node kept for its own peers, --reserve; 0 on a client"),
            places_offered: gauge("places_offered", "Places offered in all; 0 while none are, for example out of sync"),
            places_sold: gauge("places_sold", "Places held by clients, those being undone included"),
            places_free: gauge("places_free", "Places offered that nobody holds"),
            clients: gauge("clients_connected", "Clients with a lease that the node is connected to"),
            hosts_wanted: gauge("hosts_wanted", "Hosts wanted: --min-peers of a pool, and those that were named"),
            hosts: gauge("hosts_connected", "Hosts with a lease that the node is connected to"),
            trusted_without_lease: gauge(
                "trusted_without_lease",
                "Nodes that the agent had its node trust, and that are still trusted though their lease is over",
            ),
            head_block: gauge("head_block", "Number of the node's newest block; 0 before it was told"),
            head_timestamp: gauge(
                "head_timestamp_seconds",
                "When the node's newest block was made, in seconds since 1970; 0 before it was told",
            ),
            last_client: gauge(
                "last_client_timestamp_seconds",
                "When a client was last connected, in seconds since 1970; the agent's start before the first",
            ),
            admits: table.counter("admits", "Clients let in when the pool asked for it"),
            admit_failures: table.counters(
                "admit_failures",
                "Clients not let in when the pool asked for it",
                "reason",
                AdmitFailure::ALL.map(AdmitFailure::name),
            ),
            evictions: table.counters(
                "evictions",
                "Clients whose lease ended and was undone",
                "reason",
                EvictReason::ALL.map(EvictReason::name),
            ),
            hosts_failed: table.counter("hosts_failed", "Hosts given by the pool that were of no use, or no longer"),
            strangers_dropped: table
                .counter("strangers_dropped", "Peers on no lease that were disconnected, --strict-peers"),
            pool_losses: table.counter("pool_losses", "Connections to the pool that ended after it took the agent"),
            table,
        };
        show(&metrics.last_client, seconds(clock::wall()));
        metrics
    }

    fn show_gauges(&self, core: &AgentCore) {
        let now = core.gauges();
        for (gauge, value) in [
            (&self.pool_connected, u32::from(now.pool_connected)),
            (&self.node_up, u32::from(now.node_up)),
            (&self.own_peers, now.own_peers),
            (&self.reserve, now.reserve),
            (&self.places_offered, now.places_offered),
            (&self.places_sold, now.places_sold),
            (&self.places_free, now.places_free),
            (&self.clients, now.clients_connected),
            (&self.hosts_wanted, now.hosts_wanted),
            (&self.hosts, now.hosts_connected),
            (&self.trusted_without_lease, now.trusted_without_lease),
        ] {
            gauge.set(i64::from(value));
        }
        // What a node told stays true while it is away: its newest block grows old.
        if let Some(head) = now.head {
            show(&self.head_block, head.number);
            show(&self.head_timestamp, head.timestamp_s);
        }
        if let Some(last) = now.last_client {
            show(&self.last_client, seconds(last));
        }
    }

    fn show_counters(&self, core: &AgentCore) {
        let counters = core.counters();
        follow(&self.admits, counters.admits);
        follow(&self.hosts_failed, counters.hosts_failed);
        follow(&self.strangers_dropped, counters.strangers_dropped);
        follow(&self.pool_losses, counters.pool_losses);
        for (why, total) in counters.admit_failures() {
            self.admit_failures.follow(why.name(), total);
        }
        for (why, total) in counters.evictions() {
            self.evictions.follow(why.name(), total);
        }
    }
}

const fn seconds(moment: Ms) -> u64 {
    moment.get() / 1_000
}
