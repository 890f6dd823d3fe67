use std::sync::Arc;

use vipnode_metrics::{
    AmountGauge, Counter, Gauge, LabeledCounters, LabeledGauges, MetricRow, MetricTable, set_counter, set_gauge,
};
use vipnode_pool_core::{Counters, EpochStep, Gauges};
use vipnode_types::{
    Amount, Asset,
    wire::{ErrorCode, EvictReason, WireError},
};

use crate::RefusalCount;

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
    /// By their code.
    errors: LabeledCounters,
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
    free_slots: Gauge,
    waiting: Gauge,
    pending_asks: Gauge,
    core: CoreCounters,
    money: LedgerGauges,
    epoch: EpochMetrics,
    /// By why the call to the host failed.
    pub(crate) admit_failures: LabeledCounters,
}

/// The metrics of a pool, which it serves at `/metrics`. Cheap to clone; all clones share their numbers.
#[derive(Debug, Clone)]
pub struct PoolMetrics(Arc<Metrics>);

/// The main numbers of a pool. Those of the pool core are up to one of its ticks old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSummary {
    /// Connected hosts.
    pub hosts: u64,
    /// Connected clients.
    pub clients: u64,
    /// Leases of any state.
    pub leases: u64,
    /// Leases whose two sides have seen each other.
    pub running: u64,
    /// Slots that could be leased now.
    pub free_slots: u64,
    /// Clients that want more hosts.
    pub waiting: u64,
    /// Requests from agents since the start.
    pub requests: u64,
}

/// Why a call to a host to admit a client failed: values of the label `reason`.
pub(crate) const REFUSED: &str = "refused";
pub(crate) const EXPIRED: &str = "expired";
pub(crate) const LOST: &str = "lost";

const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// The sums of the ledger.
#[derive(Debug)]
struct LedgerGauges {
    received: AmountGauge,
    paid_out: AmountGauge,
    fees: AmountGauge,
    billed: AmountGauge,
    owed: AmountGauge,
    payable: AmountGauge,
}

/// The epoch in which the pool claims.
#[derive(Debug)]
struct EpochMetrics {
    step: LabeledGauges,
    problem: Gauge,
    finished: Gauge,
    gas: AmountGauge,
}

/// The counters of the pool core.
#[derive(Debug)]
struct CoreCounters {
    refused_connects: Counter,
    admits: Counter,
    paired: Counter,
    ended: LabeledCounters,
    silences: Counter,
    metered_s: Counter,
    metered: AmountGauge,
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

    /// The name, type, labels and help text of each metric.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        self.0.table.rows()
    }

    /// The main numbers as they are now.
    #[must_use]
    pub fn summary(&self) -> PoolSummary {
        let metrics = &*self.0;
        let number = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        PoolSummary {
            hosts: number(&metrics.hosts),
            clients: number(&metrics.clients),
            leases: number(&metrics.leases),
            running: number(&metrics.running),
            free_slots: number(&metrics.free_slots),
            waiting: number(&metrics.waiting),
            requests: metrics.requests.get(),
        }
    }

    /// Returns how many requests and connections the pool refused since its start, by reason: the codes of errors, and
    /// the
    /// limits of connections.
    #[must_use]
    pub fn refusals(&self) -> Vec<RefusalCount> {
        let metrics = &*self.0;
        let connections = [
            RefusalCount::of_connections("connections over a limit", "over a connection limit", metrics.refused.get()),
            RefusalCount::of_connections(
                "connections without authentication",
                "without authentication",
                metrics.unauthenticated.get(),
            ),
            RefusalCount::of_connections(
                "failed TLS handshakes",
                "with a failed TLS handshake",
                metrics.tls_failed.get(),
            ),
        ];
        let code = |name| ErrorCode::ALL.iter().copied().find(|code| code.name() == name);
        let requests = metrics.errors.totals().filter_map(|(name, total)| Some((code(name)?, total)));
        requests.map(|(code, total)| RefusalCount::of_code(code, total)).chain(connections).collect()
    }

    pub(crate) fn shared(&self) -> Arc<Metrics> {
        Arc::clone(&self.0)
    }
}

