use std::net::IpAddr;

use vipnode_types::{
    Account, AgentKey, AgentPublic, ChainSpec, Enode, LeaseId, LeaseSetHash, Ms, NodeId, PayoutOrder, Price,
    signed::Signature,
    wire::{
        AdmitCall, AskReply, AskRequest, ClientCriteria, ConnectReply, ConnectRequest, DialCall, EvictCall,
        EvictReason, ExplainReply, HostCapabilities, HostOffer, LeaveReason, LeaveRequest, ReportReply, ReportRequest,
        UpLease, WireError,
    },
};

use super::scenario::{list, priced};
use crate::{
    CallId, CallOutcome, ChainRequest, Command, ConnectionId, Core, Effect, Identity, Limits, MeteredPeriod, PoolCall,
    Reply, RestoreRow, Row, Steps,
};

/// A pool and the agents of a test. Each agent is a number, with a name in [`super::scenario`]; its node, socket and address
/// follow from it.
pub(crate) struct Pool {
    pub(crate) core: Core,
    pub(crate) now: Ms,
    pub(crate) calls: Vec<(ConnectionId, CallId, PoolCall)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) replies: Vec<(ConnectionId, Result<Reply, WireError>)>,
    pub(crate) closed: Vec<ConnectionId>,
    pub(crate) chain: Vec<ChainRequest>,
    /// Of the last command.
    pub(crate) steps: Steps,
    sessions: std::collections::BTreeMap<u32, Session>,
    newcomers: u32,
    handled: u64,
}

#[derive(Default, Clone)]
struct Session {
    generation: u32,
    seq: u32,
    hash: LeaseSetHash,
}

pub(crate) const START: Ms = Ms::new(1_700_000_000_000);

pub(crate) fn node(agent: u32) -> NodeId {
    let mut bytes = [1; 64];
    bytes[..4].copy_from_slice(&agent.to_be_bytes());
    NodeId::new(bytes)
}

pub(crate) fn agent_key() -> AgentPublic {
    AgentKey::from_random([9; 32]).unwrap().public()
}

pub(crate) fn chain(id: u64) -> ChainSpec {
    let mut spec: ChainSpec = ChainSpec { chain_id: id, genesis: Default::default() };
    spec.genesis.0[0] = 7;
    spec
}

/// Each agent has an address block of its own.
pub(crate) fn address(agent: u32) -> IpAddr {
    IpAddr::from([20, u8::try_from(agent / 256).unwrap(), u8::try_from(agent % 256).unwrap(), 1])
}

pub(crate) fn hello(agent: u32) -> ConnectRequest {
    ConnectRequest {
        protocol: 3,
        agent_version: "vipnode/0.1.0".into(),
        client_version: "Geth/v1.17.5".into(),
        capabilities: Vec::new(),
        min_versions: Vec::new(),
        chain: chain(1),
        enode: Some(Enode::at(node(agent), "127.0.0.1".parse().unwrap(), 30303)),
        host: None,
        client: None,
        join: None,
        allow_protocol2: false,
    }
}

pub(crate) fn host(agent: u32, slots: u32) -> ConnectRequest {
    ConnectRequest {
        host: Some(HostOffer { slots, payout: Some(order(payout(agent))), no_trials: false }),
        ..hello(agent)
    }
}

pub(crate) fn client(agent: u32) -> ConnectRequest {
    ConnectRequest { client: Some(ClientCriteria::default()), ..hello(agent) }
}

pub(crate) fn payout(agent: u32) -> Account {
    let mut bytes = [2; 20];
    bytes[..4].copy_from_slice(&agent.to_be_bytes());
    Account::new(bytes)
}

/// An order of the payout account. The core does not check its signature.
pub(crate) fn order(account: Account) -> PayoutOrder {
    PayoutOrder { account, counter: START.minus(1), signature: Signature::new([0; 64]) }
}

