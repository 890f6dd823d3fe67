use std::sync::Arc;

use vipnode_agent_core::{AdmitFailure, AgentCore, PoolState};
use vipnode_metrics::{
    AmountGauge, Counter, Gauge, LabeledCounters, LabeledGauges, MetricRow, MetricTable, SecondsCounter, set_counter,
    set_gauge, set_seconds,
};
use vipnode_types::{
    Ms,
    wire::{EvictReason, NodeFunds},
};

use crate::clock;

/// The metrics of an agent. Cheap to clone; all clones share their numbers.
#[derive(Debug, Clone)]
pub struct AgentMetrics(Arc<Metrics>);

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Values of the label `side`: what this agent is in the leases.
const SIDES: [&str; 2] = ["host", "client"];

#[derive(Debug)]
struct Metrics {
    table: MetricTable,
    pool_connected: Gauge,
    pool_state: LabeledGauges,
    node_up: Gauge,
    own_peers: Gauge,
    reserved_slots: Gauge,
    offered_slots: Gauge,
    sold_slots: Gauge,
    free_slots: Gauge,
    connected_clients: Gauge,
    wanted_hosts: Gauge,
    connected_hosts: Gauge,
    trusted_without_lease: Gauge,
    head_block_number: Gauge,
    head_timestamp: Gauge,
    last_client: Gauge,
    delegation_expiry: Gauge,
    funds: FundsGauges,
    events: EventCounters,
}

/// What the pool knows of the node's money.
#[derive(Debug)]
struct FundsGauges {
    available: AmountGauge,
    earned: AmountGauge,
    payable: AmountGauge,
}

/// What happened since the agent started.
#[derive(Debug)]
struct EventCounters {
    lease_time: LabeledCounters,
    hosts_connected: Counter,
    hosts_connect_time: SecondsCounter,
    admits: Counter,
    admit_failures: LabeledCounters,
    evictions: LabeledCounters,
    hosts_failed: Counter,
    unleased_peers_disconnected: Counter,
    pool_losses: Counter,
}

impl Default for AgentMetrics {
    fn default() -> Self {
        Self(Arc::new(Metrics::new()))
    }
}

impl AgentMetrics {
    /// All metrics as they are now, in the text format of Prometheus.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.table.text()
    }

    /// The name, type, labels and help text of each metric.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        self.0.table.rows()
    }

    /// Shows when the delegation to this agent expires.
    pub(crate) fn delegated(&self, expires: Ms) {
        set_gauge(&self.0.delegation_expiry, seconds(expires));
    }

    /// Shows what the pool reports of the node's money.
    pub(crate) fn show_funds(&self, funds: &NodeFunds) {
        let gauges = &self.0.funds;
        for (gauge, amount) in [
            (&gauges.available, funds.funds.available),
            (&gauges.earned, funds.earned),
            (&gauges.payable, funds.payable),
        ] {
            gauge.set(funds.asset.approximate(amount));
        }
    }

    /// Sets the metrics to the numbers of the agent core.
    pub(crate) fn show(&self, core: &AgentCore) {
        self.0.show_gauges(core);
        self.0.events.show(core);
    }
}

impl Metrics {
    fn new() -> Self {
        let mut table = MetricTable::new("vipnode_agent");
        let help = "1 for the current state of the connection to the pool, otherwise 0";
        let pool_state = table.states("pool_state", help, "state", PoolState::ALL.map(PoolState::name));
        table
            .states("build_info", "Always 1; the label is the version of vipnode", "version", [VERSION])
            .set_state(VERSION);
        let funds = FundsGauges::new(&mut table);
        let mut gauge = |name, help| table.gauge(name, help);
        let metrics = Self {
            pool_connected: gauge(
                "pool_connected",
                "1 while the agent is connected to the pool and authenticated, otherwise 0",
            ),
            pool_state,
            node_up: gauge("node_up", "1 while the node responds, otherwise 0"),
            own_peers: gauge("own_peers", "Connected peers of the node that do not have a lease"),
            reserved_slots: gauge(
                "reserved_slots",
                "Peer slots kept for the node's own peers (--reserve); 0 on a client",
            ),
            offered_slots: gauge(
                "offered_slots",
                "Total number of slots offered; 0 while no slots are offered, for example while the node is out of \
                 sync",
            ),
            sold_slots: gauge("sold_slots", "Slots held by clients, including leases that are being undone"),
            free_slots: gauge("free_slots", "Offered slots that no client holds"),
            connected_clients: gauge("connected_clients", "Connected clients that have a lease"),
            wanted_hosts: gauge(
                "wanted_hosts",
                "Hosts wanted: --min-peers from a pool, plus those that the user named",
            ),
            connected_hosts: gauge("connected_hosts", "Connected hosts that have a lease"),
            trusted_without_lease: gauge(
                "trusted_peers_without_lease",
                "Peers that the node still trusts because of the agent, although their lease has ended",
            ),
            head_block_number: gauge("head_block_number", "Number of the node's newest block; 0 until it is known"),
            head_timestamp: gauge(
                "head_timestamp_seconds",
                "Timestamp of the node's newest block, in seconds since 1970; 0 until it is known",
            ),
            last_client: gauge(
                "last_client_timestamp_seconds",
                "Time at which a client was last connected, in seconds since 1970; the agent's start time until a \
                 client connects",
            ),
            delegation_expiry: gauge(
                "delegation_expiry_timestamp_seconds",
                "Time at which the node key's delegation to this agent expires, in seconds since 1970; 0 without one",
            ),
            funds,
            events: EventCounters::new(&mut table),
            table,
        };
        set_gauge(&metrics.last_client, seconds(clock::wall()));
        metrics
    }

