use std::net::IpAddr;

use vipnode_types::{Asset, Ms, NodeId, PaymentMode};

use crate::{
    Command, ConnectionId, Counters, Effect, EpochRow, Gauges, Limits, RestoreRow, Row, Steps,
    agents::{Agents, Changed, node::Node},
    collections::seeded_rng::SeededRng,
    leases::{Leases, pricing::Pricing},
    ledger::{Ledger, transaction::LedgerAccount},
    matching::{Context, Matching},
    metering::{Metering, period_rollover::next_rollover},
    output::Output,
    pool_clock::PoolClock,
    price_schedule::PriceSchedule,
};

/// The pool's core: one state machine whose state has five owners (agents, leases, metering, matching, ledger). Whatever
/// involves more than one of them is in `flows`.
#[derive(Debug)]
pub struct Core {
    pub(crate) limits: Limits,
    pub(crate) rng: SeededRng,
    pub(crate) clock: PoolClock,
    pub(crate) agents: Agents,
    pub(crate) leases: Leases,
    pub(crate) metering: Metering,
    pub(crate) matching: Matching,
    /// The payment mode of the rows in the store.
    pub(crate) payment: PaymentMode,
    /// Only while clients pay.
    pub(crate) ledger: Option<Box<Ledger>>,
    /// The ledger in the store, between a start without payments and the switch to another mode.
    pub(crate) unused_ledger: Option<Box<Ledger>>,
    /// The newest restore of a backup of the database.
    pub(crate) restored: Option<RestoreRow>,
    /// Whether the ledger in the store held balances or due payouts at the start.
    pub(crate) ledger_held_funds: bool,
    pub(crate) counters: Counters,
    pub(crate) prices: PriceSchedule,
    /// The memory of the effects of one command, which the next one uses again.
    buffer: Vec<Effect>,
}

/// The memory of so many effects is kept for the next command.
const KEPT_EFFECTS: usize = 16;

impl Core {
    /// Returns the core of a pool that no agent has joined yet.
    #[must_use]
    pub fn new(limits: Limits, seed: [u8; 32], now: Ms) -> Self {
        Self::at(limits, seed, PoolClock::new(now))
    }

    /// Returns the core of a pool that no agent has joined yet, with its clock.
    pub(crate) fn at(limits: Limits, seed: [u8; 32], clock: PoolClock) -> Self {
        let mut rng = SeededRng::new(seed);
        let mut core = Self {
            agents: Agents::new(&mut rng, &limits, clock.now().plus(limits.flush_ms)),
            leases: Leases::new(&mut rng),
            metering: Metering::new(),
            matching: Matching::new(&mut rng, &limits),
            payment: PaymentMode::None,
            ledger: None,
            unused_ledger: None,
            restored: None,
            ledger_held_funds: false,
            counters: Counters::default(),
            prices: PriceSchedule::new(Pricing::new(limits.price, limits.fee_bps)),
            buffer: Vec::new(),
            rng,
            clock,
            limits,
        };
        let (matching, context) = core.matching();
        matching.group_by_blocks(context);
        core
    }

    /// Returns the pool time. It starts at the latest time in the restored rows if that is later than the `now` passed to
    /// [`Self::restore`]; callers pass times from there on.
    #[must_use]
    pub const fn now(&self) -> Ms {
        self.clock.now()
    }

    /// Returns whether the ledger held balances or due payouts at the start, although clients do not pay.
    #[must_use]
    pub const fn has_unused_funds(&self) -> bool {
        self.limits.payment.is_none() && self.ledger_held_funds
    }

    /// Sets which time the wall clock shows at a moment of pool time; without this, pool time is that of the wall clock. What
    /// others sign is dated by their clocks, and pool time is never earlier than the rows.
    pub const fn set_wall_clock(&mut self, now: Ms, wall: Ms) {
        self.clock.set_wall(now, wall);
    }

    /// Numbers new leases from `first` on, unless a higher number is already in use.
    pub const fn number_leases_from(&mut self, first: u64) {
        self.leases.number_from(first);
    }

    /// Returns the node that is connected on a connection.
    #[must_use]
    pub fn node_at(&self, connection: ConnectionId) -> Option<NodeId> {
        self.agents.id(self.agents.at(connection)?)
    }

    /// Returns the remote address of the node that is connected on a connection.
    #[must_use]
    pub fn address_at(&self, connection: ConnectionId) -> Option<IpAddr> {
        self.agents.address(self.agents.at(connection)?)
    }

    /// Processes one command and appends its effects to `out`. A `now` before that of an earlier call counts as the
    /// earlier one.
    pub fn handle(&mut self, now: Ms, command: Command, out: &mut Vec<Effect>) -> Steps {
        let now = now.max(self.clock.now());
        if self.clock.advance(now, &self.limits) {
            self.counters.pauses = self.counters.pauses.saturating_add(1);
        }
        let mut output = Output::with_buffer(now, std::mem::take(&mut self.buffer));
        self.dispatch(&mut output, command);
        self.persist_times(&mut output);
        self.post_metered(&mut output);
        let (steps, mut buffer) = output.finish_with_buffer(out);
        buffer.shrink_to(KEPT_EFFECTS);
        self.buffer = buffer;
        steps
    }