pub(crate) fn wei(amount: u64) -> Price {
    Price::per_minute(amount)
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    /// A pool with the limits of [`priced`].
    pub(crate) fn priced() -> Self {
        Self::with(priced())
    }

    /// Agents here answer an eviction when a test has them do so, and lose no socket before. Each billing period ends at its own time.
    pub(crate) fn with(mut limits: Limits) -> Self {
        (limits.evict_tries, limits.rollover_group_ms) = (u32::MAX, 1);
        Self::exactly(limits)
    }

    pub(crate) fn exactly(limits: Limits) -> Self {
        Self {
            core: Core::new(limits, [5; 32], START),
            now: START,
            calls: Vec::new(),
            rows: Vec::new(),
            replies: Vec::new(),
            closed: Vec::new(),
            chain: Vec::new(),
            steps: Steps::default(),
            sessions: Default::default(),
            newcomers: 0,
            handled: 0,
        }
    }

    /// An agent that no test names and that has not connected yet, in an address block of its own.
    pub(crate) fn newcomer(&mut self) -> u32 {
        self.newcomers += 1;
        assert!(self.newcomers < 50, "further address blocks are in another wide block");
        200 + self.newcomers
    }

    pub(crate) fn connection(&self, agent: u32) -> ConnectionId {
        let generation = self.sessions.get(&agent).map_or(0, |session| session.generation);
        ConnectionId { gateway: 1, connection: agent, generation }
    }

    /// One command; the index checks hold after each (they walk everything, so seldom in large pools).
    pub(crate) fn handle(&mut self, command: Command) -> Vec<Effect> {
        let mut out = Vec::new();
        self.steps = self.core.handle(self.now, command, &mut out);
        self.handled += 1;
        if self.core.gauges().nodes < 50 || self.handled.is_multiple_of(200) {
            assert_eq!(self.core.check(), Ok(()));
        }
        for effect in &out {
            match effect {
                Effect::Persist(rows) => self.rows.extend(rows.iter().cloned()),
                Effect::Call { connection, call, message, .. } => {
                    self.calls.push((*connection, *call, message.clone()));
                }
                Effect::Reply { connection, reply, .. } => self.replies.push((*connection, reply.clone())),
                Effect::Close { connection, .. } => self.closed.push(*connection),
                Effect::Chain(request) => self.chain.push(request.clone()),
            }
        }
        out
    }

    /// The pool starts: it ends what ran in a backup, and applies its payment mode.
    pub(crate) fn settle(&mut self) {
        let mut out = Vec::new();
        self.core.settle_backup(self.now, &mut out);
        self.core.settle_payment(self.now, &mut out);
        for effect in out {
            match effect {
                Effect::Persist(rows) => self.rows.extend(rows),
                Effect::Chain(request) => self.chain.push(request),
                _ => {}
            }
        }
    }

    /// The pool stops in order: it writes what it writes now and then only.
    pub(crate) fn stop(&mut self) {
        let mut out = Vec::new();
        self.core.write_all(self.now, &mut out);
        let rows =
            out.into_iter().filter_map(|effect| if let Effect::Persist(rows) = effect { Some(rows) } else { None });
        self.rows.extend(rows.flatten());
    }

    /// The reply that this very command got.
    pub(crate) fn request(&mut self, command: Command) -> Option<Result<Reply, WireError>> {
        self.handle(command).into_iter().find_map(|effect| match effect {
            Effect::Reply { reply, .. } => Some(reply),
            _ => None,
        })
    }

    /// Connects on a new socket.
    pub(crate) fn connect(&mut self, agent: u32, hello: ConnectRequest) -> Result<ConnectReply, WireError> {
        self.connect_from(agent, hello, address(agent))
    }

    /// Connects on a new socket from this address.
    pub(crate) fn connect_from(
        &mut self,
        agent: u32,
        hello: ConnectRequest,
        address: IpAddr,
    ) -> Result<ConnectReply, WireError> {
        self.connect_as(agent, hello, address, true)
    }

    /// Connects over HTTP, so that the pool cannot call it.
    pub(crate) fn connect_over_http(
        &mut self,
        agent: u32,
        hello: ConnectRequest,
        address: IpAddr,
    ) -> Result<ConnectReply, WireError> {
        self.connect_as(agent, hello, address, false)
    }

    pub(crate) fn connect_as(
        &mut self,
        agent: u32,
        hello: ConnectRequest,
        address: IpAddr,
        callable: bool,
    ) -> Result<ConnectReply, WireError> {
        let session = self.sessions.entry(agent).or_default();
        session.generation += 1;
        (session.seq, session.hash) = (0, LeaseSetHash::default());
        self.connect_delegated(agent, hello, address, callable, START.minus(9))
    }

    /// Connects on the socket that it has, with a delegation that was issued at this time.
    pub(crate) fn connect_delegated(
        &mut self,
        agent: u32,
        hello: ConnectRequest,
        address: IpAddr,
        callable: bool,
        issued: Ms,
    ) -> Result<ConnectReply, WireError> {
        let identity = Identity { node: node(agent), agent: agent_key(), issued };
        let (connection, hello) = (self.connection(agent), Box::new(hello));
        match self.request(Command::Connect { connection, request: 1, identity, address, callable, hello }) {
            Some(Ok(Reply::Connect(reply))) => Ok(*reply),
            Some(Err(error)) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn disconnect(&mut self, agent: u32) {
        let connection = self.connection(agent);
        self.handle(Command::Disconnected { connection });
    }

    /// Asks and leaves the answer in `replies`.
    pub(crate) fn ask(&mut self, agent: u32, want: u32) -> Vec<Effect> {
        self.ask_avoiding(agent, want, Vec::new())
    }

    /// As [`Self::ask`], for other hosts than these.
    pub(crate) fn ask_avoiding(&mut self, agent: u32, want: u32, avoid: Vec<NodeId>) -> Vec<Effect> {
        let ask = Box::new(AskRequest { want, avoid });
        self.handle(Command::Ask { connection: self.connection(agent), request: 2, ask })
    }

    /// A round trip to the agent was measured.
    pub(crate) fn latency(&mut self, agent: u32, rtt_us: u32) {
        self.handle(Command::Latency { connection: self.connection(agent), rtt_us });
    }

    pub(crate) fn explain(&mut self, agent: u32) -> Result<ExplainReply, WireError> {
        let connection = self.connection(agent);
        match self.request(Command::Explain { connection, request: 6 }) {
            Some(Ok(Reply::Explain(reply))) => Ok(*reply),
            Some(Err(error)) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// Takes the oldest call to an agent of the kind that `pick` takes.
    pub(crate) fn take_call<T>(&mut self, agent: u32, pick: impl Fn(&PoolCall) -> Option<T>) -> Option<(CallId, T)> {
        let to = self.connection(agent);
        let found = self.calls.iter().enumerate().find_map(|(at, (connection, call, message))| {
            Some((at, *call, (*connection == to).then(|| pick(message))??))
        });
        let (at, call, value) = found?;
        self.calls.remove(at);
        Some((call, value))
    }

    pub(crate) fn take_admit_call(&mut self, host: u32) -> Option<(CallId, AdmitCall)> {
        self.take_call(host, |call| if let PoolCall::Admit(admit) = call { Some(admit.clone()) } else { None })
    }

    pub(crate) fn take_admit(&mut self, host: u32) -> Option<(CallId, LeaseId)> {
        self.take_admit_call(host).map(|(call, admit)| (call, admit.lease))
    }

    pub(crate) fn take_dial(&mut self, agent: u32) -> Option<(CallId, DialCall)> {
        self.take_call(agent, |call| if let PoolCall::Dial(dial) = call { Some(dial.clone()) } else { None })
    }

    /// Takes the oldest evict call to an agent, which has yet to answer.
    pub(crate) fn take_evict_call(&mut self, agent: u32) -> Option<(CallId, EvictCall)> {
        self.take_call(agent, |call| if let PoolCall::Evict(evict) = call { Some(evict.clone()) } else { None })
    }

    /// The agent evicts the peer of the oldest evict call to it.
    pub(crate) fn take_evict(&mut self, agent: u32) -> Option<EvictCall> {
        let (call, evict) = self.take_evict_call(agent)?;
        self.done(call, CallOutcome::Done);
        Some(evict)
    }

    /// As [`Self::take_evict`]: why.
    pub(crate) fn evicted(&mut self, agent: u32) -> Option<EvictReason> {
        self.take_evict(agent).map(|evict| evict.reason)
    }

    pub(crate) fn done(&mut self, call: CallId, outcome: CallOutcome) {
        self.handle(Command::CallDone { call, outcome });
    }

    /// The host admits the client of the admit that waits for it.
    pub(crate) fn admit(&mut self, host: u32) -> LeaseId {
        let (call, lease) = self.take_admit(host).expect("an admit call");
        self.done(call, CallOutcome::Done);
        lease
    }

    pub(crate) fn last_ask(&self, agent: u32) -> Option<AskReply> {
        let connection = self.connection(agent);
        self.replies.iter().rev().find_map(|(to, reply)| match reply {
            Ok(Reply::Ask(ask)) if *to == connection => Some(ask.clone()),
            _ => None,
        })
    }

    fn report(&mut self, agent: u32, make: impl FnOnce(&mut Session) -> ReportRequest) -> bool {
        !self.report_reply(agent, make).resync
    }

    fn report_reply(&mut self, agent: u32, make: impl FnOnce(&mut Session) -> ReportRequest) -> ReportReply {
        let connection = self.connection(agent);
        let session = self.sessions.entry(agent).or_default();
        session.seq += 1;
        let report = Box::new(ReportRequest { seq: session.seq, ..make(session) });
        match self.request(Command::Report { connection, request: 3, report }) {
            Some(Ok(Reply::Report(reply))) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// Reports that nothing changed.
    pub(crate) fn beat(&mut self, agent: u32) {
        assert!(!self.beat_reply(agent).resync);
    }

    /// The same, with the answer.
    pub(crate) fn beat_reply(&mut self, agent: u32) -> ReportReply {
        self.report_reply(agent, |_| ReportRequest::default())
    }

    /// Reports all its leases, each with whether its peer was connected without interruption.
    pub(crate) fn full(&mut self, agent: u32, leases: &[(LeaseId, bool)]) {
        let full: Vec<UpLease> = leases.iter().map(|&(lease, kept)| UpLease { lease, continuous: kept }).collect();
        assert!(self.report(agent, |session| {
            session.hash = LeaseSetHash::of(full.iter().map(|up| up.lease));
            ReportRequest { full: Some(full), hash: Some(session.hash), ..Default::default() }
        }));
    }

    /// Reports the leases whose peers came up and went down since its last report.
    pub(crate) fn delta(&mut self, agent: u32, up: &[LeaseId], down: &[LeaseId]) {
        assert!(self.report(agent, |session| {
            session.hash = up.iter().chain(down).fold(session.hash, |hash, id| hash.toggled(*id));
            ReportRequest { up: up.into(), down: down.into(), hash: Some(session.hash), ..Default::default() }
        }));
    }

    /// Reports that the peer of a lease is connected.
    pub(crate) fn reports_up(&mut self, agent: u32, lease: LeaseId) {
        self.delta(agent, &[lease], &[]);
    }

    /// Reports that the peer of a lease is no longer connected.
    pub(crate) fn reports_down(&mut self, agent: u32, lease: LeaseId) {
        self.delta(agent, &[], &[lease]);
    }

    /// Reports that nothing changed, and what a host was seen to serve.
    pub(crate) fn sees(&mut self, agent: u32, lease: LeaseId, caps: &str) {
        let seen = vec![HostCapabilities { lease, capabilities: list(caps) }];
        assert!(self.report(agent, |_| ReportRequest { host_capabilities: seen, ..Default::default() }));
    }

    /// Reports that nothing changed but whether slots for light nodes are full.
    pub(crate) fn light_full(&mut self, agent: u32, full: bool) {
        assert!(self.report(agent, |_| ReportRequest { light_slots_full: Some(full), ..Default::default() }));
    }

    pub(crate) fn leave(&mut self, agent: u32, lease: LeaseId, reason: LeaveReason) {
        let leave = Box::new(LeaveRequest { leases: vec![lease], reason, fault: None });
        let reply = self.request(Command::Leave { connection: self.connection(agent), request: 4, leave });
        assert!(matches!(reply, Some(Ok(Reply::Done(_)))), "{reply:?}");
    }

    pub(crate) fn bye(&mut self, agent: u32) {
        let reply = self.request(Command::Bye { connection: self.connection(agent), request: 5 });
        assert!(matches!(reply, Some(Ok(Reply::Done(_)))), "{reply:?}");
    }

    /// Lets time pass with a tick at each wake, and at least each second.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while self.now < end {
            let second = self.now.plus(1000);
            let wake = self.core.next_wake().unwrap_or(second).max(self.now.plus(1));
            self.now = wake.min(second).min(end);
            self.handle(Command::Tick);
        }
    }

    /// Lets time pass while these agents report each 30 s.
    pub(crate) fn pass_with(&mut self, ms: u64, agents: &[u32]) {
        let end = self.now.plus(ms);
        while self.now < end {
            self.pass(end.since(self.now).min(30_000));
            for &agent in agents {
                self.beat(agent);
            }
        }
    }

    pub(crate) fn metered(&self) -> Vec<MeteredPeriod> {
        let metered = |row: &Row| if let Row::Metered(row) = row { Some((**row).clone()) } else { None };
        self.rows.iter().filter_map(metered).collect()
    }

    /// What each row that was metered bills, in milliseconds.
    pub(crate) fn billed_ms(&self) -> Vec<u64> {
        self.metered().iter().map(|row| row.billed_ms).collect()
    }

    /// A backup with these rows is restored, and the pool starts with it.
    pub(crate) fn restore(&mut self, backup: Vec<Row>, limits: Limits) {
        self.rows = backup;
        self.rows.push(Row::Restore(RestoreRow { at: self.now, is_settled: false }));
        self.restart(limits);
    }

    /// The process dies and a new one begins with what was written; sockets are gone.
    pub(crate) fn restart(&mut self, mut limits: Limits) {
        (limits.evict_tries, limits.rollover_group_ms) = (u32::MAX, 1);
        self.core = Core::restore(limits, [6; 32], self.now, self.rows.clone());
        self.settle();
        assert_eq!(self.core.check(), Ok(()));
        self.calls.clear();
    }
}
