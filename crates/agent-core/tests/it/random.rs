//! Random events in random order: no panic, the invariants hold, the journal is written before the node is called, and
//! nothing is left after a stop.

use std::collections::BTreeSet;

use crate::common::*;
use proptest::prelude::*;
use vipnode_agent_core::{
    Action, AgentConfig, AgentCore, ChangeKind, DirectConfig, Event, FromPool, JournalEntry, LeaseSnapshot, NameError,
    NodeTask, PoolAnswer, RequestTag, StopCause, ToPool, unreleased_changes,
};
use vipnode_types::{
    DropCause, Enode, EnodeHost, Failure, HeadFact, LeaseId, Ms, NodeId, PeerCommand, PeerFact,
    protocol2::{Call, Kind, PeerEntry, PeerReply, Protocol2ConnectReply, Protocol2Reply, UpdateReply},
    wire::{AskReply, ErrorCode, ReportReply, Side, WireError},
};

/// One thing that may happen; numbers pick among what there is.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Wake,
    NodeUp(bool),
    NodeDown,
    Peers(Vec<(u8, bool)>),
    PeerGone(u8),
    Head(bool, u64),
    Done(usize, bool),
    Stray(u64),
    PoolOpen,
    PoolLost,
    Admit(u64, u8),
    Evict(u64, u8),
    Dial(u64, u8, bool),
    Whitelist(u8),
    /// The name of a host points there now, or nowhere.
    Resolved(u8),
    /// The user names these hosts and clients.
    Configured(Vec<u8>, Vec<u8>),
    /// Answers one of the requests, perhaps again.
    Answer(usize, u8, Vec<(u64, u8, bool)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Those that a pool must not speak of are among them.
    let lease = prop_oneof![9 => 1..8u64, 1 => (0..3u64).prop_map(|number| LeaseId::direct(number).get())];
    let byte = 1..6u8;
    let step = prop_oneof![
        2 => (0..40_000u64).prop_map(Step::Wait),
        4 => Just(Step::Wake),
        2 => any::<bool>().prop_map(Step::NodeUp),
        1 => Just(Step::NodeDown),
        6 => prop::collection::vec((byte.clone(), prop::bool::weighted(0.9)), 0..6).prop_map(Step::Peers),
        2 => byte.clone().prop_map(Step::PeerGone),
        3 => (prop::bool::weighted(0.2), 0..700u64).prop_map(|(syncing, age_s)| Step::Head(syncing, age_s)),
        9 => (any::<usize>(), prop::bool::weighted(0.85)).prop_map(|(which, ok)| Step::Done(which, ok)),
        1 => any::<u64>().prop_map(Step::Stray),
        3 => Just(Step::PoolOpen),
        1 => Just(Step::PoolLost),
        6 => (lease.clone(), byte.clone()).prop_map(|(lease, byte)| Step::Admit(lease, byte)),
        4 => (lease.clone(), byte.clone()).prop_map(|(lease, byte)| Step::Evict(lease, byte)),
        5 => (lease.clone(), byte.clone(), any::<bool>()).prop_map(|(lease, byte, host)| Step::Dial(lease, byte, host)),
        6 => byte.clone().prop_map(Step::Whitelist),
        2 => (0..4u8).prop_map(Step::Resolved),
        1 => (prop::collection::btree_set(1..5u8, 0..3), prop::collection::btree_set(1..6u8, 0..3))
            .prop_map(|(hosts, allow)| Step::Configured(hosts.into_iter().collect(), allow.into_iter().collect())),
        9 => (any::<usize>(), 0..10u8, prop::collection::vec((lease, byte, any::<bool>()), 0..4))
            .prop_map(|(which, kind, leases)| Step::Answer(which, kind, leases)),
    ];
    prop::collection::vec(step, 0..120)
}

struct World {
    config: AgentConfig,
    core: AgentCore,
    now: Ms,
    journal: Vec<JournalEntry>,
    open: Vec<(NodeTask, PeerCommand)>,
    /// Lists of peers that are being read.
    lists: Vec<NodeTask>,
    peers: Vec<PeerFact>,
    /// The peers that the node may trust and dial, in the worst case: from the moment of the command, until the node
    /// confirmed the undoing.
    trusted: BTreeSet<NodeId>,
    dialed: BTreeSet<NodeId>,
    requests: Vec<(RequestTag, u8)>,
    calls: u64,
    answered: BTreeSet<RequestTag>,
    /// Calls to let a client in, and how many of them failed.
    admits: BTreeSet<RequestTag>,
    refused: u64,
    stopped: bool,
    /// The leases before the event being handled. A lease that the same event begins after a command to the same node
    /// waits until that command is answered.
    before: Vec<LeaseSnapshot>,
}

