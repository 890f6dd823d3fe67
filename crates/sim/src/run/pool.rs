//! The pool's process: commits to the store, the outbox, and crashes back to the last durable point.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vipnode_pool_core::{CallId, Command, ConnectionId, Core, Effect, Limits, RequestId, Row, SendWhen, Steps};
use vipnode_store::{MemoryStore, Store};
use vipnode_types::{Ms, PaymentMode, Price, wire::PriceCall};

use super::{
    RunEvent, Simulation,
    backup::Backup,
    core_time::ChargedCoreTime,
    gateway::PendingRequest,
    phases::Phase,
    pool_time::PoolTime,
    rebuild::SuspendedPool,
    simulation::{COMPARE_EVERY, HOSTILE_CHECKS},
};
use crate::{
    EPOCH_MS, Scenario, SimRng,
    checks::{ModeChange, Promise, durability, ledger},
};

/// The core may ask for so many ticks in a row without a pause: some for each client that waits in a run with attackers.
const MOST_WAKES_AT_ONCE: u32 = 1_000;

/// The pool's process and its disk.
#[derive(Debug)]
pub(crate) struct PoolProcess {
    pub(super) limits: Limits,
    /// How often it was started.
    pub(crate) incarnation: u32,
    pub(crate) core: Option<Core>,
    store: MemoryStore,
    /// Each batch that was written, if it is recorded.
    pub(super) batches: Option<Vec<Vec<Row>>>,
    pub(super) backup: Option<Backup>,
    /// While the store cannot write.
    pub(super) suspended: Option<SuspendedPool>,
    pub(super) pool_time: PoolTime,
    /// Rows for the commit after the one in flight.
    pub(super) waiting: Vec<Row>,
    /// The rows of the commit in flight.
    pub(super) writing: Option<Vec<Row>>,
    /// Batches handed over so far; up to which one the commit in flight goes, and up to which one all are durable.
    pub(super) handed: u64,
    pub(super) in_flight: u64,
    pub(super) durable: u64,
    pub(super) outbox: VecDeque<(u64, Effect)>,
    pub(super) wakes_at: Option<u64>,
    /// The number of ticks in a row after which the core asked for another one at once.
    wakes_at_once: u32,
    pub(crate) sleeps_until: u64,
    pub(crate) slept_until: u64,
    commands: u64,
    pub(crate) time: ChargedCoreTime,
    pub(crate) sockets: BTreeMap<ConnectionId, u64>,
    pub(crate) requests: BTreeMap<RequestId, PendingRequest>,
    pub(crate) next_request: RequestId,
    /// Requests whose socket is gone; the core may still answer each of them once.
    pub(crate) forgotten: BTreeSet<RequestId>,
    pub(crate) calls: BTreeMap<CallId, u64>,
    pub(crate) calls_ever: BTreeSet<CallId>,
    /// The questions about prices, and which agents they were sent to.
    pub(crate) price_calls: BTreeMap<CallId, (usize, PriceCall)>,
}

impl PoolProcess {
    pub(crate) fn new(scenario: &Scenario, rng: &mut SimRng) -> Self {
        let limits = scenario.limits.clone();
        Self {
            incarnation: 0,
            core: Some(Core::new(limits.clone(), rng.seed(), Ms::new(EPOCH_MS))),
            limits,
            store: MemoryStore::new(),
            batches: None,
            backup: None,
            suspended: None,
            pool_time: PoolTime::default(),
            waiting: Vec::new(),
            writing: None,
            handed: 0,
            in_flight: 0,
            durable: 0,
            outbox: VecDeque::new(),
            wakes_at: None,
            wakes_at_once: 0,
            sleeps_until: 0,
            slept_until: 0,
            commands: 0,
            time: ChargedCoreTime::new(),
            sockets: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 1,
            forgotten: BTreeSet::new(),
            calls: BTreeMap::new(),
            calls_ever: BTreeSet::new(),
            price_calls: BTreeMap::new(),
        }
    }

    pub(crate) const fn store(&mut self) -> &mut MemoryStore {
        &mut self.store
    }

    /// The rows that the core wants durable.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.core.as_ref().map(Core::rows).unwrap_or_default()
    }
}

