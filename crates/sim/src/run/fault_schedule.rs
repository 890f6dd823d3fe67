//! Faults: when they happen, which agents they hit, and how long they last.

use std::collections::{BTreeMap, BTreeSet};

use super::{RunEvent, Simulation, phases::Phase};
use crate::{FaultKind, Honesty};

/// The faults in effect now.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) partitioned: BTreeSet<usize>,
    pub(crate) delayed: BTreeSet<usize>,
    pub(crate) duplicated: BTreeSet<usize>,
    pub(crate) flaky: BTreeSet<usize>,
    pub(crate) crash_mid_batch: BTreeSet<usize>,
    /// Nodes that do not follow the chain, and since when.
    pub(crate) stalled: BTreeMap<usize, u64>,
    pub(crate) liar: Option<usize>,
    /// The only agent that may send false reports in this run: what two of them report falsely in turn would be billed
    /// correctly.
    only_liar: Option<usize>,
    pub(crate) slow_commits: bool,
    pub(crate) fails_commit: bool,
    pub(crate) recovery_ms: u64,
}

/// The end of a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recovery {
    Partition(usize),
    Delayed(usize),
    Duplicated(usize),
    Flaky(usize),
    Stalled(usize),
    Severed(usize, usize),
    SlowCommits,
    FalseReports,
    Clock(usize),
}

impl Simulation {
    /// A fault happens, and the next one is scheduled.
    pub(crate) fn fault(&mut self) {
        if self.phase != Phase::Faults || (self.is_hostile() && self.now >= self.scenario.safety_ms) {
            return;
        }
        let every = self.scenario.fault_every_ms;
        self.within(1, 2 * every, RunEvent::Fault);
        let kinds = &self.scenario.faults;
        let kind = kinds[self.rng.index(kinds.len())];
        let agent = self.rng.index(self.agents.len());
        if self.scenario.spares(kind, agent) {
            return;
        }
        self.log(|| format!("fault: {kind:?} (agent {agent})"));
        match kind {
            FaultKind::CutSocket => {
                if let Some(socket) = self.agents[agent].socket {
                    let most_ms = self.rng.range(1, 60_000);
                    self.cut_socket(socket, most_ms);
                }
            }
            FaultKind::PartitionAgent => {
                self.faults.partitioned.insert(agent);
                if let Some(socket) = self.agents[agent].socket {
                    self.cut_socket(socket, 60_000);
                }
                self.within(1_000, 300_000, RunEvent::Recover { what: Recovery::Partition(agent) });
            }
            FaultKind::CrashAgent => self.crash_agent(agent),
            FaultKind::StopAgent => {
                self.agent_stops(agent);
                self.within(6_000, 300_000, RunEvent::AgentStarts { agent });
            }
            FaultKind::RestartNode if self.devp2p.nodes[agent].up => {
                let down_ms = self.rng.range(200, 120_000);
                self.node_stops(agent, down_ms);
            }
            FaultKind::RestartNode => {}
            FaultKind::SeverNodes => self.sever(agent),
            FaultKind::BreakLink => {
                let ends = self.devp2p.ends(agent);
                if !ends.is_empty() {
                    let (peer, link) = ends[self.rng.index(ends.len())];
                    let most_ms = if self.rng.chance(500) { 50 } else { 30_000 };
                    self.break_link(agent, peer, link, most_ms);
                }
            }
            FaultKind::SwitchProtocol => self.switch_protocol(agent),
            FaultKind::CrashPool
            | FaultKind::RestoreBackup
            | FaultKind::PausePool
            | FaultKind::SlowCommits
            | FaultKind::FailCommit => {
                self.pool_fault(kind);
            }
            _ => self.passing_fault(kind, agent),
        }
    }

    /// A fault that ends on its own.
    fn passing_fault(&mut self, kind: FaultKind, agent: usize) {
        match kind {
            FaultKind::JumpClock => {
                let jump_s = self.rng.range(0, 7_200);
                self.agents[agent].wall_skew_s = i64::try_from(jump_s).unwrap_or(0) - 3_600;
                self.within(1_000, 600_000, RunEvent::Recover { what: Recovery::Clock(agent) });
            }
            FaultKind::DelayFrames => {
                self.faults.delayed.insert(agent);
                self.within(1_000, 200_000, RunEvent::Recover { what: Recovery::Delayed(agent) });
            }
            FaultKind::DuplicateFrames => {
                self.faults.duplicated.insert(agent);
                self.within(1_000, 200_000, RunEvent::Recover { what: Recovery::Duplicated(agent) });
            }
            FaultKind::StallHead => {
                self.faults.stalled.entry(agent).or_insert(self.now);
                self.within(60_000, 1_500_000, RunEvent::Recover { what: Recovery::Stalled(agent) });
            }
            FaultKind::FalseReports => {
                let liar =
                    *self.faults.only_liar.get_or_insert(self.scenario.credit.league.first().copied().unwrap_or(agent));
                if self.faults.liar.is_none() {
                    self.faults.liar = Some(liar);
                    self.within(60_000, 900_000, RunEvent::Recover { what: Recovery::FalseReports });
                }
            }
            FaultKind::FlakyNode => {
                self.faults.flaky.insert(agent);
                self.within(1_000, 200_000, RunEvent::Recover { what: Recovery::Flaky(agent) });
            }
            _ => {}
        }
    }