impl World {
    fn new((both, original, pool, strict): (bool, bool, bool, bool), journal: Vec<JournalEntry>) -> Self {
        let mut config = if original { protocol2(host_config(3)) } else { host_config(3) };
        config.min_peers = 2;
        config.pool = pool;
        config.strict = strict;
        config.direct = named(&[1, 4], &[2]);
        if !both {
            config.host = None;
        }
        let now = Ms::new(5_000);
        let core = AgentCore::new(config.clone(), unreleased_changes(journal.clone()), now);
        let held =
            |kind| unreleased_changes(journal.clone()).into_iter().filter(move |g| g.kind == kind).map(|g| g.peer.id);
        let (trusted, dialed) = (held(ChangeKind::Admitted).collect(), held(ChangeKind::Dialed).collect());
        Self {
            config,
            core,
            now,
            journal,
            open: vec![],
            lists: vec![],
            peers: vec![],
            trusted,
            dialed,
            requests: vec![],
            calls: 0,
            answered: BTreeSet::new(),
            admits: BTreeSet::new(),
            refused: 0,
            stopped: false,
            before: vec![],
        }
    }

    fn event(&mut self, event: Event) -> Result<(), TestCaseError> {
        let mut out = Vec::new();
        let what = format!("{event:?}");
        self.before = self.core.view().leases;
        self.core.handle(self.now, event, &mut out);
        if let Err(why) = self.core.check() {
            return Err(TestCaseError::fail(format!("{why} after {what}")));
        }
        let wake = self.core.next_wake();
        prop_assert!(wake.is_none_or(|wake| wake > self.now), "due already: {wake:?} after {what}");
        for action in out {
            prop_assert!(!self.stopped, "{action:?} after the end");
            self.act(action)?;
        }
        let counted: u64 = self.core.counters().admit_failures().map(|(_, count)| count).sum();
        prop_assert_eq!(counted, self.refused, "each client that is not let in is counted once, after {}", what);
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Resolve { .. } | Action::KeepPrice(_) | Action::KeepVouchers(_) => {}
            Action::List { task } => self.lists.push(task),
            Action::Journal(entry) => {
                if let JournalEntry::Undone { lease, kind } = &entry {
                    let held = unreleased_changes(self.journal.clone());
                    prop_assert!(held.iter().any(|g| g.lease == *lease && g.kind == *kind), "undone and never done");
                }
                self.journal.push(entry);
            }
            Action::Node { task, call } => {
                let (peer, kinds) = match &call {
                    PeerCommand::Admit(peer) | PeerCommand::Evict(peer) | PeerCommand::Untrust(peer) => {
                        (peer, &[ChangeKind::Admitted, ChangeKind::Trusted][..])
                    }
                    PeerCommand::Dial(peer) => (peer, &[ChangeKind::Admitted, ChangeKind::Dialed][..]),
                    PeerCommand::Drop(peer) => (peer, &[ChangeKind::Dialed][..]),
                };
                let held = unreleased_changes(self.journal.clone());
                let fits = |g: &vipnode_agent_core::NodeChange| g.peer.id == peer.id && kinds.contains(&g.kind);
                let leases = self.core.view().leases;
                let stranger = self.config.strict && !leases.iter().any(|lease| lease.peer == peer.id);
                if matches!(call, PeerCommand::Drop(_)) && stranger && !held.iter().any(fits) {
                    self.may_be_disconnected(peer.id)?;
                    self.open.push((task, call));
                    return Ok(());
                }
                prop_assert!(held.iter().any(fits), "{call:?} is not in the journal");
                match &call {
                    PeerCommand::Admit(_) => drop(self.trusted.insert(peer.id)),
                    PeerCommand::Dial(_) => drop(self.dialed.insert(peer.id)),
                    PeerCommand::Evict(_) | PeerCommand::Drop(_) => {
                        prop_assert!(!self.is_needed(peer.id), "{call:?} cuts a peer that another lease needs");
                    }
                    PeerCommand::Untrust(_) => {}
                }
                self.open.push((task, call));
            }
            Action::Pool { tag, request } => {
                self.names_no_direct_lease(&request)?;
                let kind = match request {
                    ToPool::Connect(_) => 0,
                    ToPool::Report(_) => 1,
                    ToPool::Ask(_) => 2,
                    // These agents have no channel.
                    ToPool::Leave(_) | ToPool::Bye | ToPool::Funds | ToPool::Voucher { .. } => 3,
                    ToPool::Protocol2(call) => match *call {
                        Call::Connect(_) => 4,
                        Call::Update(_) => 5,
                        Call::Peer(_) => 6,
                        Call::Host(_) | Call::Client(_) => return Err(TestCaseError::fail("an older call")),
                    },
                };
                prop_assert!(self.config.pool, "something is said to no pool");
                self.requests.push((tag, kind));
            }
            Action::Answer { tag, reply } => {
                prop_assert!(self.answered.insert(tag), "answered twice");
                // A call of the other protocol is none.
                let failed = reply.is_err_and(|error| !error.is(ErrorCode::MethodNotFound));
                self.refused += u64::from(failed && self.admits.contains(&tag));
            }
            Action::Stopped { .. } => self.stopped = true,
            Action::Watch { .. } | Action::Reconnect { .. } | Action::Notice(_) => {}
        }
        Ok(())
    }

    /// Whether a lease with that peer was active before the event and still is.
    fn is_needed(&self, peer: NodeId) -> bool {
        let is_active = |lease: &LeaseSnapshot| lease.peer == peer && !lease.ending;
        let was_active = |id: LeaseId| self.before.iter().any(|lease| lease.lease == id && !lease.ending);
        self.core.view().leases.iter().any(|lease| is_active(lease) && was_active(lease.lease))
    }

    /// A stranger that the node does not trust and the user did not name.
    fn may_be_disconnected(&self, peer: NodeId) -> Result<(), TestCaseError> {
        prop_assert!(peer != node(5), "a peer that the node trusts is disconnected");
        let mut named = self.config.direct.hosts.iter().chain(&self.config.direct.allow);
        prop_assert!(named.all(|named| named.id != peer), "a peer that the user named is disconnected");
        Ok(())
    }

    /// Only leases that the pool named itself are named to it.
    fn names_no_direct_lease(&self, request: &ToPool) -> Result<(), TestCaseError> {
        let named: Vec<LeaseId> = match request {
            ToPool::Report(report) => {
                let full = report.full.iter().flatten().map(|up| up.lease);
                let seen = report.host_capabilities.iter().map(|seen| seen.lease);
                full.chain(report.up.clone()).chain(report.down.clone()).chain(seen).collect()
            }
            ToPool::Leave(leave) => leave.leases.clone(),
            ToPool::Connect(_)
            | ToPool::Ask(_)
            | ToPool::Bye
            | ToPool::Funds
            | ToPool::Voucher { .. }
            | ToPool::Protocol2(_) => Vec::new(),
        };
        prop_assert!(named.iter().all(|lease| !lease.is_direct()), "{request:?} names what is none of the pool's");
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let of_pool = matches!(
            step,
            Step::PoolOpen | Step::PoolLost | Step::Admit(..) | Step::Evict(..) | Step::Dial(..) | Step::Whitelist(_)
        );
        if of_pool && !self.config.pool {
            return Ok(());
        }
        let event = match step {
            Step::Resolved(byte) => {
                let ips = vec![[10, 0, 9, byte].into()];
                let result = if byte > 0 { Ok(ips) } else { Err(NameError::NoAddress) };
                Event::Resolved { name: "four.example".into(), result }
            }
            Step::Configured(hosts, allow) => {
                self.config.direct = named(&hosts, &allow);
                Event::Configured(Box::new(self.config.clone()))
            }
            Step::Wait(ms) => {
                self.now = self.now.plus(ms);
                Event::Tick
            }
            Step::Wake => {
                self.now = self.core.next_wake().unwrap_or(self.now).max(self.now);
                Event::Tick
            }
            Step::NodeUp(same) => Event::NodeUp(Box::new(facts(if same { 200 } else { 201 }))),
            Step::NodeDown => Event::NodeDown { why: "down".into() },
            Step::Peers(peers) => {
                let fact = |(byte, ready)| PeerFact { ready, trusted: Some(byte == 5), ..peer(byte) };
                self.peers = peers.into_iter().map(fact).collect();
                Event::Peers(self.peers.clone())
            }
            Step::PeerGone(byte) => Event::PeerGone(node(byte), DropCause::Unknown),
            Step::Head(syncing, age_s) => {
                let head = HeadFact { number: self.now.get(), timestamp_s: 10_000 - age_s, syncing };
                Event::Head { head, wall_s: 10_000 }
            }
            Step::Done(which, ok) => {
                if which % 2 == 0
                    && let Some(task) = self.lists.pop()
                {
                    let result = if ok { Ok(self.peers.clone()) } else { Err("no".into()) };
                    return self.event(Event::Listed { task, result });
                }
                if self.open.is_empty() {
                    return Ok(());
                }
                let which = which % self.open.len();
                let (task, call) = self.open.swap_remove(which);
                self.done(task, &call, if ok { Ok(()) } else { Err("no".into()) })
            }
            Step::Stray(number) => Event::NodeDone { task: NodeTask(number), result: Ok(()) },
            Step::PoolOpen => Event::PoolOpen,
            Step::PoolLost => Event::PoolLost { why: "lost".into() },
            Step::Admit(number, byte) => self.call(admit(lease(number), byte)),
            Step::Evict(number, byte) => self.call(evict(lease(number), byte)),
            Step::Dial(number, byte, host) => self.call(dial(lease(number), side(host), byte)),
            Step::Whitelist(byte) => self.call(FromPool::Whitelist(node(byte))),
            Step::Answer(which, kind, leases) => {
                if self.requests.is_empty() {
                    return Ok(());
                }
                let (tag, fitting) = self.requests[self.requests.len() - 1 - which % self.requests.len().min(3)];
                Event::PoolAnswers { tag, answer: answer(fitting, kind, leases) }
            }
        };
        self.event(event)
    }

    fn done(&mut self, task: NodeTask, call: &PeerCommand, result: Result<(), Failure>) -> Event {
        if result.is_ok() {
            match call {
                PeerCommand::Admit(_) | PeerCommand::Dial(_) => {}
                PeerCommand::Untrust(peer) => drop(self.trusted.remove(&peer.id)),
                PeerCommand::Drop(peer) => drop(self.dialed.remove(&peer.id)),
                PeerCommand::Evict(peer) => {
                    self.trusted.remove(&peer.id);
                    self.dialed.remove(&peer.id);
                }
            }
        }
        Event::NodeDone { task, result }
    }

    fn call(&mut self, call: vipnode_agent_core::FromPool) -> Event {
        self.calls += 1;
        if matches!(call, FromPool::Admit(_) | FromPool::Whitelist(_)) {
            self.admits.insert(self.calls);
        }
        Event::PoolCalls { tag: self.calls, call }
    }
}