impl Simulation {
    pub(crate) fn pool_tick(&mut self, incarnation: u32) {
        if self.pool.incarnation == incarnation && self.pool.core.is_some() {
            self.start_core(Core::settle_payment);
            self.at(self.now + self.pool.limits.tick_ms, RunEvent::PoolTick { incarnation });
            self.measure_latency();
            self.own_command(Command::Tick);
        }
    }

    pub(crate) fn pool_wakes(&mut self, incarnation: u32) {
        // An earlier wake may have taken the place of this one, and set the next one since.
        let is_due = self.pool.wakes_at.is_some_and(|at| at <= self.now);
        if self.pool.incarnation != incarnation || !is_due {
            return;
        }
        self.pool.wakes_at = None;
        if let Some(at) = self.core_busy_until() {
            self.pool.wakes_at = Some(at);
            self.at(at, RunEvent::PoolWakes { incarnation });
            return;
        }
        self.own_command(Command::Tick);
        self.check_rest();
    }

    /// Checks that the core does not ask for one tick after the other: each deadline that is due has to change something, or to be set
    /// for a later time.
    fn check_rest(&mut self) {
        let wake = self.pool.core.as_ref().and_then(Core::next_wake);
        let at_once = wake.is_some_and(|wake| wake <= Ms::new(EPOCH_MS + self.now));
        self.pool.wakes_at_once = if at_once { self.pool.wakes_at_once + 1 } else { 0 };
        if self.pool.wakes_at_once > MOST_WAKES_AT_ONCE {
            self.violation(Promise::Progress, format!("the core asked for {MOST_WAKES_AT_ONCE} ticks at once"));
        }
    }

    /// Hands a command of the pool itself to the core, at once.
    pub(crate) fn own_command(&mut self, command: Command) {
        let steps = self.command(command);
        self.core_used(&steps, None);
    }

    /// Hands a command to the core and carries out its effects.
    pub(super) fn command(&mut self, command: Command) -> Steps {
        if self.pool.suspended.is_some() {
            return self.command_suspended(command);
        }
        let now = self.pool_now();
        // Many attackers are in the way of checks after each command.
        let seldom = if self.is_hostile() { HOSTILE_CHECKS } else { 1 };
        let Some(core) = &mut self.pool.core else { return Steps::default() };
        let mut effects = Vec::new();
        let steps = core.handle(now, command, &mut effects);
        self.effects.pool(self.now, &effects);
        let check = if self.pool.commands.is_multiple_of(seldom) { core.check() } else { Ok(()) };
        self.require(check.map_err(|what| Promise::PoolInvariants.violation(what)));
        self.pool.commands += 1;
        if self.pool.commands.is_multiple_of(COMPARE_EVERY * seldom) {
            self.compare_restored();
        }
        for effect in effects {
            self.effect(effect);
        }
        let wake = self.pool.core.as_ref().and_then(Core::next_wake);
        if let Some(wake) = wake {
            let at = self.virtual_ms(wake).max(self.now + 1);
            if self.pool.wakes_at.is_none_or(|set| set > at) {
                self.pool.wakes_at = Some(at);
                let incarnation = self.pool.incarnation;
                self.at(at, RunEvent::PoolWakes { incarnation });
            }
        }
        steps
    }

    /// Has the core take a step of a pool's start.
    pub(super) fn start_core(&mut self, step: fn(&mut Core, Ms, &mut Vec<Effect>)) {
        let now = self.pool_now();
        let Some(core) = &mut self.pool.core else { return };
        let mut effects = Vec::new();
        step(core, now, &mut effects);
        for effect in effects {
            self.effect(effect);
        }
    }

    /// Checks the ledger in the store.
    pub(super) fn check_ledger(&mut self) {
        if !self.operator.is_there() {
            return;
        }
        let (mut rows, mut entries, mut journal) = (Vec::new(), Vec::new(), Vec::new());
        let store = self.pool.store();
        let read = store.load(&mut |row| rows.push(row));
        let read = read.and_then(|()| store.entries(0, usize::MAX, &mut |entry| entries.push(entry)));
        let read = read.and_then(|()| store.metered(0, usize::MAX, &mut |_, row| journal.push(row)));
        self.require(read.map_err(|error| Promise::Durability.violation(error)));
        let check = ledger::check(&rows, &entries, &journal, &self.operator.acknowledged);
        self.require(check);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.log(|| format!("pool: {effect:?}"));
        if self.judges_liars() {
            self.check_no_lockout(&effect);
        }
        let release = match &effect {
            Effect::Persist(rows) => {
                self.persist(rows.clone());
                return;
            }
            Effect::Reply { when: release, .. }
            | Effect::Call { when: release, .. }
            | Effect::Close { when: release, .. } => *release,
            Effect::Chain(request) if request.waits_for_rows() => SendWhen::AfterCommit,
            Effect::Chain(_) => SendWhen::Now,
        };
        if let Effect::Call { connection: peer, call, .. } = &effect {
            self.call_begins(*peer, *call);
        }
        if release == SendWhen::AfterCommit && self.pool.durable < self.pool.handed {
            self.pool.outbox.push_back((self.pool.handed, effect));
        } else {
            self.release(effect);
        }
    }

