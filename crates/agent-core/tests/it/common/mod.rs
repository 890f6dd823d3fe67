//! A test bench for an agent: events in, actions out, with short names for both.

use std::collections::BTreeMap;

use vipnode_agent_core::{
    Action, Advertise, AgentConfig, AgentCore, CallReply, DirectConfig, Event, FromPool, HostConfig, JournalEntry,
    NodeChange, NodeTask, Notice, PeerPolicy, PoolAnswer, Protocol2Config, RequestTag, StopCause, ToPool,
    unreleased_changes,
};
use vipnode_types::{
    Capability, ChainSpec, Direction, Enode, HeadFact, LeaseId, Ms, NodeFacts, NodeId, PeerCommand, PeerFact, Price,
    protocol2::{Call, Protocol2Reply, UpdateReply},
    wire::{
        AdmitCall, AskReply, AskRequest, ConnectReply, DialCall, EvictCall, EvictReason, LeaseView,
        LeasedHost as Place, LeaveRequest, PaymentTerms, ReportReply, ReportRequest, Side,
    },
};

pub const INTERVAL_MS: u64 = 60_000;

/// The node of the agent that is tested. Each node is a byte; its ID and address follow from it.
pub const OWN_NODE: u8 = 200;
/// The node that the agent has after its user replaced it.
pub const OTHER_NODE: u8 = 201;

/// The host of a test, where the agent is a client.
pub const HOST: u8 = 7;
pub const SECOND_HOST: u8 = 8;
pub const THIRD_HOST: u8 = 9;
/// The client of a test, where the agent is a host.
pub const CLIENT: u8 = 17;
pub const SECOND_CLIENT: u8 = 18;
pub const THIRD_CLIENT: u8 = 19;
pub const FOURTH_CLIENT: u8 = 20;
/// A node that is both a host and a client of the agent's.
pub const PEER: u8 = 27;
/// A peer that the node has by itself.
pub const OWN_PEER: u8 = 50;
pub const SECOND_OWN_PEER: u8 = 51;
pub const THIRD_OWN_PEER: u8 = 52;

/// The lease of a test.
pub const LEASE: LeaseId = LeaseId::new(1);
pub const SECOND_LEASE: LeaseId = LeaseId::new(2);
pub const THIRD_LEASE: LeaseId = LeaseId::new(3);

pub fn lease(number: u64) -> LeaseId {
    LeaseId::new(number)
}

pub fn node(byte: u8) -> NodeId {
    NodeId::new([byte; 64])
}

pub fn enode(byte: u8) -> Enode {
    Enode::at(node(byte), [10, 0, 0, byte].into(), 30303)
}

/// A node that is known by its ID only.
pub fn by_id(byte: u8) -> Enode {
    Enode::id_only(node(byte))
}

pub fn facts(byte: u8) -> NodeFacts {
    let chain = ChainSpec { chain_id: 1337, genesis: Default::default() };
    NodeFacts {
        dials_late: false,
        id: node(byte),
        enode: enode(byte),
        client_version: "Geth/v1.17.5".into(),
        chain,
        full: true,
        protocols: caps("eth snap"),
    }
}

/// `"eth/69 snap/1"` as a list.
pub fn caps(text: &str) -> Vec<Capability> {
    text.split_whitespace().map(|one| one.parse().unwrap()).collect()
}

pub fn peer(byte: u8) -> PeerFact {
    PeerFact {
        id: node(byte),
        ready: true,
        direction: Direction::Unknown,
        trusted: Some(false),
        is_static: Some(false),
        remote: None,
        client_version: "Geth".into(),
        caps: Vec::new(),
    }
}

fn empty_config() -> AgentConfig {
    AgentConfig {
        agent_version: String::new(),
        pool: true,
        direct: DirectConfig::default(),
        min_peers: 0,
        max_price: None,
        pay: None,
        strict: false,
        keep: Default::default(),
        policy: PeerPolicy::default(),
        host: None,
        advertise: Advertise::Node,
        // The addresses of the tests are private.
        dial_private: true,
        protocol2: None,
        allow_protocol2: false,
        request_ms: vipnode_agent_core::REQUEST_MS,
        seed: [0; 32],
    }
}

