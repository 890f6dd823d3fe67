//! What counts as a used slot of a host: strangers that immediately leave every host they get do not block hosts for
//! others.

use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms,
    wire::{ErrorCode, EvictReason, LeaveReason, WireError},
};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SECOND_HOST, SLOTS, other_clients},
};
use crate::{CallId, CallOutcome, Command, Limits, PoolCall};

fn refused(code: ErrorCode) -> CallOutcome {
    CallOutcome::Refused(WireError::new(code, "no", ""))
}

#[test]
fn a_slot_is_taken_until_its_eviction_is_done_and_the_next_client_gets_it_at_once() {
    let (mut pool, lease) = Pool::new().with_one_slot();
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    pool.ask(SECOND_CLIENT, 1);
    assert_eq!(pool.core.gauges().free_slots, 0);
    assert!(pool.take_admit(HOST).is_none(), "the host would refuse");
    let (call, _) = pool.take_evict_call(HOST).unwrap();
    pool.pass(900);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.core.next_wake(), Some(pool.now), "the client that waits is served at once");
    pool.handle(Command::Tick);
    pool.admit(HOST);
}

#[test]
fn a_refused_eviction_holds_its_slot_and_is_sent_again_a_bounded_number_of_times() {
    let (mut pool, lease) = Pool::exactly(Limits { evict_again_ms: 2_000, ..Limits::default() }).leased();
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    for wait in [2_000, 4_000, 8_000] {
        let (call, _) = pool.take_evict_call(HOST).unwrap();
        pool.done(call, refused(ErrorCode::Refused));
        pool.pass(wait - 1);
        assert!(pool.take_evict_call(HOST).is_none());
        assert_eq!(pool.core.gauges().free_slots, 3);
        pool.pass(1);
    }
    let (call, _) = pool.take_evict_call(HOST).unwrap();
    pool.done(call, refused(ErrorCode::Refused));
    assert_eq!(pool.core.gauges().free_slots, 4, "the tries are used up");
    assert_eq!((pool.core.counters().evictions_unanswered, pool.closed.len()), (1, 0));
}

#[test]
fn an_admit_whose_client_left_holds_its_slot_until_it_is_answered_and_undone() {
    let mut pool = Pool::new().with_host(HOST, 1).with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let (call, _) = pool.take_admit(HOST).unwrap();
    pool.disconnect(CLIENT);
    assert_eq!((pool.core.gauges().leases, pool.core.gauges().free_slots), (0, 0));
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.core.gauges().free_slots, 0);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::TooLate));
    assert_eq!(pool.core.gauges().free_slots, 1);
}

#[test]
fn held_slots_end_with_the_hosts_connection() {
    for refuses in [false, true] {
        let (mut pool, lease) = Pool::new().leased();
        pool.ask(CLIENT, 0);
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        let (call, _) = pool.take_evict_call(HOST).unwrap();
        if refuses {
            pool.done(call, refused(ErrorCode::Refused));
        }
        pool.connect(HOST, host(HOST, 4)).unwrap();
        assert_eq!(pool.core.gauges().free_slots, 4, "its connect reply lists the current leases");
        pool.done(call, CallOutcome::Lost);
        pool.pass(20_000);
        assert!(pool.take_evict_call(HOST).is_none());
        assert_eq!(pool.core.gauges().free_slots, 4);
    }
}

#[test]
fn a_host_that_is_busy_keeps_one_slot_for_a_while_and_neither_rests_nor_loses_rank() {
    let mut pool =
        Pool::with(Limits { refused_slot_ms: 2_000, ..Limits::default() }).with_host(HOST, 4).with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let (call, _) = pool.take_admit(HOST).unwrap();
    pool.done(call, refused(ErrorCode::Busy));
    assert_eq!((pool.last_ask(CLIENT).unwrap().missing, pool.core.gauges().free_slots), (1, 3));
    pool.pass(1_999);
    assert!(pool.take_admit(HOST).is_none(), "not the same pair at once");
    pool.pass(8_000);
    pool.admit(HOST);
    let explained = pool.explain(CLIENT).unwrap();
    assert_eq!(explained.hosts[0].selection.unwrap().score.refusals, 0);
    assert_eq!(pool.core.gauges().free_slots, 3);
}

/// The attack: clients that a host's node rejects, each with another id.
#[test]
fn a_host_whose_node_rejects_clients_neither_rests_nor_loses_rank() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    for agent in other_clients(10) {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
        let (call, _) = pool.take_admit(HOST).expect("it does not rest");
        pool.done(call, refused(ErrorCode::NotAdmitted));
        pool.ask(agent, 1);
        assert!(pool.take_admit(HOST).is_none(), "not the same pair at once");
        pool.disconnect(agent);
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    assert_eq!(pool.explain(CLIENT).unwrap().hosts[0].selection.unwrap().score.refusals, 0);
    // A failure of the node itself is another matter.
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.ask(SECOND_CLIENT, 1);
    let (call, _) = pool.take_admit(HOST).unwrap();
    pool.done(call, refused(ErrorCode::Refused));
    assert_eq!(pool.core.gauges().free_slots, 0);
}

