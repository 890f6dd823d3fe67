use vipnode_types::wire::{ErrorCode, EvictReason, LeaveReason};

use super::pool::{Pool, client, host, wei};
use crate::{CallOutcome, Limits, PoolCall, Reply};

/// The host alone sees the client, offer after offer.
fn lone_host(pool: &mut Pool, rounds: u32) {
    for round in 0..rounds {
        // Over HTTP, so that the pool gives it nothing by itself.
        pool.connect_from(2, client(2), super::pool::address(2), false).unwrap();
        pool.ask(2, 1);
        let lease = pool.admit(1);
        pool.delta(1, &[lease], &[]);
        pool.pass(15_000);
        let Some(reason) = pool.evicted(1) else { panic!("round {round}") };
        assert!(matches!(reason, EvictReason::NotConnected | EvictReason::Unpaired));
        pool.delta(1, &[], &[lease]);
        pool.pass_with(40_000, &[1]);
    }
}

fn refused(pool: &mut Pool, agent: u32) -> bool {
    pool.ask(agent, 1);
    let connection = pool.connection(agent);
    let last = pool.replies.iter().rev().find(|(to, _)| *to == connection).unwrap();
    match &last.1 {
        Err(error) => {
            assert!(error.is(ErrorCode::Unpaired) && error.message.contains("today"));
            true
        }
        Ok(Reply::Ask(_) | Reply::Connect(_) | Reply::Report(_)) => false,
        other => panic!("{other:?}"),
    }
}

fn short() -> Limits {
    Limits { price: wei(60_000), unpaired_ms_a_day: 60_000, ..Limits::default() }
}

#[test]
fn time_that_only_the_host_sees_is_counted_never_billed_and_ends_in_a_refusal() {
    let mut pool = Pool::with(short());
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[]);
    lone_host(&mut pool, 4);
    assert!(pool.core.counters().unpaired_ms >= 60_000);
    assert!(pool.metered().iter().all(|row| row.billed_ms == 0));
    pool.connect(2, client(2)).unwrap();
    assert!(refused(&mut pool, 2));
    pool.connect_from(3, client(3), super::pool::address(2), true).unwrap();
    assert!(refused(&mut pool, 3), "nor its neighbors");
    pool.connect(4, client(4)).unwrap();
    assert!(!refused(&mut pool, 4));
    pool.pass_with(24 * 3_600_000, &[1]);
    pool.connect(2, client(2)).unwrap();
    assert!(!refused(&mut pool, 2), "tomorrow is another day");
}

#[test]
fn nothing_is_counted_where_no_price_is_asked() {
    let mut pool = Pool::with(Limits { price: wei(0), ..short() });
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[]);
    lone_host(&mut pool, 6);
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

#[test]
fn a_client_that_falls_silent_uses_up_its_budget() {
    let mut pool = Pool::with(short());
    pool.lease_up();
    pool.pass_with(30_000, &[1, 2]);
    pool.pass_with(210_000, &[1]);
    assert!(pool.core.counters().unpaired_ms >= 150_000);
    assert_eq!(pool.metered()[0].billed_ms, 30_000);
    pool.connect(2, client(2)).unwrap();
    assert!(refused(&mut pool, 2));
}

#[test]
fn after_the_clients_gone_it_counts_until_the_host_evicted() {
    let mut pool = Pool::with(short());
    let lease = pool.lease_up();
    pool.pass_with(30_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    let evict = |call: &PoolCall| if let PoolCall::Evict(evict) = call { Some(evict.lease) } else { None };
    let (call, _) = pool.take_call(1, evict).unwrap();
    pool.pass(2_000);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.core.counters().unpaired_ms, 2_000);
}

#[test]
fn honest_pairs_use_up_nothing_when_the_host_leaves() {
    let mut pool = Pool::with(short());
    for _ in 0..10 {
        let lease = pool.lease_up();
        pool.pass_with(60_000, &[1, 2]);
        pool.pass_with(59_000, &[1]);
        pool.leave(1, lease, LeaveReason::Drained);
        pool.delta(2, &[], &[lease]);
    }
    assert_eq!(pool.core.counters().unpaired_ms, 0);
    assert!(!refused(&mut pool, 2));
}
