//! Sockets as TCP has them: in order, and lost only as a whole. Each end learns of the end when it does.

use vipnode_agent_core::{Event, FromPool, PoolAnswer, RequestTag, ToPool as Request};
use vipnode_pool_core::{CallId, ConnectionId};
use vipnode_types::wire::WireError;

use super::{Ev, World};
use crate::checks::FRAME_LATE_MS;

/// Numbers of connections that the gateway uses again, each time with another generation.
const CONNECTIONS: u64 = 8;

/// What an agent sends.
#[derive(Debug, Clone)]
pub(crate) enum ToPool {
    Request { tag: RequestTag, request: Request },
    Answer { call: CallId, reply: Result<(), WireError> },
}

/// What the pool sends.
#[derive(Debug, Clone)]
pub(crate) enum ToAgent {
    Answer { tag: RequestTag, answer: Result<PoolAnswer, WireError> },
    Call { call: CallId, message: FromPool },
}

/// One socket between an agent and the pool.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) agent: usize,
    pub(crate) peer: ConnectionId,
    /// Whether the agent reads and writes on it.
    pub(crate) agent_end: bool,
    /// Whether the pool does.
    pub(crate) pool_end: bool,
    /// Nothing gets through any more.
    pub(crate) cut: bool,
    /// When the last frame arrives; none overtakes it.
    to_pool_at: u64,
    to_agent_at: u64,
}

impl World {
    /// An agent opens a socket; how that ends it hears later.
    pub(crate) fn open_socket(&mut self, agent: usize, after_ms: u64) {
        let a = &mut self.agents[agent];
        a.attempt += 1;
        let (life, attempt) = (a.life, a.attempt);
        let took_ms = if self.faults.partitioned.contains(&agent) { 5_000 } else { self.dice.range(1, 100) };
        self.at(self.now + after_ms + took_ms, Ev::SocketOpens { agent, life, attempt });
    }

    pub(crate) fn socket_opens(&mut self, agent: usize, life: u32, attempt: u32) {
        let a = &self.agents[agent];
        if a.life != life || a.attempt != attempt || a.mind.is_none() {
            return;
        }
        if self.pool.core.is_none() || self.pool.sleeps_until > self.now || self.faults.partitioned.contains(&agent) {
            self.tell(agent, life, Event::PoolLost { why: "cannot connect".to_owned() });
            return;
        }
        let number = self.next_socket;
        self.next_socket += 1;
        let part = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let peer =
            ConnectionId { gateway: 0, connection: part(number % CONNECTIONS), generation: part(number / CONNECTIONS) };
        let (to_pool_at, to_agent_at) = (self.now, self.now);
        let socket = Socket { agent, peer, agent_end: true, pool_end: true, cut: false, to_pool_at, to_agent_at };
        self.sockets.insert(number, socket);
        self.pool.sockets.insert(peer, number);
        self.agents[agent].socket = Some(number);
        self.tell(agent, life, Event::PoolOpen);
    }

    fn latency(&mut self, agent: usize) -> u64 {
        let late = self.faults.late.contains(&agent) && self.dice.chance(200);
        if late { self.dice.range(100, FRAME_LATE_MS) } else { self.dice.range(1, 40) }
    }

    pub(crate) fn send_to_pool(&mut self, number: u64, frame: ToPool) {
        let Some(agent) = self.sockets.get(&number).map(|socket| socket.agent) else { return };
        let latency = self.latency(agent);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| !socket.cut) else { return };
        socket.to_pool_at = socket.to_pool_at.max(self.now + latency);
        let at = socket.to_pool_at;
        self.at(at, Ev::ToPool { socket: number, frame });
    }

    pub(crate) fn send_to_agent(&mut self, number: u64, frame: ToAgent) {
        let Some(agent) = self.sockets.get(&number).map(|socket| socket.agent) else { return };
        let latency = self.latency(agent);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| !socket.cut) else { return };
        socket.to_agent_at = socket.to_agent_at.max(self.now + latency);
        let at = socket.to_agent_at;
        self.at(at, Ev::ToAgent { socket: number, frame });
    }

    pub(crate) fn agent_hears(&mut self, number: u64, frame: ToAgent) {
        let Some(socket) = self.sockets.get(&number).filter(|socket| socket.agent_end && !socket.cut) else { return };
        let agent = socket.agent;
        let life = self.agents[agent].life;
        match frame {
            ToAgent::Answer { tag, answer } => {
                if self.agents[agent].waiting.remove(&tag) {
                    self.tell(agent, life, Event::PoolAnswers { tag, answer });
                }
            }
            ToAgent::Call { call, message } => {
                let a = &mut self.agents[agent];
                a.next_call += 1;
                let tag = a.next_call;
                a.calls.insert(tag, (number, call));
                self.tell(agent, life, Event::PoolCalls { tag, call: message });
            }
        }
    }

    /// The agent's end is closed by the agent: what it sent still arrives, then the pool hears of it;
    /// now and then much later.
    pub(crate) fn agent_closes(&mut self, agent: usize) {
        let Some(number) = self.agents[agent].lets_go_of_socket() else { return };
        let half_open = self.dice.chance(100);
        let late_ms = if half_open { self.dice.range(1_000, 90_000) } else { self.dice.range(1, 40) };
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        socket.agent_end = false;
        let at = socket.to_pool_at.max(self.now) + late_ms;
        self.at(at, Ev::PoolSeesClosed { socket: number });
    }

    /// The pool's end is closed by the pool.
    pub(crate) fn pool_closes(&mut self, number: u64) {
        let latency = self.dice.range(1, 40);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| socket.pool_end) else { return };
        let at = socket.to_agent_at.max(self.now + latency);
        self.at(at, Ev::AgentSeesClosed { socket: number, why: "closed by the pool" });
        self.at(self.now, Ev::PoolSeesClosed { socket: number });
    }

    /// A socket dies between its ends.
    pub(crate) fn cut_socket(&mut self, number: u64, most_ms: u64) {
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        socket.cut = true;
        self.within(0, most_ms, Ev::AgentSeesClosed { socket: number, why: "connection reset" });
        self.within(0, most_ms, Ev::PoolSeesClosed { socket: number });
    }

    pub(crate) fn agent_sees_closed(&mut self, number: u64, why: &str) {
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| socket.agent_end) else { return };
        socket.agent_end = false;
        let agent = socket.agent;
        self.forget_closed(number);
        let life = self.agents[agent].life;
        self.agents[agent].lets_go_of_socket();
        self.tell(agent, life, Event::PoolLost { why: why.to_owned() });
    }

    pub(crate) fn pool_sees_closed(&mut self, number: u64) {
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| socket.pool_end) else { return };
        socket.pool_end = false;
        let peer = socket.peer;
        self.forget_closed(number);
        self.pool_lost_socket(number, peer);
    }

    fn forget_closed(&mut self, number: u64) {
        if self.sockets.get(&number).is_some_and(|socket| !socket.agent_end && !socket.pool_end) {
            self.sockets.remove(&number);
        }
    }
}