impl Metrics {
    fn new() -> Self {
        let mut table = MetricTable::new("vipnode_pool");
        table
            .states("build_info", "Always 1; the label is the version of vipnode", "version", [VERSION])
            .set_state(VERSION);
        let mut gauge = |name, help| table.gauge(name, help);
        let sockets = gauge("open_sockets", "Open sockets");
        let tls_expires = gauge(
            "tls_certificate_expiry_timestamp_seconds",
            "Expiry time of the pool's certificate, in seconds since 1970; 0 without one",
        );
        let queue = gauge("queued_commands", "Commands waiting for the pool core");
        let nodes = gauge("known_nodes", "Nodes that the pool remembers");
        let connected = gauge("connected_agents", "Connected agents");
        let hosts = gauge("connected_hosts", "Connected hosts");
        let clients = gauge("connected_clients", "Connected clients");
        let leases = gauge("leases", "Leases in any state");
        let running = gauge("running_leases", "Leases that have been paired");
        let free_slots = gauge("free_slots", "Slots that could be leased now");
        let waiting = gauge("waiting_clients", "Clients waiting for more hosts");
        let pending_asks = gauge("pending_asks", "Requests for hosts waiting for a host to admit the client");
        let core = CoreCounters::new(&mut table);
        let money = LedgerGauges::new(&mut table);
        let epoch = EpochMetrics::new(&mut table);
        let admit_failures = admit_failures(&mut table);
        let codes = ErrorCode::ALL.iter().map(|code| code.name());
        let errors = table.counters("request_errors", "Requests answered with an error", "code", codes);
        let mut counter = |name, help| table.counter(name, help);
        Self {
            opened: counter("sockets_opened", "Sockets accepted"),
            refused: counter("sockets_rejected", "Sockets rejected because a limit was reached"),
            unauthenticated: counter(
                "sockets_unauthenticated",
                "Sockets closed because they did not authenticate in time",
            ),
            tls_failed: counter("tls_handshake_failures", "Sockets closed because their TLS handshake failed"),
            requests: counter("requests", "Requests from agents"),
            errors,
            too_fast: counter(
                "requests_rate_limited",
                "Requests rejected because they exceeded the rate of their socket or address block",
            ),
            calls: counter("calls", "Calls to agents"),
            calls_failed: counter("call_failures", "Calls to agents that were refused, were lost, or expired"),
            overflows: counter("socket_queue_overflows", "Sockets closed because their send queue was full"),
            dropped_answers: counter("unexpected_answers", "Responses from agents to calls that are not pending"),
            commits: counter("store_commits", "Batches committed to the store"),
            rebuilds: counter("state_rebuilds", "Times the pool rebuilt its state from the store"),
            sockets,
            tls_expires,
            queue,
            nodes,
            connected,
            hosts,
            clients,
            leases,
            running,
            free_slots,
            waiting,
            pending_asks,
            core,
            money,
            epoch,
            admit_failures,
            table,
        }
    }

    /// Sets the metrics to the numbers of the pool core, which charges in this asset.
    pub(crate) fn show(&self, gauges: &Gauges, counters: &Counters, asset: Asset) {
        self.core.show(counters, asset);
        self.epoch.show(gauges);
        for (gauge, amount) in [
            (&self.money.received, gauges.received),
            (&self.money.paid_out, gauges.paid_out),
            (&self.money.fees, gauges.fees),
            (&self.money.billed, gauges.billed),
            (&self.money.owed, gauges.owed),
            (&self.money.payable, gauges.payable),
        ] {
            gauge.set(asset.approximate(amount));
        }
        for (gauge, value) in [
            (&self.nodes, gauges.nodes),
            (&self.connected, gauges.connected),
            (&self.hosts, gauges.hosts),
            (&self.clients, gauges.clients),
            (&self.leases, gauges.leases),
            (&self.running, gauges.running),
            (&self.free_slots, gauges.free_slots),
            (&self.waiting, gauges.waiting),
            (&self.pending_asks, gauges.pending_asks),
        ] {
            set_gauge(gauge, value);
        }
    }