/// To a pool of the original.
pub fn protocol2(config: AgentConfig) -> AgentConfig {
    AgentConfig { protocol2: Some(Protocol2Config { update_interval_ms: INTERVAL_MS }), ..config }
}

pub fn client_config(min_peers: u32) -> AgentConfig {
    AgentConfig {
        agent_version: "vipnode/test".into(),
        min_peers,
        max_price: None,
        host: None,
        seed: [3; 32],
        ..empty_config()
    }
}

pub fn host_config(slots: u32) -> AgentConfig {
    let host = HostConfig {
        slots,
        reserve: 16,
        node_max_peers: 50,
        payout: None,
        min_price: None,
        no_trials: false,
        max_head_age_s: Some(600),
    };
    AgentConfig { host: Some(host), ..client_config(0) }
}

pub fn welcome(leases: Vec<LeaseView>) -> PoolAnswer {
    PoolAnswer::Connect(Box::new(ConnectReply {
        pool_version: "vipnode/test".into(),
        pool_id: None,
        welcome: None,
        report_interval_ms: INTERVAL_MS,
        fee_bps: 0,
        terms: PaymentTerms::default(),
        price: Price::FREE,
        leases,
        replaced: None,
        no_hosts: None,
        payout: None,
        next_price: None,
    }))
}

pub fn view(lease: LeaseId, side: Side, byte: u8) -> LeaseView {
    LeaseView { lease, side, peer: enode(byte), price: Price::FREE }
}

pub fn place(lease: LeaseId, byte: u8) -> Place {
    Place { lease, host: enode(byte), price: Price::FREE, client_version: String::new(), redial_ms: None }
}

pub fn admit(lease: LeaseId, byte: u8) -> FromPool {
    FromPool::Admit(AdmitCall {
        lease,
        client: node(byte),
        price: Price::FREE,
        client_enode: None,
        client_version: String::new(),
        light: false,
    })
}

/// Of a client that is a light node.
pub fn admit_light(lease: LeaseId, byte: u8) -> FromPool {
    let FromPool::Admit(call) = admit(lease, byte) else { unreachable!() };
    FromPool::Admit(AdmitCall { light: true, ..call })
}

pub fn evict(lease: LeaseId, byte: u8) -> FromPool {
    FromPool::Evict(EvictCall { lease, peer: node(byte), reason: EvictReason::Left, fault: None, account: None })
}

pub fn dial(lease: LeaseId, side: Side, byte: u8) -> FromPool {
    let (peer, client_version) = (enode(byte), String::new());
    FromPool::Dial(DialCall { lease, side, peer, price: Price::FREE, client_version, redial_ms: None })
}

pub struct Bench {
    pub core: AgentCore,
    pub now: Ms,
    /// What the last event brought about.
    pub out: Vec<Action>,
    pub journal: Vec<JournalEntry>,
    /// Reports and leaves are taken as soon as they are said.
    pub obliging: bool,
    /// The node's peers, as it lists them when it is asked.
    pub table: Vec<PeerFact>,
    /// Commands that the node has not finished.
    pub open: BTreeMap<NodeTask, PeerCommand>,
}

impl Bench {
    pub fn new(config: AgentConfig) -> Self {
        Self::restarted(config, Vec::new())
    }

    pub fn restarted(config: AgentConfig, journal: Vec<JournalEntry>) -> Self {
        let now = Ms::new(1_000_000);
        let core = AgentCore::new(config, unreleased_changes(journal.clone()), now);
        Self { core, now, out: Vec::new(), journal, obliging: false, table: Vec::new(), open: BTreeMap::new() }
    }

    /// With the node up and in sync, and the pool connected; the first report and ask are out.
    pub fn live(config: AgentConfig) -> Self {
        let mut bench = Self::new(config);
        bench.go_live(Vec::new());
        bench
    }

    pub fn go_live(&mut self, leases: Vec<LeaseView>) {
        self.node_up();
        self.on(Event::PoolOpen);
        let tag = self.connect_tag();
        self.answer(tag, welcome(leases));
    }

    pub fn node_up(&mut self) {
        self.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
        self.head(100, 5);
    }

