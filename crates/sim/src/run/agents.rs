//! The agents' processes: they carry out the actions of their core in order and report how each ended.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_agent_core::{
    Action, AgentCore, ChangeKind, Event, JournalEntry, RequestTag, StopCause, ToPool, unreleased_changes,
};
use vipnode_pool_core::CallId;
use vipnode_types::{Enode, Ms, NodeFacts, PeerCommand};

use super::{RunEvent, Simulation, simulated_sockets::ToPoolFrame};
use crate::{
    AgentPlan, EPOCH_MS,
    checks::Promise,
    scenarios::{capabilities, honest_chain},
};

/// Peers are listed at least this often, in ms.
const POLL_MS: u64 = 20_000;
/// The first wait of a close watch, in ms; it grows up to a second.
const WATCH_FIRST_MS: u64 = 5;

/// An agent's process while it runs, and what is left of it in between.
#[derive(Debug)]
pub(crate) struct AgentProcess {
    pub(crate) plan: AgentPlan,
    /// How often it was started.
    pub(crate) incarnation: u32,
    pub(crate) core: Option<AgentCore>,
    /// Its journal, which outlives the process.
    pub(crate) journal: Vec<JournalEntry>,
    /// How far its process clock is ahead of virtual time, in ms; drawn when the process starts.
    clock_skew_ms: u64,
    /// How far the wall clock of its machine is ahead of virtual time, in seconds.
    pub(crate) wall_skew_s: i64,
    /// The last nonce of protocol 2; outlives the process.
    last_nonce: u64,
    pub(crate) socket: Option<u64>,
    pub(crate) attempt: u32,
    /// Requests without an answer.
    pub(crate) waiting: BTreeSet<RequestTag>,
    /// Calls of the pool without an answer: the socket, the number of the core that called, and its id of the call.
    pub(crate) calls: BTreeMap<RequestTag, (u64, u32, CallId)>,
    pub(crate) next_call: RequestTag,
    /// When the node has finished the calls it was given so far; it handles one at a time.
    node_free_at: u64,
    watch_until: u64,
    watch_gap_ms: u64,
    watch_token: u64,
    wakes_at: Option<u64>,
    /// The state of its node as last reported to the core: `Some(None)` if down, else the number of its boot.
    pub(crate) reported_boot: Option<Option<u32>>,
    /// Whether it stays stopped.
    pub(crate) retired: bool,
}

impl AgentProcess {
    pub(crate) const fn new(plan: AgentPlan) -> Self {
        Self {
            plan,
            incarnation: 0,
            core: None,
            journal: Vec::new(),
            clock_skew_ms: 0,
            wall_skew_s: 0,
            last_nonce: 0,
            socket: None,
            attempt: 0,
            waiting: BTreeSet::new(),
            calls: BTreeMap::new(),
            next_call: 0,
            node_free_at: 0,
            watch_until: 0,
            watch_gap_ms: 0,
            watch_token: 0,
            wakes_at: None,
            reported_boot: None,
            retired: false,
        }
    }

    /// Drops the agent's end of its socket, with the requests and calls that were pending on it.
    pub(crate) fn release_socket(&mut self) -> Option<u64> {
        self.waiting.clear();
        self.calls.clear();
        self.socket.take()
    }

    pub(crate) fn facts(&self) -> NodeFacts {
        NodeFacts {
            dials_late: false,
            id: self.plan.id,
            // A node does not know its own public address.
            enode: Enode::at(self.plan.id, std::net::Ipv4Addr::LOCALHOST.into(), 30_303),
            client_version: "Geth/v1.17.5".to_owned(),
            chain: honest_chain(),
            full: true,
            protocols: capabilities(if self.plan.snap { &["eth", "snap"] } else { &["eth"] }),
        }
    }

    /// The nonce of the next call of protocol 2, larger than all before. The skew is reduced to some minutes: a pool
    /// rejects larger ones, which is not what these runs are about.
    pub(crate) fn next_nonce(&mut self, now: u64) -> u64 {
        let wall_ms = ((EPOCH_MS + now).saturating_add_signed(self.wall_skew_s * 1_000 / 16)).max(1);
        self.last_nonce = (wall_ms * 1_000_000).max(self.last_nonce + 1);
        self.last_nonce
    }

