//! The end and the checks of a run with strangers.

use vipnode_pool_core::{ConnectionId, Core, Effect, PoolCall};
use vipnode_types::{
    NodeId,
    wire::{ErrorCode, EvictReason},
};

use super::{Simulation, phases::Phase};
use crate::{
    Honesty,
    checks::{
        Promise,
        hostile::{Loneliness, free_service, tables},
    },
};

/// How long the pool has after the end to close the rows of agents that stopped, in ms.
const CLOSING_MS: u64 = 6 * 60_000;

/// What is observed of a run with strangers.
#[derive(Debug)]
pub(crate) struct Hostile {
    lonely: Vec<Loneliness>,
    /// When the agents were stopped.
    ended: Option<u64>,
}

impl Hostile {
    pub(crate) fn new(agents: usize) -> Self {
        Self { lonely: vec![Loneliness::default(); agents], ended: None }
    }
}

impl Simulation {
    /// Whether this run has strangers.
    pub(crate) fn is_hostile(&self) -> bool {
        !self.scenario.strangers.is_empty()
    }

    /// Every second of a run with strangers.
    pub(crate) fn sweep_hostile(&mut self) {
        if let Some(gauges) = self.pool.core.as_ref().map(Core::gauges) {
            let honest = self.agents.len() as u64;
            self.require(tables(&gauges, honest, &self.scenario.limits));
        }
        match self.hostile.ended {
            None if self.now >= self.scenario.safety_ms => {
                self.hostile.ended = Some(self.now);
                for agent in 0..self.agents.len() {
                    self.agents[agent].retired = true;
                    self.agent_stops(agent);
                }
            }
            None => self.check_service(),
            Some(ended) if self.now >= ended + CLOSING_MS => {
                self.check_free_service();
                self.phase = Phase::Over;
            }
            Some(_) => {}
        }
    }

    fn check_service(&mut self) {
        for client in 0..self.agents.len() {
            let plan = &self.agents[client].plan;
            let asks = plan.honesty == Honesty::Honest && plan.config.min_peers > 0;
            if !asks || self.agents[client].socket.is_none() {
                continue;
            }
            let hosts = (0..self.agents.len()).filter(|&other| self.agents[other].plan.config.host.is_some());
            let has_host = hosts.into_iter().any(|host| self.devp2p.connected(client, host));
            let now = self.now;
            let check = self.hostile.lonely[client].note(client, has_host, now);
            self.require(check);
        }
    }

    /// Checks what free riders used at honest hosts.
    fn check_free_service(&mut self) {
        let honest_host = |agent: &usize| {
            let plan = &self.agents[*agent].plan;
            plan.config.host.is_some() && plan.honesty == Honesty::Honest
        };
        let hosts: Vec<usize> = (0..self.agents.len()).filter(honest_host).collect();
        for client in 0..self.agents.len() {
            if self.agents[client].plan.honesty != Honesty::FreeRider {
                continue;
            }
            let served = hosts.iter().map(|&host| self.devp2p.ground_truth.overlap(client, host, 0, self.now).ms).sum();
            let billed = self.checker.billed_of(client);
            self.log(|| format!("client {client} was served {served} ms and billed {billed} ms"));
            let check = free_service(client, served, billed, hosts.len() as u64, &self.scenario.limits);
            self.require(check);
        }
    }

    /// Checks that the pool denies nothing to an honest agent because of what others report.
    pub(crate) fn check_no_lockout(&mut self, effect: &Effect) {
        let refused = match effect {
            Effect::Reply { connection, reply: Err(error), .. } if error.is(ErrorCode::Unpaired) => {
                self.honest_at(*connection).map(|agent| (agent, "refuses to give it hosts"))
            }
            Effect::Call { connection, message: PoolCall::Evict(evict), .. }
                if evict.reason == EvictReason::Unpaired =>
            {
                let apart = self.honest_at(*connection).filter(|_| self.is_honest(evict.peer));
                apart.map(|agent| (agent, "keeps it apart from an honest peer"))
            }
            _ => None,
        };
        if let Some((agent, what)) = refused {
            self.violation(Promise::NoLockout, format!("agent {agent} is honest, and the pool {what}"));
        }
    }

    fn honest_at(&self, connection: ConnectionId) -> Option<usize> {
        let socket = self.sockets.get(self.pool.sockets.get(&connection)?)?;
        (self.agents[socket.agent].plan.honesty == Honesty::Honest).then_some(socket.agent)
    }

    fn is_honest(&self, id: NodeId) -> bool {
        self.agents.iter().any(|agent| agent.plan.id == id && agent.plan.honesty == Honesty::Honest)
    }
}
