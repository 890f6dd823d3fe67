//! The pool's side of its sockets: requests, each answered once, and calls to agents, each of which ends once.

use std::collections::BTreeSet;

use vipnode_agent_core::{FromPool, PoolAnswer, RequestTag, ToPool as Request, unreleased_changes};
use vipnode_pool_core::{CallId, CallOutcome, Command, ConnectionId, Effect, Identity, PoolCall, Reply, RequestId};
use vipnode_types::{
    LeaseId, LeaseSetHash, Ms, NodeId, PayoutOrder,
    protocol2::{Call, PeerReply, Protocol2Reply, Update},
    signed::Signature,
    wire::{ReportRequest, UpLease, WireError},
};

use super::{
    RunEvent, Simulation,
    attackers::ATTACKERS,
    operator::OPERATOR,
    simulated_sockets::{ToAgentFrame, ToPoolFrame},
};
use crate::{
    EPOCH_MS,
    checks::{Promise, REPLY_MS},
};

/// After this time, an agent repeats a request that the pool refused because its store did not work.
const REFUSED_MS: u64 = 5_000;

/// A request that the core has not answered yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingRequest {
    socket: u64,
    tag: RequestTag,
    since: u64,
    /// The kind of request, for messages.
    what: &'static str,
}

impl Simulation {
    pub(crate) fn pool_receives(&mut self, number: u64, frame: ToPoolFrame) {
        let Some(socket) = self.sockets.get(&number).filter(|socket| socket.pool_end && !socket.cut) else { return };
        let (peer, agent) = (socket.peer, socket.agent);
        match frame {
            ToPoolFrame::Answer { core, call, reply } => {
                if core == self.pool.incarnation && self.pool.calls.get(&call) == Some(&number) {
                    let price = self.pool.price_calls.remove(&call).filter(|_| reply.is_ok());
                    if let Some((agent, price)) = price {
                        self.checker.lease_prices().agreed(agent, &price);
                    }
                    let outcome = reply.map_or_else(CallOutcome::Refused, |()| CallOutcome::Done);
                    self.call_ends(self.pool.incarnation, call, outcome);
                }
            }
            ToPoolFrame::Request { tag, request } => {
                let twice = self.faults.duplicated.contains(&agent) && self.rng.chance(200);
                if twice {
                    self.log(|| "the next frame arrives twice".to_owned());
                    self.request(number, peer, agent, tag, request.clone());
                }
                self.request(number, peer, agent, tag, request);
            }
        }
    }

    fn request(&mut self, socket: u64, peer: ConnectionId, agent: usize, tag: RequestTag, message: Request) {
        let request = self.pool.next_request;
        self.pool.next_request += 1;
        let nonce = self.agents[agent].next_nonce(self.now);
        if self.reports_anything(agent) || self.lies(agent) {
            self.checker.reported().falsified(agent);
        }
        let plan = &self.agents[agent].plan;
        let (what, command) = match message {
            Request::Connect(mut hello) => {
                // The agent of a host has an order of the node key for this account.
                let payout = plan.config.host.as_ref().and_then(|host| host.payout);
                if let Some((host, account)) = hello.host.as_mut().zip(payout) {
                    let signature = Signature::new([0; 64]);
                    host.payout = Some(PayoutOrder { account, counter: Ms::new(EPOCH_MS), signature });
                }
                let identity = Identity { node: plan.id, agent: plan.key, issued: Ms::new(EPOCH_MS) };
                let address = plan.ip;
                ("connect", Command::Connect { connection: peer, request, identity, address, callable: true, hello })
            }
            Request::Report(report) if self.reports_anything(agent) => {
                let report = Box::new(self.any_report(agent, report));
                ("report", Command::Report { connection: peer, request, report })
            }
            Request::Report(report) if self.lies(agent) => {
                let report = Box::new(self.lie(agent, &report));
                ("report", Command::Report { connection: peer, request, report })
            }
            Request::Report(report) => {
                ("report", Command::Report { connection: peer, request, report: Box::new(report) })
            }
            Request::Ask(ask) => ("ask", Command::Ask { connection: peer, request, ask: Box::new(ask) }),
            Request::Leave(leave) => ("leave", Command::Leave { connection: peer, request, leave: Box::new(leave) }),
            Request::Funds => ("funds", Command::Funds { connection: peer, request }),
            // No scenario has clients that pay from channels.
            Request::Voucher { .. } => return,
            Request::Bye => ("bye", Command::Bye { connection: peer, request }),
            Request::Protocol2(call) => {
                let call = match *call {
                    Call::Update(update) if self.lies(agent) => {
                        Call::Update(Update { peers: self.all_peers(agent), ..update })
                    }
                    Call::Update(update) if self.reports_anything(agent) => {
                        let mut peers = self.all_peers(agent);
                        let some = self.rng.below(1_001);
                        peers.retain(|_| self.rng.chance(some));
                        Call::Update(Update { peers, ..update })
                    }
                    call => call,
                };
                let (node, address, what) = (plan.id, plan.ip, method_name(&call));
                (what, Command::Protocol2 { connection: peer, request, node, nonce, address, callable: true, call })
            }
        };
        if matches!(command, Command::Report { .. } | Command::Protocol2 { .. }) {
            self.agent_heard(agent, socket);
            self.checker.reported().heard(agent, self.now);
        }
        self.pool.requests.insert(request, PendingRequest { socket, tag, since: self.now, what });
        self.command_from(Some(agent), self.agents[agent].plan.ip, command);
    }