    /// Writes what is otherwise written now and then, such as when agents last reported. A pool that stops in order calls
    /// this last, so that its restart loses no metered time.
    pub fn write_all(&mut self, now: Ms, out: &mut Vec<Effect>) {
        let mut output = Output::new(now.max(self.clock.now()));
        self.agents.flush_all(&mut output);
        self.metering.write_changed_periods(&mut output);
        self.persist_times(&mut output);
        output.finish(out);
    }

    /// Writes the time, which is otherwise written only now and then. A pool that starts calls this once it has settled what it
    /// restored: until the time is stored, no day is over for those who read the store.
    pub fn write_clock(&mut self, now: Ms, out: &mut Vec<Effect>) {
        let mut output = Output::new(now.max(self.clock.now()));
        output.persist(Row::Clock(output.now));
        output.finish(out);
    }

    /// Returns when the next [`crate::Command::Tick`] is due at the latest. A time in the past means at once: the last
    /// step left work for the next one.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ms> {
        [
            self.leases.next_deadline(),
            self.leases.next_call_deadline(),
            next_rollover(&self.leases, &self.agents, &self.clock, &self.limits),
            self.matching.next_wake(),
            self.agents.next_silence(),
            self.agents.next_never_paired(),
            self.agents.next_proof(),
            self.agents.next_trial(),
            self.agents.next_payout(),
            self.prices.next.map(|next| next.from),
            self.ledger.as_ref().and_then(|ledger| ledger.next_check()),
            self.ledger.as_ref().and_then(|ledger| ledger.next_voucher_expiry()),
            self.ledger.as_ref().filter(|_| self.epoch_terms().is_some()).and_then(|ledger| ledger.next_epoch_act()),
            Some(self.agents.flush_at()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Returns the current counts.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let hosts = self.matching.open_hosts();
        let of_agents = self.agents.silences().saturating_add(self.agents.planned_checks());
        let of_agents = of_agents.saturating_add(self.agents.planned_proofs());
        let of_agents = of_agents.saturating_add(self.agents.planned_trials());
        let deadlines = [self.leases.deadlines(), self.matching.deadlines(), of_agents];
        let epoch = deref(&self.ledger).filter(|_| self.epoch_terms().is_some()).and_then(Ledger::epoch);
        let sums = |account| deref(&self.ledger).map(|ledger| ledger.figures(account)).unwrap_or_default();
        let totals = deref(&self.ledger).map(Ledger::totals).unwrap_or_default();
        Gauges {
            nodes: count(self.agents.len()),
            connected: count(self.agents.connected()),
            hosts: count(hosts.connected().len()),
            clients: hosts.clients(),
            leases: count(self.leases.len()),
            running: self.leases.running(),
            pending_offers: u64::from(self.matching.pending_offers().len()),
            free_slots: hosts.all_free(),
            waiting: count(self.matching.wait_queue().len()),
            pending_asks: count(self.matching.asks().len()),
            calls_in_flight: count(self.leases.calls_in_flight()),
            unwritten_reports: count(self.agents.unwritten_reports()),
            deadlines: count(deadlines.into_iter().fold(0, usize::saturating_add)),
            received: sums(LedgerAccount::Received).debt(),
            paid_out: sums(LedgerAccount::PaidOut).balance(),
            fees: sums(LedgerAccount::Fee).balance(),
            epoch: epoch.map(|row| row.step),
            epoch_problem: epoch.is_some_and(|row| row.problem.is_some()),
            epoch_finished: epoch.and_then(|row| row.finished),
            epoch_gas_wei: epoch.map_or(0, EpochRow::all_spent_wei),
            billed: totals.billed,
            owed: totals.owed,
            payable: totals.payable,
        }
    }

    /// Returns what the pool charges in.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.limits.price.asset()
    }

    /// Returns the event counters since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns matching, and the state that it may read.
    pub(crate) const fn matching(&mut self) -> (&mut Matching, Context<'_>) {
        let Self { limits, clock, agents, leases, metering, matching, ledger, .. } = self;
        (matching, Context { now: clock.now(), limits, agents, leases, metering, ledger: deref(ledger) })
    }

    /// Returns the same as [`Self::matching`], and the random number generator.
    pub(crate) const fn matching_with_rng(&mut self) -> (&mut Matching, &mut SeededRng, Context<'_>) {
        let Self { limits, rng, clock, agents, leases, metering, matching, ledger, .. } = self;
        (matching, rng, Context { now: clock.now(), limits, agents, leases, metering, ledger: deref(ledger) })
    }

    /// Returns the state that matching may read.
    pub(crate) const fn context(&self) -> Context<'_> {
        let Self { limits, clock, agents, leases, metering, ledger, .. } = self;
        Context { now: clock.now(), limits, agents, leases, metering, ledger: deref(ledger) }
    }

    /// Changes a node and updates every list that depends on it.
    pub(crate) fn update_node(&mut self, index: u32, change: impl FnOnce(&mut Node)) {
        let changed = self.agents.update(index, change);
        self.refresh(&changed);
    }

    /// Updates every list that depends on a changed node.
    pub(crate) fn refresh(&mut self, changed: &Changed) {
        let (matching, context) = self.matching();
        matching.refresh(changed.index(), context);
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

const fn deref(ledger: &Option<Box<Ledger>>) -> Option<&Ledger> {
    match ledger {
        Some(ledger) => Some(&**ledger),
        None => None,
    }
}