    fn persist(&mut self, rows: Vec<Row>) {
        for row in &rows {
            if self.is_hostile() {
                self.note_flooded(row);
            }
            match row {
                Row::Metered(row) => {
                    let check = self.checker.metered(row, self.now, &self.devp2p.ground_truth);
                    self.require(check);
                }
                Row::Lease(lease) => {
                    let check = self.checker.lease(lease);
                    self.require(check);
                }
                _ => {}
            }
        }
        self.pool.handed += 1;
        self.pool.waiting.extend(rows);
        if self.pool.writing.is_none() {
            self.begin_commit();
        }
    }

    /// Starts a commit of all rows that wait.
    fn begin_commit(&mut self) {
        self.pool.writing = Some(std::mem::take(&mut self.pool.waiting));
        self.pool.in_flight = self.pool.handed;
        let slow = self.faults.slow_commits && self.rng.chance(300);
        let took_ms = if slow { self.rng.range(100, 8_000) } else { self.rng.range(1, 30) };
        let incarnation = self.pool.incarnation;
        self.at(self.now + took_ms, RunEvent::CommitEnds { incarnation });
    }

    pub(crate) fn commit_ends(&mut self, incarnation: u32) {
        if self.pool.incarnation != incarnation {
            return;
        }
        if std::mem::take(&mut self.faults.fails_commit) {
            // The core is ahead of the store, which is the truth.
            if self.is_hostile() || self.scenario.credit.moves_clock {
                self.pool_crashes(0, false);
            } else {
                let down_ms = if self.rng.chance(600) { self.rng.below(50) } else { self.rng.range(5_000, 25_000) };
                self.pool_rebuilds(down_ms);
            }
            return;
        }
        self.write();
        self.pool.durable = self.pool.in_flight;
        while self.pool.outbox.front().is_some_and(|(batch, _)| *batch <= self.pool.durable) {
            if let Some((_, effect)) = self.pool.outbox.pop_front() {
                self.release(effect);
            }
        }
        if !self.pool.waiting.is_empty() {
            self.begin_commit();
        }
    }

    fn write(&mut self) {
        let Some(rows) = self.pool.writing.take() else { return };
        if let Err(error) = self.pool.store.apply(&rows) {
            self.violation(Promise::Durability, error);
        }
        self.pool.batches.iter_mut().for_each(|batches| batches.push(rows.clone()));
    }

    /// Kills the pool's process; the commit in flight may have become durable or not.
    pub(crate) fn pool_crashes(&mut self, down_ms: u64, may_be_durable: bool) {
        if self.pool.core.is_none() {
            return;
        }
        self.log(|| "the pool crashes".to_owned());
        self.hostile.pool_restarts(self.now, down_ms);
        if self.pool.suspended.take().is_none() {
            self.compare_restored();
            self.compare_store();
        }
        if may_be_durable && self.rng.chance(500) {
            self.write();
        }
        let pool = &mut self.pool;
        (pool.core, pool.writing, pool.wakes_at) = (None, None, None);
        pool.waiting.clear();
        pool.outbox.clear();
        pool.requests.clear();
        pool.forgotten.clear();
        pool.calls.clear();
        pool.calls_ever.clear();
        pool.time = ChargedCoreTime::new();
        pool.sockets.clear();
        pool.durable = pool.handed;
        pool.in_flight = pool.handed;
        pool.incarnation += 1;
        pool.sleeps_until = 0;
        self.attackers.disconnect_all();
        self.operator.disconnected();
        self.check_ledger();
        let hard = self.rng.chance(300);
        let numbers: Vec<u64> = self.sockets.keys().copied().collect();
        for number in numbers {
            if let Some(socket) = self.sockets.get_mut(&number) {
                socket.cut = true;
                socket.pool_end = false;
            }
            let most_ms = if hard { 60_000 } else { 200 };
            self.within(1, most_ms, RunEvent::AgentSeesClosed { socket: number, why: "connection reset" });
        }
        self.at(self.now + down_ms, RunEvent::PoolStarts);
    }

