//! Whoever runs the pool's mind: the store, the outbox, crashes back to the last durable point.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vipnode_pool_core::{CallId, Command, ConnectionId, Core, Effect, Limits, Release, RequestId, Row};
use vipnode_store::{MemoryStore, Store};
use vipnode_types::Ms;

use super::{Ev, World, gateway::Open, world::COMPARE_EVERY};
use crate::{Dice, EPOCH_MS, Scenario, checks::durable};

/// The pool's process, and its disk.
#[derive(Debug)]
pub(crate) struct Pool {
    limits: Limits,
    /// How often it was started.
    pub(crate) life: u32,
    pub(crate) core: Option<Core>,
    store: MemoryStore,
    /// Rows that wait for the commit after the one under way.
    waiting: Vec<Row>,
    /// The commit under way.
    writing: Option<Vec<Row>>,
    /// Batches handed over, those in the commit under way, and those durable.
    handed: u64,
    in_flight: u64,
    durable: u64,
    outbox: VecDeque<(u64, Effect)>,
    wakes_at: Option<u64>,
    pub(crate) sleeps_until: u64,
    pub(crate) slept_until: u64,
    commands: u64,
    pub(crate) sockets: BTreeMap<ConnectionId, u64>,
    pub(crate) requests: BTreeMap<RequestId, Open>,
    pub(crate) next_request: RequestId,
    /// Requests whose socket is gone; an answer to them goes nowhere, once.
    pub(crate) forgotten: BTreeSet<RequestId>,
    pub(crate) calls: BTreeMap<CallId, u64>,
    pub(crate) calls_ever: BTreeSet<CallId>,
}

impl Pool {
    pub(crate) fn new(scenario: &Scenario, dice: &mut Dice) -> Self {
        let limits = scenario.limits.clone();
        Self {
            life: 0,
            core: Some(Core::new(limits.clone(), dice.seed(), Ms::new(EPOCH_MS))),
            limits,
            store: MemoryStore::new(),
            waiting: Vec::new(),
            writing: None,
            handed: 0,
            in_flight: 0,
            durable: 0,
            outbox: VecDeque::new(),
            wakes_at: None,
            sleeps_until: 0,
            slept_until: 0,
            commands: 0,
            sockets: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 1,
            forgotten: BTreeSet::new(),
            calls: BTreeMap::new(),
            calls_ever: BTreeSet::new(),
        }
    }

    pub(crate) const fn store(&mut self) -> &mut MemoryStore {
        &mut self.store
    }

    /// What the mind holds durable.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.core.as_ref().map(Core::rows).unwrap_or_default()
    }
}

impl World {
    pub(crate) fn pool_tick(&mut self, life: u32) {
        if self.pool.life == life && self.pool.core.is_some() {
            self.at(self.now + self.pool.limits.tick_ms, Ev::PoolTick { life });
            self.ping_somebody();
            self.command(Command::Tick);
        }
    }

    pub(crate) fn pool_wakes(&mut self, life: u32) {
        if self.pool.life == life {
            self.pool.wakes_at = None;
            self.command(Command::Tick);
        }
    }

    /// Hands a command to the mind and does what it says.
    pub(crate) fn command(&mut self, command: Command) {
        let now = Ms::new(EPOCH_MS + self.now);
        let Some(core) = &mut self.pool.core else { return };
        let mut effects = Vec::new();
        core.handle(now, command, &mut effects);
        self.effects.pool(self.now, &effects);
        let check = core.check();
        self.hold(check.map_err(|what| format!("pool: {what}")));
        self.pool.commands += 1;
        if self.pool.commands.is_multiple_of(COMPARE_EVERY) {
            self.compare_restored();
        }
        for effect in effects {
            self.effect(effect);
        }
        let wake = self.pool.core.as_ref().and_then(Core::next_wake);
        if let Some(wake) = wake {
            let at = wake.get().saturating_sub(EPOCH_MS).max(self.now + 1);
            if self.pool.wakes_at.is_none_or(|set| set > at) {
                self.pool.wakes_at = Some(at);
                let life = self.pool.life;
                self.at(at, Ev::PoolWakes { life });
            }
        }
    }

    fn effect(&mut self, effect: Effect) {
        self.log(|| format!("pool: {effect:?}"));
        let release = match &effect {
            Effect::Persist(rows) => {
                self.persist(rows.clone());
                return;
            }
            Effect::Reply { release, .. } | Effect::Call { release, .. } => *release,
            Effect::Close { .. } => Release::Now,
        };
        if let Effect::Call { peer, call, .. } = &effect {
            self.call_begins(*peer, *call);
        }
        if release == Release::AfterCommit && self.pool.durable < self.pool.handed {
            self.pool.outbox.push_back((self.pool.handed, effect));
        } else {
            self.leave(effect);
        }
    }