    /// The report of an agent that claims to be connected on every lease it was ever given and did not undo.
    fn lie(&self, agent: usize, honest: &ReportRequest) -> ReportRequest {
        let liar = &self.agents[agent];
        let mut all: BTreeSet<LeaseId> =
            unreleased_changes(liar.journal.iter().cloned()).iter().map(|change| change.lease).collect();
        all.extend(liar.core.iter().flat_map(|core| core.view().leases).map(|lease| lease.lease));
        ReportRequest {
            full: Some(all.iter().map(|&lease| UpLease { lease, continuous: true }).collect()),
            up: Vec::new(),
            down: Vec::new(),
            hash: Some(LeaseSetHash::of(all)),
            ..honest.clone()
        }
    }

    /// The report of an agent that reports whatever the protocol allows, to be served without being billed or to harm by
    /// its word.
    fn any_report(&mut self, agent: usize, honest: ReportRequest) -> ReportRequest {
        let all = self.lie(agent, &honest);
        match self.rng.below(4) {
            0 => honest,
            1 => all,
            _ => {
                let (some, kept) = (self.rng.below(1_001), self.rng.below(1_001));
                let mut full = all.full.clone().unwrap_or_default();
                full.retain(|_| self.rng.chance(some));
                full.iter_mut().for_each(|up| up.continuous = self.rng.chance(kept));
                let hash = Some(LeaseSetHash::of(full.iter().map(|up| up.lease)));
                ReportRequest { full: Some(full), hash, ..all }
            }
        }
    }

    /// The same over protocol 2: every peer it was ever given and did not undo.
    fn all_peers(&self, agent: usize) -> Vec<NodeId> {
        let liar = &self.agents[agent];
        let mut all: BTreeSet<NodeId> =
            unreleased_changes(liar.journal.iter().cloned()).iter().map(|change| change.peer.id).collect();
        all.extend(liar.core.iter().flat_map(|core| core.view().leases).map(|lease| lease.peer));
        all.into_iter().collect()
    }

    /// Carries out an effect of the pool core, now that it may leave the process.
    pub(crate) fn release(&mut self, effect: Effect) {
        let to = match &effect {
            Effect::Reply { connection, .. } | Effect::Call { connection, .. } | Effect::Close { connection, .. } => {
                Some(*connection)
            }
            Effect::Persist(_) | Effect::Chain(_) => None,
        };
        if to.is_some_and(|to| to.gateway == OPERATOR) {
            self.operator_receives(effect);
            return;
        }
        if let Some(to) = to.filter(|to| to.gateway == ATTACKERS) {
            self.attacker_receives(to, effect);
            return;
        }
        match effect {
            Effect::Persist(_) => {}
            Effect::Reply { request, reply, .. } => {
                let Some(open) = self.pool.requests.remove(&request) else {
                    if !self.pool.forgotten.remove(&request) {
                        self.violation(
                            Promise::Replies,
                            format!("the pool answers request {request}, which is not open"),
                        );
                    }
                    return;
                };
                let answer = reply.map(|reply| match reply {
                    Reply::Connect(reply) => PoolAnswer::Connect(reply),
                    Reply::Report(reply) => PoolAnswer::Report(reply),
                    Reply::Ask(reply) => PoolAnswer::Ask(reply),
                    Reply::Protocol2(reply) => PoolAnswer::Protocol2(*reply),
                    Reply::Account(_)
                    | Reply::Funds(_)
                    | Reply::Voucher(_)
                    | Reply::Payout(_)
                    | Reply::Pricing(_)
                    | Reply::Epoch(_)
                    | Reply::Explain(_)
                    | Reply::Done(_)
                    | Reply::Linked(_)
                    | Reply::Status(_)
                    | Reply::Checked(_)
                    | Reply::Ledger(_) => PoolAnswer::Done,
                });
                self.send_to_agent(open.socket, ToAgentFrame::Answer { tag: open.tag, answer });
            }
            Effect::Call { call, message, answer_ms, .. } => {
                let incarnation = self.pool.incarnation;
                self.at(self.now + answer_ms, RunEvent::CallExpires { incarnation, call });
                let Some(socket) = self.pool.calls.get(&call).copied() else { return };
                let agent = self.sockets.get(&socket).map(|socket| socket.agent);
                if let (PoolCall::Price(price), Some(agent)) = (&message, agent) {
                    self.pool.price_calls.insert(call, (agent, price.clone()));
                }
                let message = from_pool(message);
                self.send_to_agent(socket, ToAgentFrame::Call { core: incarnation, call, message });
            }
            Effect::Close { connection: peer, .. } => {
                if let Some(number) = self.pool.sockets.get(&peer).copied() {
                    self.pool_closes(number);
                }
            }
            // The simulator has no chain.
            Effect::Chain(_) => {}
        }
    }