    /// Whether the journal has an entry for a call to the node.
    fn journaled(&self, call: &PeerCommand) -> bool {
        let (peer, kind) = match call {
            PeerCommand::Admit(peer) => (peer.id, Some([ChangeKind::Admitted, ChangeKind::Trusted])),
            PeerCommand::Dial(peer) => (peer.id, None),
            PeerCommand::Drop(_) | PeerCommand::Evict(_) | PeerCommand::Untrust(_) => return true,
        };
        let left = unreleased_changes(self.journal.iter().cloned());
        left.iter().any(|change| change.peer.id == peer && kind.is_none_or(|kinds| kinds.contains(&change.kind)))
    }
}

impl Simulation {
    pub(crate) fn agent_starts(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        if a.core.is_some() || a.retired {
            return;
        }
        a.incarnation += 1;
        a.reported_boot = None;
        a.wakes_at = None;
        a.clock_skew_ms = self.rng.below(120_000);
        let mut config = a.plan.config.clone();
        config.seed = self.rng.seed();
        let now = Ms::new(EPOCH_MS + self.now + a.clock_skew_ms);
        let left = unreleased_changes(a.journal.iter().cloned());
        a.core = Some(AgentCore::new(config, left, now));
        let incarnation = a.incarnation;
        self.within(1, 50, RunEvent::Probe { agent, incarnation });
        self.within(1, POLL_MS, RunEvent::PollPeers { agent, incarnation });
        self.open_socket(agent, 0);
    }

    /// Kills the process (SIGKILL); only what is on disk stays.
    pub(crate) fn agent_crashes(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        if a.core.take().is_none() {
            return;
        }
        a.incarnation += 1;
        self.checker.reported().killed(agent);
        self.log(|| format!("agent {agent} is killed"));
        self.agent_closes(agent);
    }

    /// Stops the agent (SIGINT).
    pub(crate) fn agent_stops(&mut self, agent: usize) {
        let incarnation = self.agents[agent].incarnation;
        self.deliver(agent, incarnation, Event::Stop(StopCause::Signal));
    }

    pub(crate) fn agent_wakes(&mut self, agent: usize, incarnation: u32) {
        if self.agents[agent].incarnation == incarnation && self.agents[agent].wakes_at == Some(self.now) {
            self.agents[agent].wakes_at = None;
            self.deliver(agent, incarnation, Event::Tick);
        }
    }

    /// Hands an event to an agent's core and carries out its actions.
    pub(crate) fn deliver(&mut self, agent: usize, incarnation: u32, event: Event) {
        let a = &mut self.agents[agent];
        let now = Ms::new(EPOCH_MS + self.now + a.clock_skew_ms);
        let Some(core) = a.core.as_mut().filter(|_| a.incarnation == incarnation) else { return };
        let mut actions = Vec::new();
        core.handle(now, event, &mut actions);
        self.effects.agent(self.now, agent, &actions);
        let check = core.check();
        self.require(check.map_err(|what| Promise::AgentInvariants.violation(format!("agent {agent}: {what}"))));
        // A process may be killed between any two of its actions.
        let killed = self.faults.crash_mid_batch.contains(&agent) && !actions.is_empty();
        if killed {
            let done = self.rng.index(actions.len() + 1);
            actions.truncate(done);
        }
        for action in actions {
            self.carry_out(agent, action);
        }
        if killed {
            self.faults.crash_mid_batch.remove(&agent);
            self.agent_crashes(agent);
            self.within(100, 60_000, RunEvent::AgentStarts { agent });
        }
        self.plan_wake(agent);
    }

    fn plan_wake(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        let Some(wake) = a.core.as_ref().and_then(AgentCore::next_wake) else { return };
        let at = wake.get().saturating_sub(EPOCH_MS + a.clock_skew_ms).max(self.now + 1);
        if wake != Ms::NEVER && a.wakes_at != Some(at) {
            a.wakes_at = Some(at);
            let incarnation = a.incarnation;
            self.at(at, RunEvent::AgentWakes { agent, incarnation });
        }
    }

