//! Whoever runs an agent's mind: carries out its actions in order and tells how each ended.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_agent_core::{
    Action, AgentCore, Event, GrantKind, JournalEntry, NodeCall, RequestTag, StopCause, left_undone,
};
use vipnode_pool_core::CallId;
use vipnode_types::{ChainSpec, Enode, Ms, NodeFacts};

use super::{Ev, World, sockets::ToPool};
use crate::{AgentPlan, EPOCH_MS, scenarios::capabilities};

/// Peers are listed at least this often.
const LOOK_MS: u64 = 20_000;
/// A close look begins with this wait and doubles it up to a second.
const WATCH_FIRST_MS: u64 = 5;

/// One agent's process, or what is left of it.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) plan: AgentPlan,
    /// How often it was started.
    pub(crate) life: u32,
    pub(crate) mind: Option<AgentCore>,
    /// The file on its disk.
    pub(crate) journal: Vec<JournalEntry>,
    /// Its clock against ours, fixed for a process.
    clock_skew_ms: u64,
    /// Its machine's wall clock against ours, in seconds.
    pub(crate) wall_skew_s: i64,
    /// The last nonce of protocol 2, on its disk too.
    last_nonce: u64,
    pub(crate) socket: Option<u64>,
    pub(crate) attempt: u32,
    /// Requests without an answer.
    pub(crate) waiting: BTreeSet<RequestTag>,
    /// Calls of the pool without an answer: on which socket, and the pool's name of it.
    pub(crate) calls: BTreeMap<RequestTag, (u64, CallId)>,
    pub(crate) next_call: RequestTag,
    /// The node works off its calls one after the other.
    node_free_at: u64,
    watch_until: u64,
    watch_gap_ms: u64,
    watch_token: u64,
    wakes_at: Option<u64>,
    /// What it was last told of its node: `Some(None)` that it is gone, else its boot.
    pub(crate) told_boot: Option<Option<u32>>,
    /// It is to stay away.
    pub(crate) retired: bool,
}

impl Agent {
    pub(crate) const fn new(plan: AgentPlan) -> Self {
        Self {
            plan,
            life: 0,
            mind: None,
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
            told_boot: None,
            retired: false,
        }
    }

    /// The agent's end of its socket is no more; whatever waited on it waits no more.
    pub(crate) fn lets_go_of_socket(&mut self) -> Option<u64> {
        self.waiting.clear();
        self.calls.clear();
        self.socket.take()
    }

    pub(crate) fn facts(&self) -> NodeFacts {
        NodeFacts {
            id: self.plan.id,
            // A node does not know its public address.
            enode: Enode::at(self.plan.id, std::net::Ipv4Addr::LOCALHOST.into(), 30_303),
            client_version: "Geth/v1.17.5".to_owned(),
            chain: ChainSpec { chain_id: 1_337, genesis: [7; 32].into() },
            full: true,
            protocols: capabilities(if self.plan.snap { &["eth", "snap"] } else { &["eth"] }),
        }
    }

    /// A number for a call of protocol 2, larger than all before. A clock that is wrong by more than minutes is
    /// refused in words, which is not for here.
    pub(crate) fn next_nonce(&mut self, now: u64) -> u64 {
        let wall_ms = ((EPOCH_MS + now).saturating_add_signed(self.wall_skew_s * 1_000 / 16)).max(1);
        self.last_nonce = (wall_ms * 1_000_000).max(self.last_nonce + 1);
        self.last_nonce
    }

    /// Whether the journal says of a call to the node that it is being done.
    fn journaled(&self, call: &NodeCall) -> bool {
        let (peer, kind) = match call {
            NodeCall::Admit(peer) => (peer.id, Some(GrantKind::Admitted)),
            NodeCall::Dial(peer) => (peer.id, None),
            NodeCall::Drop(_) | NodeCall::Evict(_) | NodeCall::Untrust(_) => return true,
        };
        let left = left_undone(self.journal.iter().cloned());
        left.iter().any(|grant| grant.peer.id == peer && kind.is_none_or(|kind| grant.kind == kind))
    }
}

impl World {
    pub(crate) fn agent_starts(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        if a.mind.is_some() || a.retired {
            return;
        }
        a.life += 1;
        a.told_boot = None;
        a.wakes_at = None;
        a.clock_skew_ms = self.dice.below(120_000);
        let mut config = a.plan.config.clone();
        config.seed = self.dice.seed();
        let now = Ms::new(EPOCH_MS + self.now + a.clock_skew_ms);
        let left = left_undone(a.journal.iter().cloned());
        a.mind = Some(AgentCore::new(config, left, now));
        let life = a.life;
        self.within(1, 50, Ev::Probe { agent, life });
        self.within(1, LOOK_MS, Ev::Look { agent, life });
        self.open_socket(agent, 0);
    }

    /// kill -9: only the journal stays.
    pub(crate) fn agent_dies(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        if a.mind.take().is_none() {
            return;
        }
        a.life += 1;
        self.log(|| format!("agent {agent} is killed"));
        self.agent_closes(agent);
    }

    /// Ctrl-C.
    pub(crate) fn agent_stops(&mut self, agent: usize) {
        let life = self.agents[agent].life;
        self.tell(agent, life, Event::Stop(StopCause::Signal));
    }

