//! Sockets as TCP provides them: frames arrive in order, and are lost only together with their socket. Each end notices
//! the loss in its own time.

use vipnode_agent_core::{Event, FromPool, PoolAnswer, RequestTag, ToPool as Request};
use vipnode_pool_core::{CallId, ConnectionId};
use vipnode_types::wire::WireError;

use super::{RunEvent, Simulation};
use crate::checks::FRAME_LATE_MS;

/// Connection numbers that the gateway reuses, each time with another generation.
const CONNECTIONS: u64 = 8;

/// A frame from an agent.
#[derive(Debug, Clone)]
pub(crate) enum ToPoolFrame {
    Request {
        tag: RequestTag,
        request: Request,
    },
    /// `core` is the number of the core that called.
    Answer {
        core: u32,
        call: CallId,
        reply: Result<(), WireError>,
    },
}

/// A frame from the pool.
#[derive(Debug, Clone)]
pub(crate) enum ToAgentFrame {
    Answer { tag: RequestTag, answer: Result<PoolAnswer, WireError> },
    Call { core: u32, call: CallId, message: FromPool },
}

/// One socket between an agent and the pool.
#[derive(Debug)]
pub(crate) struct SimulatedSocket {
    pub(crate) agent: usize,
    pub(crate) peer: ConnectionId,
    /// Whether the agent's end is open.
    pub(crate) agent_end: bool,
    /// Whether the pool's end is open.
    pub(crate) pool_end: bool,
    /// Whether it is dead in between: no frame gets through.
    pub(crate) cut: bool,
    /// When the last frame in each direction arrives; a later frame never overtakes it.
    to_pool_at: u64,
    to_agent_at: u64,
}

impl Simulation {
    /// Has an agent open a socket after `after_ms`; the outcome is an event.
    pub(crate) fn open_socket(&mut self, agent: usize, after_ms: u64) {
        let a = &mut self.agents[agent];
        a.attempt += 1;
        let (incarnation, attempt) = (a.incarnation, a.attempt);
        let took_ms = if self.faults.partitioned.contains(&agent) { 5_000 } else { self.rng.range(1, 100) };
        self.at(self.now + after_ms + took_ms, RunEvent::SocketOpens { agent, incarnation, attempt });
    }

    pub(crate) fn socket_opens(&mut self, agent: usize, incarnation: u32, attempt: u32) {
        let a = &self.agents[agent];
        if a.incarnation != incarnation || a.attempt != attempt || a.core.is_none() {
            return;
        }
        if self.pool.core.is_none() || self.pool.sleeps_until > self.now || self.faults.partitioned.contains(&agent) {
            self.deliver(agent, incarnation, Event::PoolLost { why: "cannot connect".into() });
            return;
        }
        let number = self.next_socket;
        self.next_socket += 1;
        let part = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let peer =
            ConnectionId { gateway: 0, connection: part(number % CONNECTIONS), generation: part(number / CONNECTIONS) };
        let (to_pool_at, to_agent_at) = (self.now, self.now);
        let socket =
            SimulatedSocket { agent, peer, agent_end: true, pool_end: true, cut: false, to_pool_at, to_agent_at };
        self.sockets.insert(number, socket);
        self.pool.sockets.insert(peer, number);
        self.agents[agent].socket = Some(number);
        self.deliver(agent, incarnation, Event::PoolOpen);
    }

    fn latency(&mut self, agent: usize) -> u64 {
        let late = self.faults.delayed.contains(&agent) && self.rng.chance(200);
        if late { self.rng.range(100, FRAME_LATE_MS) } else { self.rng.range(1, 40) }
    }

    pub(crate) fn send_to_pool(&mut self, number: u64, frame: ToPoolFrame) {
        let Some(agent) = self.sockets.get(&number).map(|socket| socket.agent) else { return };
        let latency = self.latency(agent);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| !socket.cut) else { return };
        socket.to_pool_at = socket.to_pool_at.max(self.now + latency);
        let at = socket.to_pool_at;
        self.at(at, RunEvent::ToPoolFrame { socket: number, frame });
    }

    pub(crate) fn send_to_agent(&mut self, number: u64, frame: ToAgentFrame) {
        let Some(agent) = self.sockets.get(&number).map(|socket| socket.agent) else { return };
        let latency = self.latency(agent);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| !socket.cut) else { return };
        socket.to_agent_at = socket.to_agent_at.max(self.now + latency);
        let at = socket.to_agent_at;
        self.at(at, RunEvent::ToAgentFrame { socket: number, frame });
    }

    pub(crate) fn agent_receives(&mut self, number: u64, frame: ToAgentFrame) {
        let Some(socket) = self.sockets.get(&number).filter(|socket| socket.agent_end && !socket.cut) else { return };
        let agent = socket.agent;
        let incarnation = self.agents[agent].incarnation;
        match frame {
            ToAgentFrame::Answer { tag, answer } => {
                if self.agents[agent].waiting.remove(&tag) {
                    self.deliver(agent, incarnation, Event::PoolAnswers { tag, answer });
                }
            }
            ToAgentFrame::Call { core, call, message } => {
                let a = &mut self.agents[agent];
                a.next_call += 1;
                let tag = a.next_call;
                a.calls.insert(tag, (number, core, call));
                self.deliver(agent, incarnation, Event::PoolCalls { tag, call: message });
            }
        }
    }

    /// Closes the agent's end. What the agent sent still arrives; the pool notices after that, sometimes much later.
    pub(crate) fn agent_closes(&mut self, agent: usize) {
        let Some(number) = self.agents[agent].release_socket() else { return };
        let half_open = self.rng.chance(100);
        let late_ms = if half_open { self.rng.range(1_000, 90_000) } else { self.rng.range(1, 40) };
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        socket.agent_end = false;
        let at = socket.to_pool_at.max(self.now) + late_ms;
        self.at(at, RunEvent::PoolSeesClosed { socket: number });
    }

    /// Closes the pool's end.
    pub(crate) fn pool_closes(&mut self, number: u64) {
        let latency = self.rng.range(1, 40);
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| socket.pool_end) else { return };
        let at = socket.to_agent_at.max(self.now + latency);
        self.at(at, RunEvent::AgentSeesClosed { socket: number, why: "closed by the pool" });
        self.at(self.now, RunEvent::PoolSeesClosed { socket: number });
    }

    /// Cuts a socket in between; each end notices within `most_ms` ms.
    pub(crate) fn cut_socket(&mut self, number: u64, most_ms: u64) {
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        socket.cut = true;
        self.within(0, most_ms, RunEvent::AgentSeesClosed { socket: number, why: "connection reset" });
        self.within(0, most_ms, RunEvent::PoolSeesClosed { socket: number });
    }

    pub(crate) fn agent_sees_closed(&mut self, number: u64, why: &str) {
        let Some(socket) = self.sockets.get_mut(&number).filter(|socket| socket.agent_end) else { return };
        socket.agent_end = false;
        let agent = socket.agent;
        self.forget_closed(number);
        let incarnation = self.agents[agent].incarnation;
        self.agents[agent].release_socket();
        self.deliver(agent, incarnation, Event::PoolLost { why: why.into() });
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
