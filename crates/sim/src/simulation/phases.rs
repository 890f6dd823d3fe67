//! First everything goes wrong, then nothing, then all stop; at each end something has to be true.

use vipnode_pool_core::Row;
use vipnode_store::Store;

use super::{Ev, World, agents::Agent, sockets::Socket};
use crate::checks::{STEADY_MS, STOP_MS, Standing, settled};

/// Sweeps between two looks at how many leases a host has.
const COUNT_EVERY_MS: u64 = 10_000;

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Things go wrong.
    Faults,
    /// Nothing goes wrong any more; since when.
    Healing(u64),
    /// Everything is connected; since when.
    Steady(u64),
    /// Everybody stops; since when, and since when everything had been connected.
    Stopping(u64, u64),
    /// Done.
    Over,
}

impl World {
    /// Each second: what has to be true always, and whether the next phase begins.
    pub(crate) fn sweep(&mut self) {
        self.at(self.now + 1_000, Ev::Sweep);
        self.check_requests();
        if self.now.is_multiple_of(COUNT_EVERY_MS) {
            let rows = self.pool.rows();
            let check = self.checker.leases(&rows);
            self.hold(check);
        }
        match self.phase {
            Phase::Faults if self.now >= self.scenario.safety_ms => {
                self.log(|| "the faults end".to_owned());
                self.heal_all();
                self.phase = Phase::Healing(self.now);
            }
            Phase::Faults | Phase::Over => {}
            Phase::Healing(since) => self.heals(since),
            Phase::Steady(since) => self.steady(since),
            Phase::Stopping(since, steady) => self.stopping(since, steady),
        }
    }

    fn heals(&mut self, since: u64) {
        if self.pool.core.is_none()
            || self.pool.sleeps_until > self.now
            || self.devp2p.nodes.iter().any(|node| !node.up)
        {
            // What is down when the faults end comes back first.
            self.phase = Phase::Healing(self.now);
            return;
        }
        match self.settled() {
            Ok(()) => {
                self.faults.healed_ms = self.now - since;
                self.log(|| "everything is connected".to_owned());
                self.phase = Phase::Steady(self.now);
            }
            Err(what) if self.now - since > self.checker.liveness_ms() => {
                let most_ms = self.checker.liveness_ms();
                self.violated(format!("{most_ms} ms after the last fault: {what}"));
            }
            Err(_) => {}
        }
    }

    fn steady(&mut self, since: u64) {
        if let Err(what) = self.settled() {
            // One that had surplus places may leave them; what is lost has to come back at once.
            self.log(|| format!("unsettled: {what}"));
            self.phase = Phase::Healing(since.saturating_sub(self.faults.healed_ms));
            return;
        }
        if self.now - since < STEADY_MS {
            return;
        }
        self.log(|| "everybody stops".to_owned());
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
            let left = vipnode_agent_core::left_undone(a.journal.iter().cloned());
            let node = &self.devp2p.nodes[agent];
            if a.mind.is_some() || !left.is_empty() || !node.trusted.is_empty() || !node.statics.is_empty() {
                let (trusted, statics) = (node.trusted.len(), node.statics.len());
                self.violated(format!(
                    "agent {agent} stopped and left {trusted} trusted, {statics} dialled, {} in its journal",
                    left.len()
                ));
            }
        }
        self.compare_store();
        let leases = self.pool.rows().into_iter().filter(|row| self.should_have_ended(row)).count();
        if leases > 0 {
            self.violated(format!("everybody stopped, and the pool still has {leases} leases"));
        }
        let mut journal = Vec::new();
        let read = self.pool.store().metered(0, usize::MAX, &mut |_, row| journal.push(row));
        self.hold(read.map_err(|error| error.to_string()));
        let check = self.checker.journal(&journal);
        self.hold(check);
        let from = if self.scenario.faults.is_empty() { 0 } else { steady };
        let check = self.checker.nothing_lost(&journal, &self.devp2p.truth, from, since);
        self.hold(check);
    }

    /// Protocol 2 has no word for leaving: what one side had not seen yet may be offered for a while longer.
    fn should_have_ended(&self, row: &Row) -> bool {
        let Row::Lease(lease) = row else { return false };
        let speaks2 = |agent: &&Agent| agent.plan.config.protocol2.is_some();
        let of = |id| self.agents.iter().find(|agent| agent.plan.id == id).filter(speaks2).is_some();
        let offered = lease.client_seen.is_none() || lease.host_seen.is_none();
        !(offered && of(lease.client) && of(lease.host))
    }

    /// Whether everybody has what there is to have, and no node keeps what it should not.
    fn settled(&self) -> Result<(), String> {
        let open = |socket: &Socket| socket.agent_end && socket.pool_end && !socket.cut;
        let live = |agent: &Agent| agent.socket.and_then(|number| self.sockets.get(&number)).is_some_and(open);
        if let Some(agent) = self.agents.iter().position(|agent| !live(agent)) {
            return Err(format!("agent {agent} is not connected to the pool"));
        }
        let rows = self.pool.rows();
        let standings = self.agents.iter().zip(&self.devp2p.nodes).map(|(agent, node)| Standing {
            id: node.id,
            wants: agent.plan.config.min_peers,
            sells: agent.plan.config.host.as_ref().map_or(0, |host| host.slots),
            snap: agent.plan.snap && agent.plan.config.protocol2.is_none(),
            needs_snap: agent.plan.needs_snap(),
            protocol2: agent.plan.config.protocol2.is_some(),
            trusted: node.trusted.iter().copied().collect(),
            dialled: node.statics.keys().copied().collect(),
        });
        let standings: Vec<Standing> = standings.collect();
        settled(&standings, &rows, self.checker.may_forbid(), |a, b| self.devp2p.connected(a, b))
    }
}