    pub fn head(&mut self, number: u64, age_s: u64) {
        let head = HeadFact { number, timestamp_s: 1_700_000_000 - age_s, syncing: false };
        self.on(Event::Head { head, wall_s: 1_700_000_000 });
    }

    pub fn on(&mut self, event: Event) -> &[Action] {
        self.out.clear();
        self.step(event);
        let mut next = 0;
        while let Some(action) = self.out.get(next).cloned().filter(|_| self.obliging) {
            next += 1;
            match action {
                Action::Pool { tag, request: ToPool::Report(_) } => {
                    self.step(Event::PoolAnswers { tag, answer: Ok(PoolAnswer::Report(ReportReply::default())) });
                }
                Action::Pool { tag, request: ToPool::Leave(_) | ToPool::Bye } => {
                    self.step(Event::PoolAnswers { tag, answer: Ok(PoolAnswer::Done) });
                }
                Action::Pool { tag, request: ToPool::Protocol2(call) } if matches!(*call, Call::Update(_)) => {
                    let reply = PoolAnswer::Protocol2(Protocol2Reply::Update(UpdateReply::default()));
                    self.step(Event::PoolAnswers { tag, answer: Ok(reply) });
                }
                _ => {}
            }
        }
        &self.out
    }

    fn step(&mut self, event: Event) {
        let before = self.out.len();
        match &event {
            Event::Peers(peers) => self.table.clone_from(peers),
            Event::NodeDown { .. } => self.table.clear(),
            Event::NodeDone { task, result: Ok(()) } => {
                if let Some(PeerCommand::Drop(gone) | PeerCommand::Evict(gone)) = self.open.remove(task) {
                    self.table.retain(|peer| peer.id != gone.id);
                }
            }
            _ => {}
        }
        self.core.handle(self.now, event, &mut self.out);
        self.core.check().unwrap();
        assert!(self.core.next_wake().is_none_or(|wake| wake > self.now), "a wake-up that is due already");
        for action in &self.out[before..] {
            match action {
                Action::Journal(entry) => self.journal.push(entry.clone()),
                Action::Node { task, call } => drop(self.open.insert(*task, call.clone())),
                _ => {}
            }
        }
        // The node lists its peers at once.
        while let Some(at) = self.out.iter().position(|action| matches!(action, Action::List { .. })) {
            let Action::List { task } = self.out.remove(at) else { unreachable!() };
            self.step(Event::Listed { task, result: Ok(self.table.clone()) });
        }
    }

    /// From now on reports and leaves are taken at once; the one in `out` too.
    pub fn oblige(&mut self) {
        let out = std::mem::take(&mut self.out);
        for (tag, said) in
            out.iter().filter_map(|a| if let Action::Pool { tag, request } = a { Some((*tag, request)) } else { None })
        {
            if matches!(said, ToPool::Report(_)) {
                self.answer(tag, PoolAnswer::Report(ReportReply::default()));
            }
        }
        self.obliging = true;
        self.out = out;
    }

    pub fn after(&mut self, ms: u64) -> &[Action] {
        self.now = self.now.plus(ms);
        self.on(Event::Tick)
    }

    /// The pool makes this call; `tag` names it, for [`Self::reply`].
    pub fn call(&mut self, tag: RequestTag, call: FromPool) -> &[Action] {
        self.on(Event::PoolCalls { tag, call })
    }

    pub fn answer(&mut self, tag: RequestTag, answer: PoolAnswer) -> &[Action] {
        self.on(Event::PoolAnswers { tag, answer: Ok(answer) })
    }

    pub fn peers(&mut self, bytes: &[u8]) -> &[Action] {
        self.on(Event::Peers(bytes.iter().map(|byte| peer(*byte)).collect()))
    }

    pub fn stop(&mut self) -> &[Action] {
        self.on(Event::Stop(StopCause::Signal))
    }

    /// Completes the last call to the node; all actions since are in `out`.
    pub fn done(&mut self) -> &[Action] {
        let tasks: Vec<NodeTask> = self.node_calls().into_iter().map(|(task, _)| task).collect();
        assert!(!tasks.is_empty(), "the node got no command in {:?}", self.out);
        let mut all = Vec::new();
        for task in tasks {
            all.extend_from_slice(self.on(Event::NodeDone { task, result: Ok(()) }));
        }
        self.out = all;
        &self.out
    }

