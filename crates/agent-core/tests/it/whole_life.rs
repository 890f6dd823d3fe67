//! The whole life of a lease: two cores, two simple nodes, and a simple pool, driven by a script.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::common::{
    LEASE, SECOND_LEASE, admit, client_config, enode, facts, host_config, lease, peer, place, welcome,
};
use vipnode_agent_core::{
    Action, AgentCore, Event, FromPool, JournalEntry, PoolAnswer, StopCause, ToPool, unreleased_changes,
};
use vipnode_types::{
    Enode, HeadFact, LeaseId, Ms, PeerCommand,
    wire::{AskReply, EvictCall, EvictReason, ReportReply, ReportRequest},
};

const HOST: usize = 0;
const CLIENT: usize = 1;
/// Node ids of the two.
const IDS: [u8; 2] = [100, 101];

/// Everything but the cores: who trusts and dials whom, and what the pool heard.
struct World {
    now: Ms,
    cores: [AgentCore; 2],
    events: VecDeque<(usize, Event)>,
    trusted: BTreeSet<(usize, u8)>,
    dialed: BTreeSet<(usize, u8)>,
    journal: [Vec<JournalEntry>; 2],
    reports: [Vec<ReportRequest>; 2],
    /// An ask of the client that waits for the host's answer to an admit.
    ask: Option<u64>,
    given: u64,
    stopped: [bool; 2],
    seen: BTreeMap<usize, bool>,
}

impl World {
    fn new() -> Self {
        let now = Ms::new(1_000);
        let cores = [host_config(2), client_config(1)].map(|config| AgentCore::new(config, [], now));
        Self {
            now,
            cores,
            events: VecDeque::new(),
            trusted: BTreeSet::new(),
            dialed: BTreeSet::new(),
            journal: Default::default(),
            reports: Default::default(),
            ask: None,
            given: 0,
            stopped: [false; 2],
            seen: BTreeMap::new(),
        }
    }

    /// The nodes meet only where the client dials and the host trusts: its own places are full.
    fn connected(&self) -> bool {
        self.dialed.contains(&(CLIENT, IDS[HOST])) && self.trusted.contains(&(HOST, IDS[CLIENT]))
    }

    fn handle(&mut self, who: usize, event: Event) {
        self.events.push_back((who, event));
        while let Some((who, event)) = self.events.pop_front() {
            let mut out = Vec::new();
            self.cores[who].handle(self.now, event, &mut out);
            self.cores[who].check().unwrap();
            for action in out {
                self.act(who, action);
            }
            self.see();
        }
    }

    /// Both agents see at once when the pair connects or parts.
    fn see(&mut self) {
        for who in [HOST, CLIENT] {
            if !self.stopped[who] && self.seen.insert(who, self.connected()) != Some(self.connected()) {
                let peers = if self.connected() { vec![peer(IDS[1 - who])] } else { vec![] };
                self.events.push_back((who, Event::Peers(peers)));
            }
        }
    }

    fn act(&mut self, who: usize, action: Action) {
        match action {
            Action::Journal(entry) => self.journal[who].push(entry),
            Action::KeepVouchers(_) => panic!("nobody pays"),
            Action::Node { task, call } => {
                self.node(who, &call);
                self.events.push_back((who, Event::NodeDone { task, result: Ok(()) }));
            }
            Action::List { task } => {
                let peers = if self.connected() { vec![peer(IDS[1 - who])] } else { vec![] };
                self.events.push_back((who, Event::Listed { task, result: Ok(peers) }));
            }
            Action::Pool { tag, request } => self.pool(who, tag, request),
            Action::Answer { tag: 1, reply } => {
                reply.unwrap();
                let hosts = vec![place(lease(self.given), IDS[HOST])];
                let answer = PoolAnswer::Ask(AskReply { hosts, missing: 0, reason: None });
                let tag = self.ask.take().unwrap();
                self.events.push_back((CLIENT, Event::PoolAnswers { tag, answer: Ok(answer) }));
            }
            Action::Answer { reply, .. } => reply.unwrap(),
            Action::Stopped { error } => {
                assert_eq!(error, None);
                self.stopped[who] = true;
            }
            Action::Watch { .. } | Action::Notice(_) | Action::KeepPrice(_) => {}
            Action::Reconnect { .. } | Action::Resolve { .. } => panic!("a socket was lost, or a host named"),
        }
    }