    /// Whether an agent reports falsely now: the only one that may, or each of those in league.
    pub(super) fn lies(&self, agent: usize) -> bool {
        self.faults.liar.is_some_and(|liar| liar == agent || self.scenario.credit.league.contains(&agent))
    }

    fn crash_agent(&mut self, agent: usize) {
        if self.rng.chance(400) {
            self.faults.crash_mid_batch.insert(agent);
        } else {
            self.agent_crashes(agent);
            let down_ms = if self.rng.chance(500) { 3_000 } else { 400_000 };
            self.within(10, down_ms, RunEvent::AgentStarts { agent });
        }
    }

    /// Stops or kills an agent that may speak protocol 2; it comes back with the other protocol.
    fn switch_protocol(&mut self, agent: usize) {
        let plan = &mut self.agents[agent].plan;
        if !plan.protocol2 {
            return;
        }
        let other = plan.protocol2_config();
        plan.config.protocol2 = if plan.config.protocol2.is_some() { None } else { Some(other) };
        if self.rng.chance(500) {
            self.agent_stops(agent);
        } else {
            self.agent_crashes(agent);
        }
        self.within(6_000, 60_000, RunEvent::AgentStarts { agent });
    }

    fn pool_fault(&mut self, kind: FaultKind) {
        // With attackers the honest wait of every client is bounded, so the pool is not down for long.
        let short = self.is_hostile() || self.rng.chance(700);
        match kind {
            FaultKind::CrashPool => {
                let down_ms = self.rng.range(10, if short { 10_000 } else { 400_000 });
                if self.pool.core.is_some() {
                    self.move_clock();
                }
                self.pool_crashes(down_ms, true);
            }
            FaultKind::RestoreBackup => {
                let down_ms = self.rng.range(1_000, if short { 10_000 } else { 400_000 });
                self.restore_backup(down_ms);
            }
            FaultKind::PausePool => {
                let until = self.now + self.rng.range(100, if short { 20_000 } else { self.longest_pause_ms() });
                if self.pool.core.is_some() && self.pool.sleeps_until <= self.now {
                    self.pool.sleeps_until = until;
                    self.pool.slept_until = until;
                    self.checker.pool_sleeps(self.now, until);
                    self.hostile.pool_sleeps(self.now, until);
                }
            }
            FaultKind::SlowCommits => {
                self.faults.slow_commits = true;
                self.within(10_000, 100_000, RunEvent::Recover { what: Recovery::SlowCommits });
            }
            _ => self.faults.fails_commit = true,
        }
    }

    /// The longest pause of the pool's machine, in ms. What one liar uses for nothing is judged by the times that a pool can hear of.
    fn longest_pause_ms(&self) -> u64 {
        if self.scenario.has_lone_liar() { 400_000 } else { 700_000 }
    }

    fn sever(&mut self, a: usize) {
        let b = self.rng.index(self.agents.len());
        if a == b {
            return;
        }
        self.devp2p.severed.insert((a.min(b), a.max(b)));
        let peer = self.devp2p.nodes[b].id;
        if let Some(link) = self.devp2p.link_end(a, peer) {
            self.break_link(a, peer, link, 30_000);
        }
        self.within(1_000, 300_000, RunEvent::Recover { what: Recovery::Severed(a.min(b), a.max(b)) });
    }

    /// Ends a fault.
    pub(crate) fn recover(&mut self, what: Recovery) {
        let faults = &mut self.faults;
        match what {
            Recovery::Partition(agent) => drop(faults.partitioned.remove(&agent)),
            Recovery::Delayed(agent) => drop(faults.delayed.remove(&agent)),
            Recovery::Duplicated(agent) => drop(faults.duplicated.remove(&agent)),
            Recovery::Flaky(agent) => drop(faults.flaky.remove(&agent)),
            Recovery::Stalled(agent) => drop(faults.stalled.remove(&agent)),
            Recovery::Severed(a, b) => drop(self.devp2p.severed.remove(&(a, b))),
            Recovery::SlowCommits => faults.slow_commits = false,
            Recovery::FalseReports => faults.liar = None,
            Recovery::Clock(agent) => self.agents[agent].wall_skew_s = 0,
        }
    }

    /// The agent of a liar knows nothing of its lies. Over protocol 3, the two compare on a new socket which leases there are. Over
    /// protocol 2, the pool believes for good that a peer is gone, so the agent has to start again, which undoes everything.
    fn liar_recovers(&mut self, agent: usize) {
        if self.agents[agent].plan.config.protocol2.is_some() {
            self.agent_stops(agent);
            self.within(10_000, 20_000, RunEvent::AgentStarts { agent });
        } else if let Some(socket) = self.agents[agent].socket {
            self.cut_socket(socket, 1_000);
        }
    }

    /// Ends all faults. What is down comes back on its own.
    pub(crate) fn recover_all(&mut self) {
        let recovery_ms = self.faults.recovery_ms;
        self.faults = Faults { recovery_ms, ..Faults::default() };
        self.devp2p.severed.clear();
        for agent in 0..self.agents.len() {
            self.agents[agent].wall_skew_s = 0;
            if self.agents[agent].core.is_none() {
                self.within(100, 5_000, RunEvent::AgentStarts { agent });
            }
            if self.agents[agent].plan.honesty != Honesty::Honest {
                self.liar_recovers(agent);
            }
        }
    }
}
