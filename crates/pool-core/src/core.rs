use vipnode_types::{Ms, NodeId};

use crate::{
    Command, ConnectionId, Counters, Effect, Gauges, Limits,
    agents::{Agents, Changed, node::Node},
    collections::seeded_rng::SeededRng,
    leases::Leases,
    matching::{Context, Matching},
    metering::{Metering, row_rollover::next_rollover},
    output::Output,
    pool_clock::PoolClock,
};

/// The pool's core: one state machine over four owners of state. What crosses them is in `flows`.
#[derive(Debug)]
pub struct Core {
    pub(crate) limits: Limits,
    pub(crate) rng: SeededRng,
    pub(crate) clock: PoolClock,
    pub(crate) agents: Agents,
    pub(crate) leases: Leases,
    pub(crate) metering: Metering,
    pub(crate) matching: Matching,
    pub(crate) counters: Counters,
}

impl Core {
    /// A pool that no agent has joined yet.
    #[must_use]
    pub fn new(limits: Limits, seed: [u8; 32], now: Ms) -> Self {
        Self::at(limits, seed, PoolClock::new(now))
    }

    /// A pool that no agent has joined yet, at a pool time.
    pub(crate) fn at(limits: Limits, seed: [u8; 32], clock: PoolClock) -> Self {
        let mut rng = SeededRng::new(seed);
        Self {
            agents: Agents::new(&mut rng, &limits, clock.now().plus(limits.flush_ms)),
            leases: Leases::new(&mut rng),
            metering: Metering::new(),
            matching: Matching::new(&mut rng),
            counters: Counters::default(),
            rng,
            clock,
            limits,
        }
    }

    /// Pool time. It begins at what the rows say, where that is later than the `now` handed in; whatever
    /// runs the core hands in moments from there on.
    #[must_use]
    pub const fn now(&self) -> Ms {
        self.clock.now()
    }

    /// Leases are numbered from here on, where that is beyond what was given out.
    pub const fn number_leases_from(&mut self, first: u64) {
        self.leases.number_from(first);
    }

    /// The node that presented itself on a connection and is still there.
    #[must_use]
    pub fn node_at(&self, connection: ConnectionId) -> Option<NodeId> {
        self.agents.id(self.agents.at(connection)?)
    }

    /// Takes in one command. Moments before an earlier one count as that one.
    pub fn handle(&mut self, now: Ms, command: Command, out: &mut Vec<Effect>) {
        let now = now.max(self.clock.now());
        if self.clock.advance(now, &self.limits) {
            self.counters.pauses = self.counters.pauses.saturating_add(1);
        }
        let mut output = Output::new(now);
        self.dispatch(&mut output, command);
        output.finish(out);
    }

    /// When the core is to be called with [`crate::Command::Tick`] at the latest; a moment that is past
    /// means at once, because a bounded step left work.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ms> {
        [
            self.leases.next_deadline(),
            self.leases.next_call_deadline(),
            next_rollover(&self.leases, &self.agents, &self.clock, &self.limits),
            self.matching.next_wake(),
            self.agents.next_silence(),
            Some(self.agents.flush_at()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What there is now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let hosts = self.matching.open_hosts();
        let deadlines = [self.leases.deadlines(), self.matching.deadlines(), self.agents.silences()];
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
            dirty_presences: count(self.agents.unwritten_presences()),
            deadlines: count(deadlines.into_iter().fold(0, usize::saturating_add)),
        }
    }

    /// What happened since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Matching, with what it may read.
    pub(crate) const fn matching(&mut self) -> (&mut Matching, Context<'_>) {
        let Self { limits, clock, agents, leases, metering, matching, .. } = self;
        (matching, Context { now: clock.now(), limits, agents, leases, metering })
    }

    /// As [`Self::matching`], with the source of chance.
    pub(crate) const fn matching_by_chance(&mut self) -> (&mut Matching, &mut SeededRng, Context<'_>) {
        let Self { limits, rng, clock, agents, leases, metering, matching, .. } = self;
        (matching, rng, Context { now: clock.now(), limits, agents, leases, metering })
    }

    /// What matching may read.
    pub(crate) const fn context(&self) -> Context<'_> {
        let Self { limits, clock, agents, leases, metering, .. } = self;
        Context { now: clock.now(), limits, agents, leases, metering }
    }

    /// Changes a node and brings every list up to date.
    pub(crate) fn update_node(&mut self, index: u32, change: impl FnOnce(&mut Node)) {
        let changed = self.agents.update(index, change);
        self.refresh(&changed);
    }

    /// Brings every list up to what a node is now.
    pub(crate) fn refresh(&mut self, changed: &Changed) {
        let (matching, context) = self.matching();
        matching.refresh(changed.index(), context);
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
