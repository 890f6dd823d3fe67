//! What goes wrong, when, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ev, World, phases::Phase};
use crate::Fault;

/// What is wrong just now.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) partitioned: BTreeSet<usize>,
    pub(crate) late: BTreeSet<usize>,
    pub(crate) double: BTreeSet<usize>,
    pub(crate) flaky: BTreeSet<usize>,
    pub(crate) dies_amid: BTreeSet<usize>,
    /// Nodes that follow no blocks, and since when.
    pub(crate) stuck: BTreeMap<usize, u64>,
    pub(crate) liar: Option<usize>,
    /// The one that may lie in this run: what two lied about in turn would be billed rightly.
    lies_ever: Option<usize>,
    pub(crate) slow_commits: bool,
    pub(crate) fails_commit: bool,
    pub(crate) healed_ms: u64,
}

/// What ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Healing {
    Partition(usize),
    Late(usize),
    Double(usize),
    Flaky(usize),
    Stuck(usize),
    Severed(usize, usize),
    SlowCommits,
    Lie,
    Clock(usize),
}

impl World {
    /// Something goes wrong, and something else will.
    pub(crate) fn fault(&mut self) {
        if self.phase != Phase::Faults {
            return;
        }
        let every = self.scenario.fault_every_ms;
        self.within(1, 2 * every, Ev::Fault);
        let kinds = &self.scenario.faults;
        let kind = kinds[self.dice.index(kinds.len())];
        let agent = self.dice.index(self.agents.len());
        self.log(|| format!("fault: {kind:?} (agent {agent})"));
        match kind {
            Fault::CutSocket => {
                if let Some(socket) = self.agents[agent].socket {
                    let most_ms = self.dice.range(1, 60_000);
                    self.cut_socket(socket, most_ms);
                }
            }
            Fault::PartitionAgent => {
                self.faults.partitioned.insert(agent);
                if let Some(socket) = self.agents[agent].socket {
                    self.cut_socket(socket, 60_000);
                }
                self.within(1_000, 300_000, Ev::Heal { what: Healing::Partition(agent) });
            }
            Fault::CrashAgent => self.crash_agent(agent),
            Fault::StopAgent => {
                self.agent_stops(agent);
                self.within(6_000, 300_000, Ev::AgentStarts { agent });
            }
            Fault::RestartNode if self.devp2p.nodes[agent].up => {
                let down_ms = self.dice.range(200, 120_000);
                self.node_falls(agent, down_ms);
            }
            Fault::RestartNode => {}
            Fault::SeverNodes => self.sever(agent),
            Fault::BreakLink => {
                let ends = self.devp2p.ends(agent);
                if !ends.is_empty() {
                    let (peer, link) = ends[self.dice.index(ends.len())];
                    let most_ms = if self.dice.chance(500) { 50 } else { 30_000 };
                    self.break_link(agent, peer, link, most_ms);
                }
            }
            Fault::OtherProtocol => self.other_protocol(agent),
            Fault::CrashPool | Fault::PausePool | Fault::SlowCommits | Fault::FailCommit => self.pool_fault(kind),
            _ => self.passing_fault(kind, agent),
        }
    }

    /// A fault that ends by itself.
    fn passing_fault(&mut self, kind: Fault, agent: usize) {
        match kind {
            Fault::JumpClock => {
                let jump_s = self.dice.range(0, 7_200);
                self.agents[agent].wall_skew_s = i64::try_from(jump_s).unwrap_or(0) - 3_600;
                self.within(1_000, 600_000, Ev::Heal { what: Healing::Clock(agent) });
            }
            Fault::LateFrames => {
                self.faults.late.insert(agent);
                self.within(1_000, 200_000, Ev::Heal { what: Healing::Late(agent) });
            }
            Fault::DoubleFrames => {
                self.faults.double.insert(agent);
                self.within(1_000, 200_000, Ev::Heal { what: Healing::Double(agent) });
            }
            Fault::StickHead => {
                self.faults.stuck.entry(agent).or_insert(self.now);
                self.within(60_000, 1_500_000, Ev::Heal { what: Healing::Stuck(agent) });
            }
            Fault::Lie => {
                let liar = *self.faults.lies_ever.get_or_insert(agent);
                if self.faults.liar.is_none() {
                    self.faults.liar = Some(liar);
                    self.within(60_000, 900_000, Ev::Heal { what: Healing::Lie });
                }
            }
            Fault::FlakyNode => {
                self.faults.flaky.insert(agent);
                self.within(1_000, 200_000, Ev::Heal { what: Healing::Flaky(agent) });
            }
            _ => {}
        }
    }