fn side(host: bool) -> Side {
    if host { Side::Host } else { Side::Client }
}

fn answer(fitting: u8, kind: u8, leases: Vec<(u64, u8, bool)>) -> Result<PoolAnswer, WireError> {
    let kind = if kind < 7 && kind != 0 { kind } else { fitting };
    match kind {
        0 if leases.len() == 3 => Err(WireError::new(ErrorCode::Internal, "no", "")),
        0 => {
            Ok(welcome(leases.into_iter().map(|(number, byte, host)| view(lease(number), side(host), byte)).collect()))
        }
        1 => Ok(PoolAnswer::Report(ReportReply { resync: leases.len() == 3, ..ReportReply::default() })),
        2 => {
            let hosts = leases.into_iter().map(|(number, byte, _)| place(lease(number), byte)).collect();
            Ok(PoolAnswer::Ask(AskReply { hosts, missing: 1, reason: None }))
        }
        4..=6 if leases.len() == 3 && leases[0].2 => Err(WireError::new(ErrorCode::Internal, "no host nodes", "")),
        4 => Ok(PoolAnswer::Protocol2(Protocol2Reply::Connect(Protocol2ConnectReply::default()))),
        5 => {
            let invalid_peers = leases.iter().map(|(_, byte, _)| node(*byte).to_string()).collect();
            let latest_block_number = leases.first().map_or(0, |(number, ..)| *number);
            let reply = UpdateReply { invalid_peers, latest_block_number, ..UpdateReply::default() };
            Ok(PoolAnswer::Protocol2(Protocol2Reply::Update(reply)))
        }
        6 => {
            let entry = |byte| PeerEntry::host(&enode(byte), Kind::Geth, Ms::ZERO, 1);
            let peers = leases.into_iter().map(|(_, byte, _)| entry(byte)).collect();
            Ok(PoolAnswer::Protocol2(Protocol2Reply::Peer(PeerReply { peers })))
        }
        _ if leases.len() == 3 => Err(WireError::busy("later", 2_000)),
        _ => Ok(PoolAnswer::Done),
    }
}

