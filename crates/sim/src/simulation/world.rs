use std::collections::{BTreeMap, VecDeque};

use super::{Ev, agents::Agent, faults, phases::Phase, pool::Pool, sockets::Socket};
use crate::{Checker, Devp2p, Dice, Scenario, golden::EffectLog};

/// More events than any honest run has: two sides talk without a pause.
const MOST_EVENTS: u64 = 3_000_000;
/// Events shown of a failed run.
const LAST_EVENTS: usize = 50;
/// A store is compared with the mind, and the mind with its restored self, each so many pool commands.
pub(super) const COMPARE_EVERY: u64 = 200;

/// One run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) dice: Dice,
    pub(crate) scenario: Scenario,
    pub(crate) devp2p: Devp2p,
    pub(crate) checker: Checker,
    pub(super) agents: Vec<Agent>,
    pub(super) pool: Pool,
    pub(super) sockets: BTreeMap<u64, Socket>,
    pub(super) next_socket: u64,
    pub(super) phase: Phase,
    pub(super) faults: faults::Faults,
    queue: BTreeMap<(u64, u64), Ev>,
    next_event: u64,
    events: u64,
    failure: Option<String>,
    tape: Tape,
    pub(super) effects: EffectLog,
}

/// What is remembered of a run: nothing, the last events, all of them, or the effects of both cores as numbers.
#[derive(Debug)]
pub(crate) enum Tape {
    Off,
    Last(VecDeque<String>),
    All(Vec<String>),
    Effects,
}

/// What a run was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events handled.
    pub events: u64,
    /// Rows of the meter that ended.
    pub metered: u64,
    /// Milliseconds billed in them.
    pub billed_ms: u64,
    /// Of these, with an agent that may speak protocol 2 on one side at least.
    pub billed2_ms: u64,
    /// From the end of the faults until everything was connected.
    pub healed_ms: u64,
    /// Effects of both cores.
    pub effects: u64,
    /// A hash over all of them, see `golden`: a seed always plays the same.
    pub digest: u64,
}

impl World {
    /// The world of a seed, before its first event.
    #[must_use]
    pub(crate) fn new(seed: u64, tape: Tape) -> Self {
        let mut dice = Dice::new(seed);
        let scenario = Scenario::draw(&mut dice);
        let devp2p = Devp2p::new(&scenario.agents);
        let mut world = Self {
            now: 0,
            checker: Checker::new(&scenario),
            agents: scenario.agents.iter().map(|plan| Agent::new(plan.clone())).collect(),
            pool: Pool::new(&scenario, &mut dice),
            sockets: BTreeMap::new(),
            next_socket: 1,
            phase: Phase::Faults,
            faults: faults::Faults::default(),
            queue: BTreeMap::new(),
            next_event: 0,
            events: 0,
            failure: None,
            effects: EffectLog::new(matches!(tape, Tape::Effects)),
            tape,
            dice,
            scenario,
            devp2p,
        };
        world.at(0, Ev::PoolTick { life: 0 });
        world.at(1_000, Ev::Sweep);
        for agent in 0..world.agents.len() {
            let start = world.dice.below(30_000);
            world.at(start, Ev::AgentStarts { agent });
            world.at(start, Ev::Head { agent });
        }
        if !world.scenario.faults.is_empty() {
            world.at(20_000, Ev::Fault);
        }
        world
    }

    /// Plays to the end, or to the first violation.
    pub(crate) fn run(&mut self) -> Result<Stats, String> {
        while self.phase != Phase::Over {
            let Some(((now, _), event)) = self.queue.pop_first() else {
                return Err("nothing is left to happen".into());
            };
            self.now = now;
            self.events += 1;
            if self.events > MOST_EVENTS {
                return Err(format!("more than {MOST_EVENTS} events: somebody talks without a pause"));
            }
            self.note(&event);
            self.happen(event);
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
        }
        let (metered, billed_ms) = self.checker.totals();
        let (billed2_ms, healed_ms) = (self.checker.billed2_ms(), self.faults.healed_ms);
        let (effects, digest) = (self.effects.count(), self.effects.digest());
        Ok(Stats { events: self.events, metered, billed_ms, billed2_ms, healed_ms, effects, digest })
    }