    fn crash_agent(&mut self, agent: usize) {
        if self.dice.chance(400) {
            self.faults.dies_amid.insert(agent);
        } else {
            self.agent_dies(agent);
            let down_ms = if self.dice.chance(500) { 3_000 } else { 400_000 };
            self.within(10, down_ms, Ev::AgentStarts { agent });
        }
    }

    /// Where it may speak protocol 2 an agent is stopped, or killed, and comes back with the other protocol.
    fn other_protocol(&mut self, agent: usize) {
        let plan = &mut self.agents[agent].plan;
        if !plan.protocol2 {
            return;
        }
        let other = plan.protocol2_config();
        plan.config.protocol2 = if plan.config.protocol2.is_some() { None } else { Some(other) };
        if self.dice.chance(500) {
            self.agent_stops(agent);
        } else {
            self.agent_dies(agent);
        }
        self.within(6_000, 60_000, Ev::AgentStarts { agent });
    }

    fn pool_fault(&mut self, kind: Fault) {
        let short = self.dice.chance(700);
        match kind {
            Fault::CrashPool => {
                let down_ms = self.dice.range(10, if short { 10_000 } else { 400_000 });
                self.pool_crashes(down_ms, true);
            }
            Fault::PausePool => {
                let until = self.now + self.dice.range(100, if short { 20_000 } else { 400_000 });
                if self.pool.core.is_some() && self.pool.sleeps_until <= self.now {
                    self.pool.sleeps_until = until;
                    self.pool.slept_until = until;
                    self.checker.pool_sleeps(self.now, until);
                }
            }
            Fault::SlowCommits => {
                self.faults.slow_commits = true;
                self.within(10_000, 100_000, Ev::Heal { what: Healing::SlowCommits });
            }
            _ => self.faults.fails_commit = true,
        }
    }

    fn sever(&mut self, a: usize) {
        let b = self.dice.index(self.agents.len());
        if a == b {
            return;
        }
        self.devp2p.severed.insert((a.min(b), a.max(b)));
        let peer = self.devp2p.nodes[b].id;
        if let Some(link) = self.devp2p.end_of(a, peer) {
            self.break_link(a, peer, link, 30_000);
        }
        self.within(1_000, 300_000, Ev::Heal { what: Healing::Severed(a.min(b), a.max(b)) });
    }

    /// One fault ends.
    pub(crate) fn heal(&mut self, what: Healing) {
        let faults = &mut self.faults;
        match what {
            Healing::Partition(agent) => drop(faults.partitioned.remove(&agent)),
            Healing::Late(agent) => drop(faults.late.remove(&agent)),
            Healing::Double(agent) => drop(faults.double.remove(&agent)),
            Healing::Flaky(agent) => drop(faults.flaky.remove(&agent)),
            Healing::Stuck(agent) => drop(faults.stuck.remove(&agent)),
            Healing::Severed(a, b) => drop(self.devp2p.severed.remove(&(a, b))),
            Healing::SlowCommits => faults.slow_commits = false,
            Healing::Lie => faults.liar = None,
            Healing::Clock(agent) => self.agents[agent].wall_skew_s = 0,
        }
    }

    /// All faults end. What is down comes back by itself.
    pub(crate) fn heal_all(&mut self) {
        let healed_ms = self.faults.healed_ms;
        self.faults = Faults { healed_ms, ..Faults::default() };
        self.devp2p.severed.clear();
        for agent in 0..self.agents.len() {
            self.agents[agent].wall_skew_s = 0;
            if self.agents[agent].mind.is_none() {
                self.within(100, 5_000, Ev::AgentStarts { agent });
            }
        }
    }
}