    fn persist(&mut self, rows: Vec<Row>) {
        for row in &rows {
            if let Row::Metered(row) = row {
                let check = self.checker.metered(row, self.now, &self.devp2p.truth);
                self.hold(check);
            }
        }
        self.pool.handed += 1;
        self.pool.waiting.extend(rows);
        if self.pool.writing.is_none() {
            self.begin_commit();
        }
    }

    /// One commit takes everything that waits.
    fn begin_commit(&mut self) {
        self.pool.writing = Some(std::mem::take(&mut self.pool.waiting));
        self.pool.in_flight = self.pool.handed;
        let slow = self.faults.slow_commits && self.dice.chance(300);
        let took_ms = if slow { self.dice.range(100, 8_000) } else { self.dice.range(1, 30) };
        let life = self.pool.life;
        self.at(self.now + took_ms, Ev::CommitEnds { life });
    }

    pub(crate) fn commit_ends(&mut self, life: u32) {
        if self.pool.life != life {
            return;
        }
        if std::mem::take(&mut self.faults.fails_commit) {
            // What the mind holds is no longer what will be: it is rebuilt from the store.
            self.log(|| "pool: a commit fails".to_owned());
            self.pool_crashes(0, false);
            return;
        }
        self.write();
        self.pool.durable = self.pool.in_flight;
        while self.pool.outbox.front().is_some_and(|(batch, _)| *batch <= self.pool.durable) {
            if let Some((_, effect)) = self.pool.outbox.pop_front() {
                self.leave(effect);
            }
        }
        if !self.pool.waiting.is_empty() {
            self.begin_commit();
        }
    }

    fn write(&mut self) {
        let Some(rows) = self.pool.writing.take() else { return };
        if let Err(error) = self.pool.store.apply(&rows) {
            self.violated(format!("the store refuses what the pool writes: {error}"));
        }
    }

    /// The pool's process is gone; what was being written may be durable or not.
    pub(crate) fn pool_crashes(&mut self, down_ms: u64, may_be_durable: bool) {
        if self.pool.core.is_none() {
            return;
        }
        self.log(|| "the pool crashes".to_owned());
        self.compare_restored();
        self.compare_store();
        if may_be_durable && self.dice.chance(500) {
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
        pool.sockets.clear();
        pool.durable = pool.handed;
        pool.in_flight = pool.handed;
        pool.life += 1;
        pool.sleeps_until = 0;
        let hard = self.dice.chance(300);
        let numbers: Vec<u64> = self.sockets.keys().copied().collect();
        for number in numbers {
            if let Some(socket) = self.sockets.get_mut(&number) {
                socket.cut = true;
                socket.pool_end = false;
            }
            let most_ms = if hard { 60_000 } else { 200 };
            self.within(1, most_ms, Ev::AgentSeesClosed { socket: number, why: "connection reset" });
        }
        self.at(self.now + down_ms, Ev::PoolStarts);
    }

    pub(crate) fn pool_starts(&mut self) {
        let mut rows = Vec::new();
        if let Err(error) = self.pool.store.load(&mut |row| rows.push(row)) {
            self.violated(error.to_string());
        }
        let now = Ms::new(EPOCH_MS + self.now);
        self.pool.core = Some(Core::restore(self.pool.limits.clone(), self.dice.seed(), now, rows));
        let life = self.pool.life;
        self.pool_tick(life);
    }

    /// What the mind calls durable suffices to make it again.
    fn compare_restored(&mut self) {
        let Some(core) = &self.pool.core else { return };
        let rows = core.rows();
        let again = Core::restore(self.pool.limits.clone(), [0; 32], core.now(), rows.clone());
        let check = again.check().map_err(|what| format!("restored pool: {what}"));
        let again = again.rows();
        self.hold(check);
        if again != rows {
            self.violated(format!("restored from its rows the pool differs:\n{}", durable::difference(&rows, &again)));
        }
    }

    /// What was written, step by step, is what the mind holds.
    pub(crate) fn compare_store(&mut self) {
        let pool = &self.pool;
        let mut store = pool.store.clone();
        let rows: Vec<Row> = pool.writing.iter().flatten().chain(&pool.waiting).cloned().collect();
        let mut stored = Vec::new();
        let applied = store.apply(&rows).and_then(|_| store.load(&mut |row| stored.push(row)));
        self.hold(applied.map_err(|error| error.to_string()));
        let held = self.pool.rows();
        self.hold(durable::same(&held, &stored));
    }
}
