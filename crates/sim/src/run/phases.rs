//! The phases of a run: faults, recovery, a steady span, and the stop of all agents; each ends with checks.

use vipnode_pool_core::Row;
use vipnode_store::Store;

use super::{RunEvent, Simulation, agents::AgentProcess, simulated_sockets::SimulatedSocket};
use crate::{
    FaultKind,
    checks::{Participant, Promise, STEADY_MS, STOP_MS, Violation, settled},
};

/// The time between two counts of the leases of each host, in ms.
const COUNT_EVERY_MS: u64 = 10_000;

/// The phase of a run. Times are virtual, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Faults happen.
    Faults,
    /// No more faults; since when.
    Recovery(u64),
    /// Everything is connected; since when.
    Steady(u64),
    /// All agents stop; since when, and since when everything had been connected.
    Stopping(u64, u64),
    /// The run is over.
    Over,
}

impl Simulation {
    /// Every second: what always has to hold, and whether the next phase begins.
    pub(crate) fn sweep(&mut self) {
        self.at(self.now + 1_000, RunEvent::Sweep);
        self.check_requests();
        if self.now.is_multiple_of(COUNT_EVERY_MS) {
            let rows = self.pool.rows();
            let check = self.checker.leases(&rows);
            self.require(check);
        }
        if self.is_hostile() {
            self.sweep_hostile();
            return;
        }
        match self.phase {
            Phase::Faults if self.now >= self.scenario.safety_ms => {
                self.log(|| "the faults end".to_owned());
                self.recover_all();
                self.set_clock_right();
                self.credit_all();
                self.phase = Phase::Recovery(self.now);
            }
            Phase::Faults | Phase::Over => {}
            Phase::Recovery(since) => self.recovering(since),
            Phase::Steady(since) => self.steady(since),
            Phase::Stopping(since, steady) => self.stopping(since, steady),
        }
    }

    fn recovering(&mut self, since: u64) {
        if self.pool.core.is_none()
            || self.pool.suspended.is_some()
            || self.pool.sleeps_until > self.now
            || self.devp2p.nodes.iter().any(|node| !node.up)
        {
            // What is down when the faults end has to come back first.
            self.phase = Phase::Recovery(self.now);
            return;
        }
        match self.settled() {
            Ok(()) => {
                self.faults.recovery_ms = self.now - since;
                self.log(|| "everything is connected".to_owned());
                self.phase = Phase::Steady(self.now);
            }
            Err(what) if self.now - since > self.checker.liveness_ms() => {
                let most_ms = self.checker.liveness_ms();
                self.violation(Promise::Liveness, format!("{most_ms} ms after the last fault: {}", what.detail));
            }
            Err(_) => {}
        }
    }

    fn steady(&mut self, since: u64) {
        if let Err(what) = self.settled() {
            // A client may leave surplus hosts; what is lost has to come back within the same bound.
            self.log(|| format!("unsettled: {what}"));
            self.phase = Phase::Recovery(since.saturating_sub(self.faults.recovery_ms));
            return;
        }
        if self.now - since < STEADY_MS {
            return;
        }
        self.log(|| "all agents stop".to_owned());
        for agent in 0..self.agents.len() {
            self.agents[agent].retired = true;
            self.agent_stops(agent);
        }
        self.phase = Phase::Stopping(self.now, since);
    }

    fn stopping(&mut self, since: u64, steady: u64) {
        if self.now - since < STOP_MS {
            return;
        }
        self.phase = Phase::Over;
        for agent in 0..self.agents.len() {
            let a = &self.agents[agent];
            let left = vipnode_agent_core::unreleased_changes(a.journal.iter().cloned());
            let node = &self.devp2p.nodes[agent];
            if a.core.is_some() || !left.is_empty() || !node.trusted.is_empty() || !node.statics.is_empty() {
                let (trusted, statics) = (node.trusted.len(), node.statics.len());
                let left = left.len();
                self.violation(
                    Promise::Cleanup,
                    format!(
                        "agent {agent} stopped but left {trusted} trusted peers, {statics} static peers and {left} \
                         journal entries"
                    ),
                );
            }
        }
        self.compare_store();
        let leases = self.pool.rows().into_iter().filter(|row| self.should_have_ended(row)).count();
        if leases > 0 {
            self.violation(Promise::Cleanup, format!("all agents stopped, but the pool still has {leases} leases"));
        }
        let mut journal = Vec::new();
        let read = self.pool.store().metered(0, usize::MAX, &mut |_, row| journal.push(row));
        self.require(read.map_err(|error| Promise::Durability.violation(error)));
        self.check_ledger();
        self.check_clock();
        let check = self.checker.journal(&journal);
        self.require(check);
        let lies = self.scenario.has_lone_liar();
        if lies {
            self.check_free_service();
        }
        let from = if self.scenario.faults.is_empty() && !lies { 0 } else { steady };
        // The connection of a pair does not have to end with a lease that ended for its payer's funds.
        let leased = self.operator.is_there().then_some(&self.hostile.leased);
        let check = self.checker.nothing_lost(&journal, (&self.devp2p.ground_truth, leased), from, since);
        self.require(check);
        if !self.pool_forgets() {
            let check = self.checker.reports_are_billed(&journal, self.now);
            self.require(check);
        }
    }

    /// Whether the pool may forget reports in this run: those since it last wrote the times at which it heard of its agents. A side that
    /// does not come back then cannot repeat them.
    fn pool_forgets(&self) -> bool {
        use FaultKind::{CrashPool, FailCommit, RestoreBackup};
        self.scenario.faults.iter().any(|fault| matches!(fault, CrashPool | FailCommit | RestoreBackup))
    }

    /// Protocol 2 has no message for leaving: a lease that one side has not seen yet may stay on offer for a while.
    fn should_have_ended(&self, row: &Row) -> bool {
        let Row::Lease(lease) = row else { return false };
        let speaks2 = |agent: &&AgentProcess| agent.plan.config.protocol2.is_some();
        let of = |id| self.agents.iter().find(|agent| agent.plan.id == id).filter(speaks2).is_some();
        let offered = lease.client_seen.is_none() || lease.host_seen.is_none();
        !(offered && of(lease.client) && of(lease.host))
    }

    /// Checks that everything is connected and that no node keeps what it should not.
    fn settled(&self) -> Result<(), Violation> {
        let open = |socket: &SimulatedSocket| socket.agent_end && socket.pool_end && !socket.cut;
        let live = |agent: &AgentProcess| agent.socket.and_then(|number| self.sockets.get(&number)).is_some_and(open);
        if let Some(agent) = self.agents.iter().position(|agent| !live(agent)) {
            return Promise::Liveness.broken(format!("agent {agent} is not connected to the pool"));
        }
        let rows = self.pool.rows();
        let participants = self.agents.iter().zip(&self.devp2p.nodes).map(|(agent, node)| Participant {
            id: node.id,
            wants: agent.plan.config.min_peers,
            sells: agent.plan.config.host.as_ref().map_or(0, |host| host.slots),
            snap: agent.plan.snap && agent.plan.config.protocol2.is_none(),
            needs_snap: agent.plan.needs_snap(),
            protocol2: agent.plan.config.protocol2.is_some(),
            trusted: node.trusted.iter().copied().collect(),
            dialed: node.statics.keys().copied().collect(),
        });
        let participants: Vec<Participant> = participants.collect();
        settled(&participants, &rows, self.checker.may_forbid(), |a, b| self.devp2p.connected(a, b))
    }
}