    fn node(&mut self, who: usize, call: &PeerCommand) {
        let id = |peer: &Enode| peer.id.as_bytes()[0];
        match call {
            PeerCommand::Admit(peer) => drop(self.trusted.insert((who, id(peer)))),
            PeerCommand::Dial(peer) => drop(self.dialed.insert((who, id(peer)))),
            PeerCommand::Drop(peer) => drop(self.dialed.remove(&(who, id(peer)))),
            PeerCommand::Untrust(peer) => drop(self.trusted.remove(&(who, id(peer)))),
            PeerCommand::Evict(peer) => {
                self.trusted.remove(&(who, id(peer)));
                self.dialed.remove(&(who, id(peer)));
            }
        }
    }

    fn pool(&mut self, who: usize, tag: u64, request: ToPool) {
        let mut answer = PoolAnswer::Done;
        match request {
            ToPool::Connect(_) => answer = welcome(vec![]),
            ToPool::Report(report) => {
                let down = report.down.clone();
                self.reports[who].push(report);
                answer = PoolAnswer::Report(ReportReply::default());
                if who == CLIENT && down.contains(&lease(self.given)) {
                    self.evict();
                }
            }
            ToPool::Ask(_) => {
                self.given += 1;
                self.ask = Some(tag);
                self.events.push_back((HOST, Event::PoolCalls { tag: 1, call: admit(lease(self.given), IDS[CLIENT]) }));
                return;
            }
            ToPool::Leave(_) => {}
            ToPool::Bye => self.evict(),
            ToPool::Funds | ToPool::Voucher { .. } => panic!("nobody pays"),
            ToPool::Protocol2(_) => panic!("protocol 2 to a pool of protocol 3"),
        }
        self.events.push_back((who, Event::PoolAnswers { tag, answer: Ok(answer) }));
    }

    fn evict(&mut self) {
        let call = EvictCall {
            lease: lease(self.given),
            peer: enode(IDS[CLIENT]).id,
            reason: EvictReason::Left,
            fault: None,
            account: None,
        };
        self.events.push_back((HOST, Event::PoolCalls { tag: 2, call: FromPool::Evict(call) }));
    }

    fn start(&mut self) {
        for who in [HOST, CLIENT] {
            self.handle(who, Event::NodeUp(Box::new(facts(IDS[who]))));
            let head = HeadFact { number: 7, timestamp_s: 100, syncing: false };
            self.handle(who, Event::Head { head, wall_s: 105 });
            self.handle(who, Event::PoolOpen);
        }
    }

    fn ups(&self, who: usize) -> Vec<LeaseId> {
        self.reports[who].iter().flat_map(|report| report.up.clone()).collect()
    }

    fn downs(&self, who: usize) -> Vec<LeaseId> {
        self.reports[who].iter().flat_map(|report| report.down.clone()).collect()
    }
}

#[test]
fn a_lease_from_its_first_to_its_last_moment() {
    let mut world = World::new();
    world.start();
    assert!(world.connected(), "asked, admitted, dialed, connected: without a moment passing");
    assert_eq!((world.ups(HOST), world.ups(CLIENT)), (vec![LEASE], vec![LEASE]));

    world.now = world.now.plus(5_000);
    world.handle(CLIENT, Event::Stop(StopCause::Signal));
    assert!(world.stopped[CLIENT] && !world.connected());
    assert_eq!((world.trusted.len(), world.dialed.len()), (0, 0), "nothing is left at either node");
    assert_eq!(world.downs(HOST), vec![LEASE]);
    world.handle(HOST, Event::Stop(StopCause::Signal));
    assert!(world.stopped[HOST]);
    for journal in &world.journal {
        assert_eq!((journal.len(), unreleased_changes(journal.iter().cloned())), (2, vec![]));
    }
}

#[test]
fn a_host_that_throws_its_client_out_is_replaced_by_a_new_lease() {
    let mut world = World::new();
    world.start();
    world.now = world.now.plus(30_000);
    // The host's user takes the trust away by hand.
    world.trusted.clear();
    world.see();
    world.handle(CLIENT, Event::Tick);
    assert_eq!(world.downs(CLIENT), vec![LEASE]);
    world.now = world.now.plus(1_000);
    world.handle(CLIENT, Event::Tick);
    assert!(world.connected());
    assert_eq!(world.ups(CLIENT), vec![LEASE, SECOND_LEASE]);
    assert_eq!(world.ups(HOST), vec![LEASE, SECOND_LEASE]);
}