    pub(crate) fn agent_wakes(&mut self, agent: usize, life: u32) {
        if self.agents[agent].life == life && self.agents[agent].wakes_at == Some(self.now) {
            self.agents[agent].wakes_at = None;
            self.tell(agent, life, Event::Tick);
        }
    }

    /// Hands an event to a mind and does what it says.
    pub(crate) fn tell(&mut self, agent: usize, life: u32, event: Event) {
        let a = &mut self.agents[agent];
        let now = Ms::new(EPOCH_MS + self.now + a.clock_skew_ms);
        let Some(mind) = a.mind.as_mut().filter(|_| a.life == life) else { return };
        let mut actions = Vec::new();
        mind.handle(now, event, &mut actions);
        self.effects.agent(self.now, agent, &actions);
        let check = mind.check();
        self.hold(check.map_err(|what| format!("agent {agent}: {what}")));
        // A process may be killed between any two actions.
        let killed = self.faults.dies_amid.contains(&agent) && !actions.is_empty();
        if killed {
            let done = self.dice.index(actions.len() + 1);
            actions.truncate(done);
        }
        for action in actions {
            self.act(agent, action);
        }
        if killed {
            self.faults.dies_amid.remove(&agent);
            self.agent_dies(agent);
            self.within(100, 60_000, Ev::AgentStarts { agent });
        }
        self.plan_wake(agent);
    }

    fn plan_wake(&mut self, agent: usize) {
        let a = &mut self.agents[agent];
        let Some(wake) = a.mind.as_ref().and_then(AgentCore::next_wake) else { return };
        let at = wake.get().saturating_sub(EPOCH_MS + a.clock_skew_ms).max(self.now + 1);
        if wake != Ms::NEVER && a.wakes_at != Some(at) {
            a.wakes_at = Some(at);
            let life = a.life;
            self.at(at, Ev::AgentWakes { agent, life });
        }
    }

    fn act(&mut self, agent: usize, action: Action) {
        if !matches!(action, Action::Watch { .. } | Action::Pool { .. } | Action::Node { .. }) {
            self.log(|| format!("agent {agent}: {action:?}"));
        }
        match action {
            Action::Journal(entry) => self.agents[agent].journal.push(entry),
            Action::Node { task, call } => {
                if !self.agents[agent].journaled(&call) {
                    self.violated(format!("agent {agent} has its node do {call:?} before the journal says so"));
                }
                let took_ms = self.dice.range(1, 5);
                let a = &mut self.agents[agent];
                a.node_free_at = a.node_free_at.max(self.now) + took_ms;
                let (at, life) = (a.node_free_at, a.life);
                self.at(at, Ev::NodeExec { agent, life, task, call });
            }
            Action::Watch { for_ms } => self.watch(agent, for_ms),
            Action::Pool { tag, request } => {
                if !self.agents[agent].waiting.insert(tag) {
                    self.violated(format!("agent {agent} uses the tag {tag} twice"));
                }
                if let Some(socket) = self.agents[agent].socket {
                    self.send_to_pool(socket, ToPool::Request { tag, request });
                }
            }
            Action::Answer { tag, reply } => match self.agents[agent].calls.remove(&tag) {
                Some((socket, call)) => self.send_to_pool(socket, ToPool::Answer { call, reply }),
                None => self.violated(format!("agent {agent} answers {tag}, which nobody asked or it answered before")),
            },
            Action::Reconnect { after_ms } => {
                self.agent_closes(agent);
                self.open_socket(agent, after_ms);
            }
            // No scenario names a host.
            Action::Notice(_) | Action::Resolve { .. } => {}
            Action::Stopped { .. } => {
                self.agents[agent].mind = None;
                self.agents[agent].life += 1;
                self.agent_closes(agent);
            }
        }
    }

    fn watch(&mut self, agent: usize, for_ms: u64) {
        let a = &mut self.agents[agent];
        a.watch_until = a.watch_until.max(self.now + for_ms);
        a.watch_gap_ms = WATCH_FIRST_MS;
        a.watch_token += 1;
        let (life, token) = (a.life, a.watch_token);
        self.at(self.now + WATCH_FIRST_MS, Ev::WatchLook { agent, life, token });
    }

    pub(crate) fn watch_look(&mut self, agent: usize, life: u32, token: u64) {
        let a = &mut self.agents[agent];
        if a.life != life || a.watch_token != token || self.now > a.watch_until {
            return;
        }
        a.watch_gap_ms = (a.watch_gap_ms * 3 / 2 + 1).min(1_000);
        let at = self.now + a.watch_gap_ms;
        self.at(at, Ev::WatchLook { agent, life, token });
        self.list_peers(agent, life);
    }

    pub(crate) fn look(&mut self, agent: usize, life: u32) {
        if self.agents[agent].life == life && self.agents[agent].mind.is_some() {
            let gap_ms = self.dice.range(LOOK_MS / 4, LOOK_MS);
            self.at(self.now + gap_ms, Ev::Look { agent, life });
            self.list_peers(agent, life);
        }
    }

    /// The list is of this moment, and told a little later.
    pub(crate) fn list_peers(&mut self, agent: usize, life: u32) {
        let node = &self.devp2p.nodes[agent];
        if node.up && self.agents[agent].told_boot == Some(Some(node.boot)) {
            let event = Box::new(Event::Peers(node.peers(self.now)));
            self.within(0, 3, Ev::Tell { agent, life, event });
        }
    }
}