    pub fn fail(&mut self) -> &[Action] {
        let task = self.node_calls()[0].0;
        self.on(Event::NodeDone { task, result: Err("no".into()) })
    }

    pub fn node_calls(&self) -> Vec<(NodeTask, PeerCommand)> {
        let calls = self.out.iter().filter_map(|action| match action {
            Action::Node { task, call } => Some((*task, call.clone())),
            _ => None,
        });
        calls.collect()
    }

    pub fn calls(&self) -> Vec<PeerCommand> {
        self.node_calls().into_iter().map(|(_, call)| call).collect()
    }

    pub fn said(&self) -> Vec<(RequestTag, ToPool)> {
        let said = self.out.iter().filter_map(|action| match action {
            Action::Pool { tag, request } => Some((*tag, request.clone())),
            _ => None,
        });
        said.collect()
    }

    pub fn connect_tag(&self) -> RequestTag {
        self.said().into_iter().find(|(_, said)| matches!(said, ToPool::Connect(_))).expect("a connect").0
    }

    pub fn report(&self) -> Option<(RequestTag, ReportRequest)> {
        self.said().into_iter().find_map(|(tag, said)| match said {
            ToPool::Report(report) => Some((tag, report)),
            _ => None,
        })
    }

    pub fn ask(&self) -> Option<(RequestTag, AskRequest)> {
        self.said().into_iter().find_map(|(tag, said)| match said {
            ToPool::Ask(ask) => Some((tag, ask)),
            _ => None,
        })
    }

    pub fn leave(&self) -> Option<LeaveRequest> {
        self.said().into_iter().find_map(|(_, said)| match said {
            ToPool::Leave(leave) => Some(leave),
            _ => None,
        })
    }

    /// Takes the report that is in `out`.
    pub fn take_report(&mut self) -> ReportRequest {
        let (tag, report) = self.report().expect("a report");
        self.answer(tag, PoolAnswer::Report(ReportReply { resync: false, ..ReportReply::default() }));
        report
    }

    pub fn give(&mut self, places: Vec<Place>) -> &[Action] {
        let (tag, _) = self.ask().expect("an ask");
        self.answer(tag, PoolAnswer::Ask(AskReply { hosts: places, missing: 0, reason: None }))
    }

    pub fn reply(&self, tag: RequestTag) -> Option<CallReply> {
        self.out.iter().find_map(|action| match action {
            Action::Answer { tag: of, reply } if *of == tag => Some(reply.clone()),
            _ => None,
        })
    }

    pub fn notices(&self) -> Vec<Notice> {
        let notices = self.out.iter().filter_map(|action| match action {
            Action::Notice(notice) => Some(notice.clone()),
            _ => None,
        });
        notices.collect()
    }

    pub fn reconnect(&self) -> Option<u64> {
        self.out.iter().find_map(|action| match action {
            Action::Reconnect { after_ms } => Some(*after_ms),
            _ => None,
        })
    }

    /// The changes in the journal that are not undone.
    pub fn left(&self) -> Vec<NodeChange> {
        unreleased_changes(self.journal.iter().cloned())
    }

    /// A host with two slots that has admitted [`CLIENT`] for [`LEASE`].
    pub fn with_client() -> Self {
        let mut bench = Self::live(host_config(2));
        bench.take_report();
        bench.call(1, admit(LEASE, CLIENT));
        bench.done();
        assert_eq!(bench.reply(1), Some(Ok(())));
        bench
    }

    /// A client of one host: [`HOST`], for [`LEASE`], which is connected and reported.
    pub fn with_host() -> Self {
        let mut bench = Self::live(client_config(1));
        let (tag, _) = bench.report().expect("the first report");
        bench.give(vec![place(LEASE, HOST)]);
        bench.done();
        bench.answer(tag, PoolAnswer::Report(ReportReply { resync: false, ..ReportReply::default() }));
        bench.peers(&[HOST]);
        bench.take_report();
        bench
    }
}