    fn show_gauges(&self, core: &AgentCore) {
        let now = core.gauges();
        self.pool_state.set_state(now.pool_state.name());
        for (gauge, value) in [
            (&self.pool_connected, u32::from(now.pool_connected)),
            (&self.node_up, u32::from(now.node_up)),
            (&self.own_peers, now.own_peers),
            (&self.reserved_slots, now.reserve),
            (&self.offered_slots, now.slots_offered),
            (&self.sold_slots, now.slots_sold),
            (&self.free_slots, now.slots_free),
            (&self.connected_clients, now.clients_connected),
            (&self.wanted_hosts, now.hosts_wanted),
            (&self.connected_hosts, now.hosts_connected),
            (&self.trusted_without_lease, now.trusted_without_lease),
        ] {
            gauge.set(i64::from(value));
        }
        // The last values stay while the node does not answer: its newest block grows old.
        if let Some(head) = now.head {
            set_gauge(&self.head_block_number, head.number);
            set_gauge(&self.head_timestamp, head.timestamp_s);
        }
        for (side, ms) in SIDES.into_iter().zip([now.clients_seen_ms, now.hosts_seen_ms]) {
            self.events.lease_time.set(side, ms / 1_000);
        }
        if let Some(last) = now.last_client {
            set_gauge(&self.last_client, seconds(last));
        }
    }
}

impl FundsGauges {
    fn new(table: &mut MetricTable) -> Self {
        let mut amount = |name, help| table.amount(name, help);
        Self {
            available: amount(
                "available_units",
                "What the account that is linked to the node can still spend at the pool, in units of the pool's asset, \
                 such as USDC; 0 until the pool reports it",
            ),
            earned: amount(
                "earned_units",
                "What the host's payout account has earned at the pool, before fees, in units of the pool's asset; 0 until \
                 the pool reports it",
            ),
            payable: amount(
                "payable_units",
                "What the pool's operator has to pay out to the host's payout account, in units of the pool's asset; 0 until \
                 the pool reports it",
            ),
        }
    }
}

impl EventCounters {
    fn new(table: &mut MetricTable) -> Self {
        Self {
            lease_time: table.counters(
                "lease_seconds",
                "Time for which leased peers were connected, summed over all leases, as this agent measured it. The pool \
                 meters the part that both sides reported",
                "side",
                SIDES,
            ),
            hosts_connected: table.counter("host_connects", "Hosts from the pool that connected"),
            hosts_connect_time: table.seconds(
                "host_connect_seconds",
                "Time from the assignment of a host to its connection, summed over the hosts in \
                 vipnode_agent_host_connects_total",
            ),
            admits: table.counter("admits", "Clients admitted at the pool's request"),
            admit_failures: table.counters(
                "admit_failures",
                "Clients that the pool asked the agent to admit and that were not admitted",
                "reason",
                AdmitFailure::ALL.map(AdmitFailure::name),
            ),
            evictions: table.counters(
                "evictions",
                "Clients evicted because their lease ended",
                "reason",
                EvictReason::ALL.map(EvictReason::name),
            ),
            hosts_failed: table.counter("host_failures", "Hosts from the pool that did not connect, or disconnected"),
            unleased_peers_disconnected: table.counter(
                "unleased_peers_disconnected",
                "Peers without a lease that were disconnected (--strict-peers)",
            ),
            pool_losses: table.counter("pool_disconnects", "Authenticated connections to the pool that ended"),
        }
    }

    fn show(&self, core: &AgentCore) {
        let counters = core.counters();
        set_counter(&self.admits, counters.admits);
        set_counter(&self.hosts_connected, counters.hosts_connected);
        set_seconds(&self.hosts_connect_time, counters.hosts_connect_ms);
        set_counter(&self.hosts_failed, counters.hosts_failed);
        set_counter(&self.unleased_peers_disconnected, counters.unleased_peers_disconnected);
        set_counter(&self.pool_losses, counters.pool_losses);
        for (why, total) in counters.admit_failures() {
            self.admit_failures.set(why.name(), total);
        }
        for (why, total) in counters.evictions() {
            self.evictions.set(why.name(), total);
        }
    }
}

const fn seconds(moment: Ms) -> u64 {
    moment.get() / 1_000
}