    /// Refuses a request, because the store does not work: the agent, or the operator, repeats it later.
    pub(super) fn refuse(&mut self, request: RequestId) {
        let Some(open) = self.pool.requests.remove(&request) else { return self.operator.disconnected() };
        let busy = WireError::busy("the pool rebuilds its state", REFUSED_MS);
        let answer = match open.what {
            "vipnode_peer" => Ok(PoolAnswer::Protocol2(Protocol2Reply::Peer(PeerReply { peers: Vec::new() }))),
            what if what.starts_with("vipnode_") => Err(busy.for_protocol2()),
            _ => Err(busy),
        };
        self.send_to_agent(open.socket, ToAgentFrame::Answer { tag: open.tag, answer });
    }

    /// Registers a call to an agent; the core is owed its end from now on.
    pub(crate) fn call_begins(&mut self, peer: ConnectionId, call: CallId) {
        if !self.pool.calls_ever.insert(call) {
            self.violation(Promise::Replies, format!("the pool uses {call:?} for two calls"));
        }
        let incarnation = self.pool.incarnation;
        let attacker = if peer.gateway == ATTACKERS { self.attacker_is_called(peer, call) } else { None };
        if let Some(socket) = attacker.or_else(|| self.pool.sockets.get(&peer).copied()) {
            self.pool.calls.insert(call, socket);
        } else {
            self.pool.calls.insert(call, 0);
            self.at(self.now, RunEvent::CallLost { incarnation, call });
        }
    }

    pub(crate) fn call_ends(&mut self, incarnation: u32, call: CallId, outcome: CallOutcome) {
        let open = if self.pool.incarnation == incarnation { self.pool.calls.remove(&call) } else { None };
        let Some(socket) = open else { return };
        let agent = self.sockets.get(&socket).map(|socket| socket.agent);
        let ip = agent.map(|agent| self.agents[agent].plan.ip).or_else(|| self.attacker_at(socket));
        match ip {
            Some(ip) => self.command_from(agent, ip, Command::CallDone { call, outcome }),
            None => self.own_command(Command::CallDone { call, outcome }),
        }
    }

    /// Ends everything that was pending on the pool's end of a lost socket.
    pub(crate) fn pool_lost_socket(&mut self, number: u64, peer: ConnectionId) {
        if self.pool.sockets.get(&peer) != Some(&number) {
            return;
        }
        self.pool.sockets.remove(&peer);
        let gone = self.pool.requests.extract_if(.., |_, open| open.socket == number).map(|(request, _)| request);
        self.pool.forgotten.extend(gone);
        let incarnation = self.pool.incarnation;
        let lost: Vec<CallId> =
            self.pool.calls.iter().filter(|(_, on)| **on == number).map(|(call, _)| *call).collect();
        for call in lost {
            self.call_ends(incarnation, call, CallOutcome::Lost);
        }
        match self.sockets.get(&number).map(|socket| socket.agent) {
            Some(agent) => {
                self.command_from(Some(agent), self.agents[agent].plan.ip, Command::Disconnected { connection: peer });
            }
            None => self.own_command(Command::Disconnected { connection: peer }),
        }
    }

    /// Checks that no request waits for longer than [`REPLY_MS`].
    pub(crate) fn check_requests(&mut self) {
        if self.pool.sleeps_until > self.now {
            return;
        }
        let late = self.pool.requests.values().find(|open| open.since + REPLY_MS < self.now).copied();
        if let Some(open) = late.filter(|open| open.since > self.pool.slept_until) {
            let agent = self.sockets.get(&open.socket).map(|socket| socket.agent);
            let detail = format!("a {} of agent {agent:?} is not answered within {REPLY_MS} ms", open.what);
            self.violation(Promise::Replies, detail);
        }
    }

    /// Now and then reports the round trip of a random socket.
    pub(crate) fn measure_latency(&mut self) {
        let peers: Vec<ConnectionId> = self.pool.sockets.keys().copied().collect();
        if !peers.is_empty() && self.rng.chance(100) {
            let peer = peers[self.rng.index(peers.len())];
            let rtt_us = self.rng.count(200, 300_000);
            self.own_command(Command::Latency { connection: peer, rtt_us });
        }
    }
}

const fn method_name(call: &Call) -> &'static str {
    match call {
        Call::Connect(_) => "vipnode_connect",
        Call::Update(_) => "vipnode_update",
        Call::Peer(_) => "vipnode_peer",
        Call::Host(_) => "vipnode_host",
        Call::Client(_) => "vipnode_client",
    }
}

/// The call as it reaches the agent.
fn from_pool(message: PoolCall) -> FromPool {
    match message {
        PoolCall::Admit(call) => FromPool::Admit(call),
        PoolCall::Evict(call) => FromPool::Evict(call),
        PoolCall::Dial(call) => FromPool::Dial(call),
        PoolCall::Price(call) => FromPool::Price(call),
        PoolCall::Whitelist(client) => FromPool::Whitelist(client),
        PoolCall::Notice(call) => FromPool::Notice(call),
    }
}