    fn carry_out(&mut self, agent: usize, action: Action) {
        if !matches!(action, Action::Watch { .. } | Action::Pool { .. } | Action::Node { .. } | Action::List { .. }) {
            self.log(|| format!("agent {agent}: {action:?}"));
        }
        match action {
            Action::Journal(entry) => {
                self.agents[agent].journal.push(entry);
                self.note_leases(agent);
            }
            Action::Node { task, call } => {
                if !self.agents[agent].journaled(&call) {
                    self.violation(
                        Promise::JournalFirst,
                        format!("agent {agent} has its node do {call:?} without an entry in its journal"),
                    );
                }
                let took_ms = self.rng.range(1, 5);
                let a = &mut self.agents[agent];
                a.node_free_at = a.node_free_at.max(self.now) + took_ms;
                let (at, incarnation) = (a.node_free_at, a.incarnation);
                self.at(at, RunEvent::NodeExec { agent, incarnation, task, call });
            }
            Action::List { task } => {
                let took_ms = self.rng.range(1, 5);
                let a = &mut self.agents[agent];
                a.node_free_at = a.node_free_at.max(self.now) + took_ms;
                let (at, incarnation) = (a.node_free_at, a.incarnation);
                self.at(at, RunEvent::NodeLists { agent, incarnation, task });
            }
            Action::Watch { for_ms } => self.watch(agent, for_ms),
            Action::Pool { tag, request } => {
                if !self.agents[agent].waiting.insert(tag) {
                    self.violation(Promise::Replies, format!("agent {agent} uses the tag {tag} twice"));
                }
                if let Some(socket) = self.agents[agent].socket {
                    self.checker.reported().alive(agent, self.now);
                    if let ToPool::Report(report) = &request {
                        self.checker.reported().sent(agent, report, self.now);
                    }
                    self.send_to_pool(socket, ToPoolFrame::Request { tag, request });
                }
            }
            Action::Answer { tag, reply } => match self.agents[agent].calls.remove(&tag) {
                Some((socket, core, call)) => {
                    self.checker.reported().alive(agent, self.now);
                    self.send_to_pool(socket, ToPoolFrame::Answer { core, call, reply });
                }
                None => {
                    self.violation(Promise::Replies, format!("agent {agent} answers call {tag}, which is not open"));
                }
            },
            Action::Reconnect { after_ms } => {
                self.agent_closes(agent);
                self.open_socket(agent, after_ms);
            }
            // No scenario has hosts given by name.
            Action::Notice(_) | Action::Resolve { .. } | Action::KeepPrice(_) | Action::KeepVouchers(_) => {}
            Action::Stopped { .. } => {
                self.agents[agent].core = None;
                self.agents[agent].incarnation += 1;
                self.checker.reported().stopped(agent, self.now);
                self.agent_closes(agent);
            }
        }
    }

    fn watch(&mut self, agent: usize, for_ms: u64) {
        let a = &mut self.agents[agent];
        a.watch_until = a.watch_until.max(self.now + for_ms);
        a.watch_gap_ms = WATCH_FIRST_MS;
        a.watch_token += 1;
        let (incarnation, token) = (a.incarnation, a.watch_token);
        self.at(self.now + WATCH_FIRST_MS, RunEvent::WatchPeers { agent, incarnation, token });
    }

    pub(crate) fn watch_peers(&mut self, agent: usize, incarnation: u32, token: u64) {
        let a = &mut self.agents[agent];
        if a.incarnation != incarnation || a.watch_token != token || self.now > a.watch_until {
            return;
        }
        a.watch_gap_ms = (a.watch_gap_ms * 3 / 2 + 1).min(1_000);
        let at = self.now + a.watch_gap_ms;
        self.at(at, RunEvent::WatchPeers { agent, incarnation, token });
        self.list_peers(agent, incarnation);
    }

    pub(crate) fn poll_peers(&mut self, agent: usize, incarnation: u32) {
        if self.agents[agent].incarnation == incarnation && self.agents[agent].core.is_some() {
            let gap_ms = self.rng.range(POLL_MS / 4, POLL_MS);
            self.at(self.now + gap_ms, RunEvent::PollPeers { agent, incarnation });
            self.list_peers(agent, incarnation);
        }
    }

    /// Lists the node's peers as of now and reports them a little later.
    pub(crate) fn list_peers(&mut self, agent: usize, incarnation: u32) {
        let node = &self.devp2p.nodes[agent];
        if node.up && self.agents[agent].reported_boot == Some(Some(node.boot)) {
            let event = Box::new(Event::Peers(node.peers(self.now)));
            self.within(0, 3, RunEvent::ToAgentCore { agent, incarnation, event });
        }
    }
}
