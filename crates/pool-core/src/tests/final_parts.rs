//! What is billed of the time between the last reports of a lease and its end.

use vipnode_types::{LeaseId, wire::LeaveReason};

use super::{
    pool::{Pool, client, host},
    scenario::{CLIENT, HOST, SLOTS},
};
use crate::CallOutcome;

/// As [`Pool::leased`]. After a minute, the host reported last, and the client 15 s after it; that is 5 s ago.
fn between_reports() -> (Pool, LeaseId) {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass(15_000);
    pool.beat(CLIENT);
    pool.pass(5_000);
    (pool, lease)
}

/// Each row that was metered, and the unpaired time.
fn metered(pool: &Pool) -> (Vec<u64>, u64) {
    assert_eq!(pool.core.check(), Ok(()));
    (pool.billed_ms(), pool.core.counters().unpaired_ms)
}

#[test]
fn a_side_that_undid_a_lease_saw_the_other_until_its_end() {
    let (mut pool, lease) = between_reports();
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(metered(&pool), (vec![60_000], 0));
    let ended = pool.now;
    pool.pass(1_000);
    pool.evicted(HOST).unwrap();
    assert_eq!(metered(&pool).0, [60_000, 20_000]);
    let row = &pool.metered()[1];
    assert_eq!((row.lease.id, row.lease.row, row.client.unwrap().end, row.ended), (lease, 1, ended, pool.now));

    let (mut pool, lease) = between_reports();
    pool.leave(HOST, lease, LeaveReason::Drained);
    assert_eq!(metered(&pool), (vec![75_000], 0), "the host's own word, and the client's last report");
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool), (vec![75_000, 5_000], 0));
}

/// It was restarted, or the pool lost its report: it may have seen nothing since its last one.
#[test]
fn a_side_that_stops_before_its_first_report_saw_the_other_until_its_last_one() {
    let (mut pool, lease) = between_reports();
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.pass(10_000);
    pool.beat(CLIENT);
    pool.bye(HOST);
    assert_eq!(metered(&pool).0, [60_000]);
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool).0, [60_000]);
    let (mut other, again) = between_reports();
    other.connect(CLIENT, client(CLIENT)).unwrap();
    other.pass(10_000);
    other.beat(HOST);
    other.leave(CLIENT, again, LeaveReason::Surplus);
    other.evicted(HOST).unwrap();
    assert_eq!((metered(&other).0, lease), (vec![75_000], again));
}

#[test]
fn what_a_side_does_not_confirm_is_counted_and_not_billed() {
    for outcome in [CallOutcome::Lost, CallOutcome::Expired] {
        let (mut pool, lease) = between_reports();
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        let (call, _) = pool.take_evict_call(HOST).unwrap();
        pool.done(call, outcome.clone());
        assert_eq!(metered(&pool), (vec![60_000], 20_000), "{outcome:?}");

        let (mut pool, lease) = between_reports();
        pool.leave(HOST, lease, LeaveReason::Drained);
        let (call, _) = pool.take_evict_call(CLIENT).unwrap();
        pool.done(call, outcome.clone());
        assert_eq!(metered(&pool), (vec![75_000], 5_000), "{outcome:?}");
        pool.evicted(CLIENT);
        assert_eq!(metered(&pool), (vec![75_000], 5_000), "too late: {outcome:?}");
    }
}

#[test]
fn a_sides_own_word_is_not_extended() {
    let (mut pool, lease) = between_reports();
    pool.leave(CLIENT, lease, LeaveReason::Lost);
    assert_eq!(metered(&pool), (vec![60_000], 5_000));
    pool.evicted(HOST).unwrap();
    assert_eq!(metered(&pool), (vec![60_000, 15_000], 5_000), "until the client's last report");
}

#[test]
fn a_side_that_reported_the_other_as_gone_confirms_nothing_more() {
    let (mut pool, lease) = between_reports();
    pool.reports_down(HOST, lease);
    pool.pass(15_000);
    assert_eq!(metered(&pool).0, [75_000]);
    pool.evicted(HOST).unwrap();
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool), (vec![75_000, 5_000], 0), "both until the host's report");
}

/// When both agents stop, the second one closes its socket and does not answer.
#[test]
fn an_agent_that_stops_saw_the_other_until_the_lease_ended() {
    for (first, second, billed) in [(CLIENT, HOST, vec![60_000, 20_000]), (HOST, CLIENT, vec![75_000, 5_000])] {
        let (mut pool, _) = between_reports();
        pool.bye(first);
        pool.bye(second);
        assert_eq!(metered(&pool), (billed, 0));
    }
}

/// Seed 30 where clients pay: the end of a lease interrupts the connection, and a report of that is on its way when the other side
/// is asked.
#[test]
fn an_interruption_that_is_reported_after_the_end_changes_nothing() {
    let (mut pool, lease) = between_reports();
    pool.leave(HOST, lease, LeaveReason::Drained);
    pool.delta(CLIENT, &[lease], &[lease]);
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool), (vec![75_000, 5_000], 0));
}

#[test]
fn an_agent_that_has_not_reported_on_its_connection_confirms_nothing() {
    let (mut pool, lease) = between_reports();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.leave(HOST, lease, LeaveReason::Drained);
    assert_eq!(metered(&pool), (vec![75_000], 5_000));
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool), (vec![75_000], 5_000));
}

#[test]
fn a_confirmation_is_worth_no_more_than_a_report() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass_with(90_000, &[HOST]);
    pool.leave(HOST, lease, LeaveReason::Drained);
    assert_eq!(metered(&pool), (vec![60_000], 30_000));
    pool.evicted(CLIENT).unwrap();
    assert_eq!(metered(&pool), (vec![60_000, 60_000], 30_000), "a report interval");
}
