//! Clients that pay come before free trials.

use vipnode_types::{
    LeaseId,
    wire::{EvictReason, LeaveReason},
};

use super::{
    funds::{credit_limits, payer},
    pool::{Pool, client, host, node},
    scenario::{CLIENT, DAY_MS, HOST, MINUTE_MS, SECOND_CLIENT, SECOND_HOST, THIRD_CLIENT, needing},
};
use crate::{CallOutcome, Limits};

fn limits() -> Limits {
    Limits { trial_ms: 30 * MINUTE_MS, ..credit_limits() }
}

/// A pool with these hosts, each with one slot; an account with funds pays for [`SECOND_CLIENT`], and for no other.
fn pool(hosts: &[u32]) -> Pool {
    let mut pool = Pool::with(limits());
    pool.settle();
    for &agent in hosts {
        pool.join(agent, host(agent, 1));
    }
    for agent in [CLIENT, SECOND_CLIENT, THIRD_CLIENT] {
        pool.join(agent, client(agent));
    }
    pool.link(node(SECOND_CLIENT), Some(payer()), 1).unwrap();
    pool.credit(DAY_MS.into());
    pool
}

impl Pool {
    /// The client gets one of these hosts, and both report the lease.
    fn gets_one_of(&mut self, agent: u32, hosts: &[u32]) -> LeaseId {
        let (host, call) = self.given(agent, hosts).unwrap();
        self.done(call, CallOutcome::Done);
        let lease = LeaseId::new(self.core.leases.numbers().0 - 1);
        self.reports_up(host, lease);
        self.reports_up(agent, lease);
        lease
    }

    fn runs(&self, lease: LeaseId) -> bool {
        self.core.leases.find(lease).is_some()
    }

    /// The client that a host is asked to admit.
    fn admits(&mut self, host: u32) -> Option<u32> {
        let (_, admit) = self.take_admit_call(host)?;
        [CLIENT, SECOND_CLIENT, THIRD_CLIENT].into_iter().find(|agent| node(*agent) == admit.client)
    }
}

#[test]
fn a_client_that_pays_gets_the_slot_of_a_trial() {
    let mut pool = pool(&[HOST]);
    let trial = pool.lease_between(HOST, CLIENT);
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT, SECOND_CLIENT]);
    pool.ask(SECOND_CLIENT, 1);
    assert!(!pool.runs(trial));
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::PayersFirst));
    let (call, evict) = pool.take_evict_call(HOST).unwrap();
    assert_eq!(evict.reason, EvictReason::PayersFirst);
    pool.ask(CLIENT, 1);
    pool.pass(1_000);
    assert_eq!(pool.admits(HOST), None, "the host still lets the other go");
    pool.done(call, CallOutcome::Done);
    pool.pass(2_000);
    assert_eq!(pool.admits(HOST), Some(SECOND_CLIENT), "the one that asked again does not come first");
    let used = pool.core.agents.known(&node(CLIENT)).unwrap().trial_used_ms();
    assert!((60_000..=62_000).contains(&used), "it keeps the rest of its trial: {used}");
}

/// Otherwise one client that pays would end every trial.
#[test]
fn one_trial_ends_at_a_time_for_a_client_the_newest_first() {
    let mut pool = pool(&[HOST, SECOND_HOST]);
    let hosts = [HOST, SECOND_HOST];
    let older = pool.gets_one_of(CLIENT, &hosts);
    let newer = pool.gets_one_of(THIRD_CLIENT, &hosts);
    pool.ask(SECOND_CLIENT, 2);
    assert!(pool.runs(older) && !pool.runs(newer));
    let retry_ms = pool.core.limits.retry_ms;
    pool.pass(retry_ms - 1_000);
    assert!(pool.runs(older));
    pool.pass(retry_ms);
    assert!(!pool.runs(older), "it wants two");
}

#[test]
fn a_slot_that_becomes_free_goes_to_a_client_that_pays() {
    let mut pool = pool(&[HOST]);
    pool.link(node(THIRD_CLIENT), Some(payer()), 2).unwrap();
    let paid = pool.lease_between(HOST, SECOND_CLIENT);
    for agent in [CLIENT, THIRD_CLIENT] {
        pool.ask(agent, 1);
    }
    pool.pass(3_000);
    assert!(pool.runs(paid) && pool.admits(HOST).is_none());
    pool.ask(SECOND_CLIENT, 0);
    pool.leave(SECOND_CLIENT, paid, LeaveReason::Surplus);
    pool.evicted(HOST).unwrap();
    pool.pass(2_000);
    assert_eq!(pool.admits(HOST), Some(THIRD_CLIENT));
    pool.ask(CLIENT, 1);
    assert_eq!(pool.admits(HOST), None);
}

#[test]
fn a_client_that_cannot_pay_or_that_the_host_does_not_fit_ends_no_trial() {
    let mut pool = pool(&[HOST]);
    let trial = pool.lease_between(HOST, CLIENT);
    pool.ask(THIRD_CLIENT, 1);
    pool.link(node(SECOND_CLIENT), None, 2).unwrap();
    pool.ask(SECOND_CLIENT, 1);
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT]);
    assert!(pool.runs(trial));
    pool.join(SECOND_CLIENT, needing(SECOND_CLIENT, "les/4"));
    pool.link(node(SECOND_CLIENT), Some(payer()), 3).unwrap();
    pool.ask(SECOND_CLIENT, 1);
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT]);
    assert!(pool.runs(trial));
}