#[test]
fn a_host_that_rejects_versions_neither_rests_nor_loses_rank() {
    let mut pool = Pool::with(Limits { rejected_versions: 2, ..Limits::default() }).with_host(HOST, 4);
    // More invented versions than the pool remembers for one host.
    for agent in other_clients(10) {
        let mut hello = client(agent);
        hello.client_version = format!("Strange/v{agent}");
        pool.connect(agent, hello).unwrap();
        pool.ask(agent, 1);
        let (call, _) = pool.take_admit(HOST).unwrap();
        pool.done(call, refused(ErrorCode::Unsuitable));
        assert!(pool.take_admit(HOST).is_none(), "not the same pair again");
        assert_eq!(pool.core.gauges().free_slots, 4);
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    assert_eq!(pool.explain(CLIENT).unwrap().hosts[0].selection.unwrap().score.refusals, 0);
}

/// Agents that answer as real ones do: a host admits while it has a slot and undoes a lease in 500 ms.
struct Hosts {
    pool: Pool,
    slots: u32,
    /// Clients that each host's node serves, and evictions that it is at.
    serves: BTreeMap<u32, u32>,
    evicts: Vec<(Ms, u32, CallId)>,
    /// Clients that the pool gave a host, since the last look.
    given: Vec<(u32, LeaseId)>,
    fulls: u32,
}

impl Hosts {
    fn step(&mut self, ms: u64) {
        self.pool.pass(ms);
        let now = self.pool.now;
        let (done, wait) = self.evicts.drain(..).partition(|(due, ..)| *due <= now);
        self.evicts = wait;
        for (_, host, call) in done {
            *self.serves.get_mut(&host).unwrap() -= 1;
            self.pool.done(call, CallOutcome::Done);
        }
        while let Some((to, call, message)) = self.pool.calls.pop() {
            let agent = to.connection;
            match message {
                PoolCall::Admit(admit) => {
                    let serves = self.serves.entry(agent).or_default();
                    if *serves == self.slots {
                        self.fulls += 1;
                        self.pool.done(call, refused(ErrorCode::Full));
                        continue;
                    }
                    *serves += 1;
                    self.pool.done(call, CallOutcome::Done);
                    let client = (0..100).find(|&agent| node(agent) == admit.client).unwrap();
                    self.given.push((client, admit.lease));
                }
                PoolCall::Evict(_) if self.serves.contains_key(&agent) => {
                    self.evicts.push((now.plus(500), agent, call));
                }
                _ => self.pool.done(call, CallOutcome::Done),
            }
        }
    }
}

/// The attack: strangers of one block take every slot and leave it at once, again and again.
#[test]
fn strangers_that_leave_whatever_they_get_keep_no_host_from_an_honest_client() {
    let pool = Pool::new();
    let mut hosts = Hosts { pool, slots: 2, serves: BTreeMap::new(), evicts: Vec::new(), given: Vec::new(), fulls: 0 };
    for agent in [HOST, SECOND_HOST] {
        hosts.pool.join(agent, host(agent, 2));
    }
    let strangers = other_clients(12);
    for agent in strangers.clone() {
        hosts.pool.connect_from(agent, client(agent), address(strangers.start)).unwrap();
        hosts.pool.full(agent, &[]);
    }
    hosts.pool.join(CLIENT, client(CLIENT));
    hosts.pool.ask(CLIENT, 1);
    let (mut waits, mut longest, mut got) = (0_u32, 0_u32, 0_u32);
    for step in 0..410_u32 {
        if step % 5 == 0 {
            strangers.clone().for_each(|agent| drop(hosts.pool.ask(agent, 1)));
        }
        hosts.step(100);
        waits += 1;
        for (agent, lease) in std::mem::take(&mut hosts.given) {
            hosts.pool.leave(agent, lease, LeaveReason::Surplus);
            if agent == CLIENT {
                longest = longest.max(waits);
                (waits, got) = (0, got + 1);
                hosts.pool.ask(CLIENT, 1);
            }
        }
        if step % 250 == 0 {
            let all = [HOST, SECOND_HOST, CLIENT].into_iter().chain(strangers.clone());
            all.for_each(|agent| hosts.pool.beat(agent));
        }
    }
    assert_eq!(hosts.fulls, 0, "no host was asked for a slot that it does not have");
    assert!(got >= 10 && longest.max(waits) <= 40, "{got} times, the longest wait was {longest} steps");
}
