use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use super::{
    Family, RunEvent, agents::AgentProcess, attackers::Attackers, fault_schedule, hostile::Hostile, operator::Operator,
    phases::Phase, pool::PoolProcess, simulated_sockets::SimulatedSocket,
};
use crate::{
    Checker, Devp2p, Scenario, SimRng,
    checks::{Promise, Violation, hostile::HostWaits},
    golden::EffectLog,
};

/// More events than any good run has; beyond it two parties must be talking without a pause.
const MAX_EVENTS: u64 = 3_000_000;
/// Events shown of a failed run, the last ones.
const LAST_EVENTS: usize = 50;
/// Commands of the pool between two comparisons of the store with the core, and of the core with a restored one.
pub(super) const COMPARE_EVERY: u64 = 200;
/// Commands of the pool between two checks of the core's invariants in a run with attackers.
pub(super) const HOSTILE_CHECKS: u64 = 50;

/// The state of one run, and its queue of events.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) now: u64,
    pub(crate) rng: SimRng,
    pub(crate) scenario: Scenario,
    pub(crate) devp2p: Devp2p,
    pub(crate) checker: Checker,
    pub(super) agents: Vec<AgentProcess>,
    pub(super) pool: PoolProcess,
    pub(super) sockets: BTreeMap<u64, SimulatedSocket>,
    pub(super) next_socket: u64,
    pub(super) phase: Phase,
    pub(super) faults: fault_schedule::Faults,
    pub(super) attackers: Attackers,
    pub(super) hostile: Hostile,
    pub(super) operator: Operator,
    queue: BTreeMap<(u64, u64), RunEvent>,
    next_event: u64,
    events: u64,
    failure: Option<Violation>,
    trace: Trace,
    pub(super) effects: EffectLog,
}

/// What is recorded of a run: nothing, the last events, all events, or the effects of both cores as numbers.
#[derive(Debug)]
pub(crate) enum Trace {
    Off,
    Last(VecDeque<String>),
    All(Vec<String>),
    Effects,
}

/// Totals of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events handled.
    pub events: u64,
    /// Metered rows.
    pub metered: u64,
    /// Milliseconds that they bill.
    pub billed_ms: u64,
    /// Milliseconds billed to pairs of which at least one side may speak protocol 2.
    pub billed2_ms: u64,
    /// Milliseconds from the end of the faults until everything was connected again.
    pub recovery_ms: u64,
    /// With attackers: how long honest clients waited for hosts.
    pub waits: HostWaits,
    /// With attackers: metered rows of which a side is an attacker.
    pub attackers_rows: u64,
    /// Billing periods that were posted as overbilled.
    pub overbilled: u64,
    /// Effects of both cores.
    pub effects: u64,
    /// The digest over the golden encoding of all effects.
    pub digest: u64,
}

impl Simulation {
    /// The state of a seed's run before its first event.
    #[must_use]
    pub(crate) fn new(family: Family, seed: u64, trace: Trace) -> Self {
        let mut rng = SimRng::new(seed);
        let scenario = match family {
            Family::Faults => Scenario::draw(&mut rng),
            Family::Attackers => Scenario::draw_hostile(&mut rng),
            Family::Credit => Scenario::draw_credit(&mut rng),
            Family::Clock => Scenario::draw_clock(&mut rng),
        };
        let devp2p = Devp2p::new(&scenario.agents);
        let mut simulation = Self {
            now: 0,
            checker: Checker::new(&scenario),
            agents: scenario.agents.iter().map(|plan| AgentProcess::new(plan.clone())).collect(),
            pool: PoolProcess::new(&scenario, &mut rng),
            sockets: BTreeMap::new(),
            next_socket: 1,
            phase: Phase::Faults,
            faults: fault_schedule::Faults::default(),
            attackers: Attackers::default(),
            hostile: Hostile::new(scenario.agents.len()),
            operator: Operator::new(scenario.payers()),
            queue: BTreeMap::new(),
            next_event: 0,
            events: 0,
            failure: None,
            effects: EffectLog::new(matches!(trace, Trace::Effects)),
            trace,
            rng,
            scenario,
            devp2p,
        };
        simulation.at(0, RunEvent::PoolTick { incarnation: 0 });
        simulation.at(1_000, RunEvent::Sweep);
        for agent in 0..simulation.agents.len() {
            // With attackers, honest clients find all honest hosts, so that their waits can be judged.
            let hosts_first = family == Family::Attackers && simulation.agents[agent].plan.config.host.is_some();
            let start = simulation.rng.below(if hosts_first { 3_000 } else { 30_000 });
            simulation.at(start, RunEvent::AgentStarts { agent });
            simulation.at(start, RunEvent::NewHead { agent });
        }
        for group in 0..simulation.scenario.attackers.len() {
            simulation.at(1, RunEvent::AttackersAct { group });
        }
        if simulation.operator.is_there() {
            simulation.at(2, RunEvent::OperatorActs);
        }
        if !simulation.scenario.faults.is_empty() {
            simulation.at(20_000, RunEvent::Fault);
        }
        simulation
    }