/// The fourth host is known by a name.
fn named(hosts: &[u8], allow: &[u8]) -> DirectConfig {
    let host = |byte: &u8| match byte {
        4 => Enode { host: EnodeHost::Dns("four.example".into()), ..enode(4) },
        byte => enode(*byte),
    };
    DirectConfig { hosts: hosts.iter().map(host).collect(), allow: allow.iter().copied().map(enode).collect() }
}

fn left_by_an_earlier_run() -> Vec<JournalEntry> {
    let change = |number, peer, kind| {
        JournalEntry::Done(vipnode_agent_core::NodeChange { lease: LeaseId::new(number), peer, kind })
    };
    let id = |byte| Enode::id_only(NodeId::new([byte; 64]));
    let direct = LeaseId::direct(3).get();
    vec![
        change(1, id(1), ChangeKind::Admitted),
        change(2, enode(2), ChangeKind::Dialed),
        change(direct, enode(1), ChangeKind::Dialed),
        change(direct + 1, enode(5), ChangeKind::Admitted),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_everything_is_undone_in_the_end(
        both in prop::bool::weighted(0.8),
        original in any::<bool>(),
        pool in prop::bool::weighted(0.85),
        strict in any::<bool>(),
        restarted in any::<bool>(),
        start in any::<bool>(),
        steps in steps(),
    ) {
        let mut world = World::new((both, original, pool, strict), if restarted { left_by_an_earlier_run() } else { vec![] });
        if start {
            world.event(Event::NodeUp(Box::new(facts(200))))?;
            world.step(Step::Head(false, 1))?;
            world.step(Step::PoolOpen)?;
            world.step(Step::Answer(0, 9, vec![]))?;
        }
        for step in steps {
            world.step(step)?;
        }
        if world.stopped {
            return Ok(());
        }
        world.event(Event::Stop(StopCause::Signal))?;
        if !world.stopped {
            world.event(Event::NodeUp(Box::new(facts(200))))?;
        }
        for _ in 0..200 {
            if world.stopped {
                break;
            }
            if let Some(task) = world.lists.pop() {
                let result = Ok(world.peers.clone());
                world.event(Event::Listed { task, result })?;
                continue;
            }
            match world.open.pop() {
                Some((task, call)) => {
                    let event = world.done(task, &call, Ok(()));
                    world.event(event)?;
                }
                None if unreleased_changes(world.journal.clone()).is_empty() => world.step(Step::Wake)?,
                None => world.step(Step::Wait(400))?,
            }
        }
        prop_assert!(world.stopped, "{:?}", world.core.view());
        let left = unreleased_changes(world.journal);
        prop_assert!(left.is_empty(), "{left:?} is left");
        prop_assert!(world.trusted.is_empty(), "trusted still: {:?}", world.trusted);
        prop_assert!(world.dialed.is_empty(), "dialed still: {:?}", world.dialed);
        prop_assert_eq!(world.core.next_wake(), None);
    }
}

/// Found by the test above: the list that frees the slot also shows the client, which is connected already.
#[test]
fn a_client_that_waits_for_a_slot_is_not_disconnected_as_a_stranger() {
    let mut world = World::new((true, true, true, true), left_by_an_earlier_run());
    world.event(Event::NodeUp(Box::new(facts(200)))).unwrap();
    for step in [
        Step::Head(false, 1),
        Step::PoolOpen,
        Step::Answer(0, 9, vec![]),
        Step::Peers(vec![]),
        Step::Wait(10_000),
        Step::Peers(vec![]),
        Step::Answer(1, 1, vec![]),
        Step::Wake,
        Step::Wait(5_000),
        Step::Configured(vec![], vec![]),
        Step::Wait(5_000),
        Step::Whitelist(2),
        Step::Whitelist(4),
        Step::Peers(vec![(3, true)]),
        Step::Done(0, true),
        Step::Configured(vec![], vec![1]),
        Step::Wait(10_000),
        Step::Whitelist(3),
        Step::Done(0, true),
    ] {
        world.step(step).unwrap();
    }
}