    fn happen(&mut self, event: Ev) {
        if event.is_pools() && self.pool.sleeps_until > self.now {
            // A machine that sleeps does everything when it wakes, in order.
            self.at(self.pool.sleeps_until, event);
            return;
        }
        match event {
            Ev::SocketOpens { agent, life, attempt } => self.socket_opens(agent, life, attempt),
            Ev::ToPool { socket, frame } => self.pool_hears(socket, frame),
            Ev::ToAgent { socket, frame } => self.agent_hears(socket, frame),
            Ev::AgentSeesClosed { socket, why } => self.agent_sees_closed(socket, why),
            Ev::PoolSeesClosed { socket } => self.pool_sees_closed(socket),
            Ev::AgentStarts { agent } => self.agent_starts(agent),
            Ev::AgentWakes { agent, life } => self.agent_wakes(agent, life),
            Ev::Look { agent, life } => self.look(agent, life),
            Ev::WatchLook { agent, life, token } => self.watch_look(agent, life, token),
            Ev::Tell { agent, life, event } => self.tell(agent, life, *event),
            Ev::NodeExec { agent, life, task, call } => self.node_exec(agent, life, task, &call),
            Ev::Probe { agent, life } => self.probe(agent, life),
            Ev::Head { agent } => self.head(agent),
            Ev::DialDue { node, peer, token } => self.dial_due(node, peer, token),
            Ev::DialEnds { node, boot, peer } => self.dial_ends(node, boot, peer),
            Ev::EndDrops { node, peer, link } => self.end_drops(node, peer, link),
            Ev::NodeRises { node } => self.node_rises(node),
            Ev::PoolTick { life } => self.pool_tick(life),
            Ev::PoolWakes { life } => self.pool_wakes(life),
            Ev::CommitEnds { life } => self.commit_ends(life),
            Ev::CallExpires { life, call } => self.call_ends(life, call, vipnode_pool_core::CallOutcome::Expired),
            Ev::CallLost { life, call } => self.call_ends(life, call, vipnode_pool_core::CallOutcome::Lost),
            Ev::PoolStarts => self.pool_starts(),
            Ev::Fault => self.fault(),
            Ev::Heal { what } => self.heal(what),
            Ev::Sweep => self.sweep(),
        }
    }

    /// Has something happen at a moment, after everything that was set for it before.
    pub(crate) fn at(&mut self, at: u64, event: Ev) {
        self.next_event += 1;
        self.queue.insert((at.max(self.now), self.next_event), event);
    }

    /// Has something happen within a span of time from now.
    pub(crate) fn within(&mut self, least_ms: u64, most_ms: u64, event: Ev) {
        let at = self.now + self.dice.range(least_ms, most_ms);
        self.at(at, event);
    }

    /// A promise is broken; the first one counts.
    pub(crate) fn violated(&mut self, what: impl Into<String>) {
        self.failure.get_or_insert(what.into());
    }

    /// Notes what a check says.
    pub(crate) fn hold(&mut self, check: Result<(), String>) {
        if let Err(what) = check {
            self.violated(what);
        }
    }

    fn note(&mut self, event: &Ev) {
        if event.is_news() {
            self.log(|| format!("{event:?}"));
        }
    }

    /// Writes down what happens, where somebody reads it.
    pub(crate) fn log(&mut self, line: impl FnOnce() -> String) {
        let line = |now: u64| format!("{:>10}.{:03} {}", now / 1_000, now % 1_000, line());
        match &mut self.tape {
            Tape::Off | Tape::Effects => {}
            Tape::Last(lines) => {
                if lines.len() >= LAST_EVENTS {
                    lines.pop_front();
                }
                lines.push_back(line(self.now));
            }
            Tape::All(lines) => lines.push(line(self.now)),
        }
    }

    /// What was written down.
    pub(crate) fn tape(&mut self) -> Vec<String> {
        match std::mem::replace(&mut self.tape, Tape::Off) {
            Tape::Off => Vec::new(),
            Tape::Effects => self.effects.take_lines(),
            Tape::Last(lines) => lines.into(),
            Tape::All(lines) => lines,
        }
    }
}