    /// Runs to the end, or to the first violation.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub(crate) fn run(&mut self) -> Result<Stats, Violation> {
        while self.phase != Phase::Over {
            let Some(((now, _), event)) = self.queue.pop_first() else {
                return Promise::Progress.broken("the queue of events is empty");
            };
            self.now = now;
            self.events += 1;
            if self.events > MAX_EVENTS {
                return Promise::Progress.broken(format!("more than {MAX_EVENTS} events"));
            }
            self.trace_event(&event);
            self.dispatch(event);
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
        }
        let (metered, billed_ms) = self.checker.totals();
        let (billed2_ms, recovery_ms) = (self.checker.billed2_ms(), self.faults.recovery_ms);
        let (effects, digest) = (self.effects.count(), self.effects.digest());
        Ok(Stats {
            events: self.events,
            metered,
            billed_ms,
            billed2_ms,
            recovery_ms,
            waits: self.hostile.waits,
            attackers_rows: self.hostile.rows.all(),
            overbilled: self.pool.pool_time.overbilled,
            effects,
            digest,
        })
    }

    fn dispatch(&mut self, event: RunEvent) {
        if event.is_on_pool_machine() && self.pool.sleeps_until > self.now {
            // A machine that sleeps handles everything when it wakes, in order.
            self.at(self.pool.sleeps_until, event);
            return;
        }
        match event {
            RunEvent::SocketOpens { agent, incarnation, attempt } => self.socket_opens(agent, incarnation, attempt),
            RunEvent::ToPoolFrame { socket, frame } => self.pool_receives(socket, frame),
            RunEvent::ToAgentFrame { socket, frame } => self.agent_receives(socket, frame),
            RunEvent::AgentSeesClosed { socket, why } => self.agent_sees_closed(socket, why),
            RunEvent::PoolSeesClosed { socket } => self.pool_sees_closed(socket),
            RunEvent::AgentStarts { agent } => self.agent_starts(agent),
            RunEvent::AgentWakes { agent, incarnation } => self.agent_wakes(agent, incarnation),
            RunEvent::PollPeers { agent, incarnation } => self.poll_peers(agent, incarnation),
            RunEvent::WatchPeers { agent, incarnation, token } => self.watch_peers(agent, incarnation, token),
            RunEvent::ToAgentCore { agent, incarnation, event } => self.deliver(agent, incarnation, *event),
            RunEvent::NodeExec { agent, incarnation, task, call } => self.node_exec(agent, incarnation, task, &call),
            RunEvent::NodeLists { agent, incarnation, task } => self.node_lists(agent, incarnation, task),
            RunEvent::Probe { agent, incarnation } => self.probe(agent, incarnation),
            RunEvent::NewHead { agent } => self.head(agent),
            RunEvent::DialDue { node, peer, token } => self.dial_due(node, peer, token),
            RunEvent::DialEnds { node, boot, peer } => self.dial_ends(node, boot, peer),
            RunEvent::EndDrops { node, peer, link } => self.end_drops(node, peer, link),
            RunEvent::NodeStarts { node } => self.node_starts(node),
            RunEvent::PoolTick { incarnation } => self.pool_tick(incarnation),
            RunEvent::PoolWakes { incarnation } => self.pool_wakes(incarnation),
            RunEvent::PoolResumes { incarnation } => self.pool_resumes(incarnation),
            RunEvent::CommitEnds { incarnation } => self.commit_ends(incarnation),
            RunEvent::CallExpires { incarnation, call } => {
                self.call_ends(incarnation, call, vipnode_pool_core::CallOutcome::Expired);
            }
            RunEvent::CallLost { incarnation, call } => {
                self.call_ends(incarnation, call, vipnode_pool_core::CallOutcome::Lost);
            }
            RunEvent::CoreWorks { incarnation } => self.core_goes_on(incarnation),
            RunEvent::OperatorActs => self.operator_acts(),
            RunEvent::AttackersAct { group } => self.attackers_act(group),
            RunEvent::AttackerAnswers { call, outcome } => self.attacker_answers(call, outcome),
            RunEvent::PoolStarts => self.pool_starts(),
            RunEvent::Fault => self.fault(),
            RunEvent::Recover { what } => self.recover(what),
            RunEvent::Sweep => self.sweep(),
        }
    }

    /// Schedules an event at a virtual time (ms), after all events already scheduled for it.
    pub(crate) fn at(&mut self, at: u64, event: RunEvent) {
        self.next_event += 1;
        self.queue.insert((at.max(self.now), self.next_event), event);
    }

    /// Schedules an event at a random time from now (ms).
    pub(crate) fn within(&mut self, least_ms: u64, most_ms: u64, event: RunEvent) {
        let at = self.now + self.rng.range(least_ms, most_ms);
        self.at(at, event);
    }

    /// Records a broken promise; the first one ends the run.
    pub(crate) fn violation(&mut self, promise: Promise, detail: impl fmt::Display) {
        self.require(promise.broken(detail));
    }

    /// Records the violation that a check found, if any; the first one ends the run.
    pub(crate) fn require(&mut self, check: Result<(), Violation>) {
        if let Err(violation) = check {
            self.failure.get_or_insert(violation);
        }
    }

    fn trace_event(&mut self, event: &RunEvent) {
        if event.is_traced() {
            self.log(|| format!("{event:?}"));
        }
    }

    /// Adds a line to the trace, if there is one.
    pub(crate) fn log(&mut self, line: impl FnOnce() -> String) {
        let line = |now: u64| format!("{:>10}.{:03} {}", now / 1_000, now % 1_000, line());
        match &mut self.trace {
            Trace::Off | Trace::Effects => {}
            Trace::Last(lines) => {
                if lines.len() >= LAST_EVENTS {
                    lines.pop_front();
                }
                lines.push_back(line(self.now));
            }
            Trace::All(lines) => lines.push(line(self.now)),
        }
    }

    /// Takes what was recorded.
    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        match std::mem::replace(&mut self.trace, Trace::Off) {
            Trace::Off => Vec::new(),
            Trace::Effects => self.effects.take_lines(),
            Trace::Last(lines) => lines.into(),
            Trace::All(lines) => lines,
        }
    }
}