    /// Counts an answer with an error.
    pub(crate) fn count_error(&self, error: &WireError) {
        let code = ErrorCode::ALL.iter().find(|code| error.is(**code));
        self.errors.inc(code.unwrap_or(&ErrorCode::Server).name());
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self) -> String {
        self.table.text()
    }
}

fn admit_failures(table: &mut MetricTable) -> LabeledCounters {
    table.counters(
        "admit_failures",
        "Failed calls to hosts to admit a client: the host refused, did not answer in time, or lost its connection",
        "reason",
        [REFUSED, EXPIRED, LOST],
    )
}

impl LedgerGauges {
    fn new(table: &mut MetricTable) -> Self {
        let mut amount = |name, help| table.amount(name, help);
        Self {
            received: amount(
                "received_units",
                "What payers paid, less what the operator returned to them, in units of the pool's asset, such as USDC",
            ),
            paid_out: amount(
                "paid_out_units",
                "What the operator paid out to hosts, in units of the pool's asset, such as USDC",
            ),
            fees: amount("fee_units", "The operator's fees, in units of the pool's asset, such as USDC"),
            billed: amount(
                "billed_units",
                "What the ended billing periods of leases cost, in units of the pool's asset, such as USDC",
            ),
            owed: amount(
                "owed_units",
                "What hosts have earned after the fee but have not been paid yet, in units of the pool's asset, such as USDC",
            ),
            payable: amount(
                "payable_units",
                "The part of what hosts are owed that clients have paid, which the operator can pay out now, in units of the \
                 pool's asset, such as USDC",
            ),
        }
    }
}

impl EpochMetrics {
    fn new(table: &mut MetricTable) -> Self {
        let steps = EpochStep::ALL.map(EpochStep::name);
        Self {
            step: table.states(
                "epoch_step",
                "1 for the current step of the pool's claim epoch, otherwise 0",
                "step",
                steps,
            ),
            problem: table.gauge(
                "epoch_problem",
                "1 if the epoch is waiting because something is wrong; `vipnode pool admin epoch` shows it",
            ),
            finished: table.gauge(
                "epoch_success_timestamp_seconds",
                "When the newest complete epoch ended, in seconds since 1970; 0 before the first",
            ),
            gas: table
                .amount("epoch_gas_coins", "What the transactions of epochs cost, in the chain's coin, such as ETH"),
        }
    }

    fn show(&self, gauges: &Gauges) {
        self.step.set_state(gauges.epoch.map_or("", EpochStep::name));
        set_gauge(&self.problem, u64::from(gauges.epoch_problem));
        set_gauge(&self.finished, gauges.epoch_finished.map_or(0, |at| at.get() / 1_000));
        self.gas.set(Asset::ETHER.approximate(Amount::new(gauges.epoch_gas_wei)));
    }
}

impl CoreCounters {
    fn new(table: &mut MetricTable) -> Self {
        let reasons = EvictReason::ALL.map(EvictReason::name);
        let refused_connects = table.counter("connects_rejected", "Connect requests that were rejected");
        let admits = table.counter("admits", "Clients that hosts admitted");
        let paired = table.counter("leases_paired", "Leases that were paired for the first time");
        let ended = table.counters("leases_ended", "Leases that ended", "reason", reasons);
        let silences = table.counter("agents_timed_out", "Agents that stopped reporting");
        let metered_s = table.counter(
            "metered_seconds",
            "Time for which both sides reported each other as connected, in billing periods that ended",
        );
        let metered = table.amount(
            "metered_units",
            "Cost of the metered time since the pool started, in units of the pool's asset, such as USDC",
        );
        Self { refused_connects, admits, paired, ended, silences, metered_s, metered }
    }

    fn show(&self, counters: &Counters, asset: Asset) {
        set_counter(&self.refused_connects, counters.refused_connects);
        set_counter(&self.admits, counters.admitted);
        set_counter(&self.paired, counters.paired);
        for (reason, total) in counters.ended() {
            self.ended.set(reason.name(), total);
        }
        set_counter(&self.silences, counters.silences);
        set_counter(&self.metered_s, counters.metered_ms / 1_000);
        self.metered.set(asset.approximate(counters.metered_cost));
    }
}