    pub(crate) fn pool_starts(&mut self) {
        let mut rows = Vec::new();
        if let Err(error) = self.pool.store.load(&mut |row| rows.push(row)) {
            self.violation(Promise::Durability, error);
        }
        self.change_terms();
        self.starts_with(&rows);
        let now = self.start_time();
        self.pool.core = Some(Core::restore(self.pool.limits.clone(), self.rng.seed(), now, rows));
        self.pool_time_starts(now);
        self.start_core(Core::settle_backup);
        // What ran until now ends under the mode in which it ran.
        self.start_core(Core::settle_payment);
        self.checker.mode(self.pool.limits.payment);
        let incarnation = self.pool.incarnation;
        self.pool_tick(incarnation);
    }

    /// Notes for the checks what a core starts with.
    pub(super) fn starts_with(&mut self, rows: &[Row]) {
        if self.judges_liars() {
            self.pool_started(rows);
        }
        let stored = rows.iter().rev().find_map(|row| if let Row::Payment(mode) = row { Some(*mode) } else { None });
        self.checker.mode(stored.unwrap_or(PaymentMode::None));
        self.checker.lease_prices().restarted(rows);
        let change = ModeChange {
            paid: stored.is_some_and(|mode| !mode.is_none()),
            pays: !self.pool.limits.payment.is_none(),
            stored: rows
                .iter()
                .find_map(|row| if let Row::Pricing(row) = row { Some(row.current.price) } else { None }),
            announced: rows
                .iter()
                .find_map(|row| if let Row::Pricing(row) = row { Some(row.settings.price) } else { None }),
        };
        self.checker.prices().settings(self.now, self.pool.limits.price, change);
    }

    /// The operator starts the pool with another price and fee, or another payment mode.
    fn change_terms(&mut self) {
        if self.phase != Phase::Faults {
            return;
        }
        if self.scenario.credit.changes_price && self.rng.chance(400) {
            let fee_bps = u16::try_from(self.rng.range(0, 3_000)).unwrap_or(0);
            let limits = &mut self.pool.limits;
            (limits.price, limits.fee_bps) = (Price::per_minute(self.rng.range(1, 1_000_000_000)), fee_bps);
            let price = limits.price;
            self.log(|| format!("the pool starts with another price: {price}"));
        }
        if self.scenario.credit.switches_mode && self.rng.chance(400) {
            let limits = &mut self.pool.limits;
            limits.payment = if limits.payment.is_none() { PaymentMode::Credit } else { PaymentMode::None };
            let mode = limits.payment;
            self.log(|| format!("the pool starts with another payment mode: {mode:?}"));
        }
    }

    /// Checks that the core's rows suffice to restore it.
    pub(super) fn compare_restored(&mut self) {
        let Some(core) = &self.pool.core else { return };
        let rows = core.rows();
        let again = Core::restore(self.pool.limits.clone(), [0; 32], core.now(), rows.clone());
        let check = again.check().map_err(|what| Promise::PoolInvariants.violation(format!("restored: {what}")));
        let again = again.rows();
        self.require(check);
        if again != rows {
            let difference = durability::difference(&rows, &again);
            self.violation(Promise::Durability, format!("a pool restored from its rows differs:\n{difference}"));
        }
    }

    /// Checks that the rows written step by step are what the core holds.
    pub(crate) fn compare_store(&mut self) {
        let pool = &self.pool;
        let mut store = pool.store.clone();
        let rows: Vec<Row> = pool.writing.iter().flatten().chain(&pool.waiting).cloned().collect();
        let mut stored = Vec::new();
        let applied = store.apply(&rows).and_then(|_| store.load(&mut |row| stored.push(row)));
        self.require(applied.map_err(|error| Promise::Durability.violation(error)));
        let held = self.pool.rows();
        self.require(durability::same(&held, &stored));
    }
}
