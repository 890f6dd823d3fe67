//! What clients and hosts learn before and when the funds of a payer are used up.

use vipnode_types::{
    Amount,
    wire::{ErrorCode, EvictReason, FundsLow, HostSupply, NoticeCall},
};

use super::{
    connect::{ISSUED, check},
    funds::{credit_limits, payer, pool as paying_pool},
    pool::{Pool, client, host, node},
    scenario::{CLIENT, HOST, MINUTE_MS, SECOND_HOST},
};
use crate::{CallOutcome, LedgerChangeKind, Limits, PoolCall};

/// Notices 4, 2, and 1 minute before the end.
fn notice_limits() -> Limits {
    let (funds_notice_ms, funds_second_notice_ms) = (4 * MINUTE_MS, 2 * MINUTE_MS);
    Limits {
        funds_notice_ms,
        funds_second_notice_ms,
        funds_last_notice_ms: MINUTE_MS,
        funds_last_ms: 10_000,
        ..credit_limits()
    }
}

/// The oldest notice that the client did not answer yet.
fn noticed(pool: &mut Pool) -> Option<FundsLow> {
    let low = |call: &PoolCall| match call {
        PoolCall::Notice(NoticeCall::FundsLow(low)) => Some(*low),
        _ => None,
    };
    let (call, low) = pool.take_call(CLIENT, low)?;
    pool.done(call, CallOutcome::Done);
    Some(low)
}

/// Waits for the next notice, for at most so many seconds.
fn noticed_within(pool: &mut Pool, seconds: u64) -> Option<FundsLow> {
    (0..seconds).find_map(|_| {
        pool.passes(1_000);
        noticed(pool)
    })
}

#[test]
fn d17_a_client_is_notified_before_its_funds_are_used_up_and_gets_the_reason_at_the_end() {
    let mut pool = paying_pool(notice_limits());
    pool.credit((5 * MINUTE_MS).into());
    pool.served(1);
    for minutes in [4, 2, 1] {
        let low = noticed_within(&mut pool, 180).unwrap();
        let due_ms = minutes * MINUTE_MS;
        assert!((due_ms - 1_100..=due_ms).contains(&low.left_ms), "{minutes} min: {low:?}");
        assert_eq!((low.account, low.available), (payer(), Amount::new(low.left_ms.into())));
        assert_eq!(pool.core.gauges().leases, 1);
    }
    assert_eq!(noticed_within(&mut pool, 70), None, "once each");
    assert_eq!(pool.core.gauges().leases, 0, "the lease ended");
    let evict = pool.take_evict(CLIENT).unwrap();
    assert_eq!((evict.reason, evict.account), (EvictReason::NoFunds, Some(payer())));
    let evict = [HOST, SECOND_HOST].into_iter().find_map(|host| pool.take_evict(host)).unwrap();
    assert_eq!((evict.reason, evict.account), (EvictReason::NoFunds, None), "who pays is not shown to the host");
}

#[test]
fn a_notice_is_repeated_only_after_the_account_had_more() {
    let mut pool = paying_pool(notice_limits());
    pool.credit((3 * MINUTE_MS).into());
    pool.served(1);
    assert!(noticed_within(&mut pool, 2).unwrap().left_ms > 2 * MINUTE_MS, "at the start, for it is due already");
    assert_eq!(noticed_within(&mut pool, 30), None);
    pool.credit((MINUTE_MS / 2).into());
    assert_eq!(noticed_within(&mut pool, 30), None, "it never lasted longer than the notice");
    pool.credit((3 * MINUTE_MS).into());
    let low = noticed_within(&mut pool, 180).unwrap();
    assert!(low.left_ms > 4 * MINUTE_MS - 1_100, "it lasted longer: {low:?}");
    let debit = LedgerChangeKind::Debit { payer: payer(), amount: Amount::new((3 * MINUTE_MS + 30_000).into()) };
    pool.change(debit, None).unwrap();
    assert!(noticed_within(&mut pool, 2).unwrap().left_ms < MINUTE_MS, "one notice for the two that are due");
    assert_eq!(noticed_within(&mut pool, 20), None);
}

#[test]
fn a_notice_is_not_repeated_because_a_lease_ended_or_began() {
    let mut pool = paying_pool(notice_limits());
    pool.credit((3 * MINUTE_MS).into());
    let lease = pool.served(1)[0];
    assert!(noticed_within(&mut pool, 2).is_some());
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, vipnode_types::wire::LeaveReason::Surplus);
    while [HOST, SECOND_HOST].into_iter().any(|host| pool.evicted(host).is_some()) {}
    assert_eq!(noticed_within(&mut pool, 40), None);
    pool.served(1);
    assert_eq!(noticed_within(&mut pool, 20), None);
}

#[test]
fn an_operator_turns_notices_off() {
    let off = Limits { funds_notice_ms: 0, funds_second_notice_ms: 0, funds_last_notice_ms: 0, ..notice_limits() };
    let mut pool = paying_pool(off);
    pool.credit((2 * MINUTE_MS).into());
    pool.served(1);
    assert_eq!(noticed_within(&mut pool, 130), None);
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn an_unlinked_client_learns_that_no_account_pays() {
    let mut pool = paying_pool(notice_limits());
    pool.credit((60 * MINUTE_MS).into());
    pool.served(1);
    pool.link(node(CLIENT), None, 2).unwrap();
    let evict = pool.take_evict(CLIENT).unwrap();
    assert_eq!((evict.reason, evict.account), (EvictReason::NoPayer, None));
}

/// Otherwise it would show for a minute why it was refused before.
#[test]
fn a_client_that_was_refused_for_its_funds_is_notified_when_they_change() {
    let notified = |pool: &mut Pool| {
        let call =
            pool.take_call(CLIENT, |call| matches!(call, PoolCall::Notice(NoticeCall::FundsChanged)).then_some(()));
        call.map(|(call, ())| pool.done(call, CallOutcome::Done)).is_some()
    };
    let mut pool = paying_pool(notice_limits());
    assert!(!notified(&mut pool), "it has not asked for hosts");
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired);
    pool.credit(1);
    assert!(notified(&mut pool), "too little, but for another reason");
    pool.link(node(CLIENT), None, 2).unwrap();
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired);
    pool.link(node(CLIENT), Some(payer()), 3).unwrap();
    assert!(notified(&mut pool), "a link");
    pool.credit((60 * MINUTE_MS).into());
    pool.served(1);
    while notified(&mut pool) {}
    pool.credit(1);
    assert!(!notified(&mut pool), "it has the hosts that it wants");
}

/// What the pool answers to `doctor` for the client.
fn checked(pool: &mut Pool) -> HostSupply {
    check(pool, CLIENT, ISSUED, client(CLIENT)).unwrap()
}

#[test]
fn a_doctor_learns_that_funds_run_low_while_leases_cost_something() {
    let mut pool = paying_pool(notice_limits());
    pool.credit((5 * MINUTE_MS).into());
    assert_eq!(checked(&mut pool).funds_low, None);
    pool.served(1);
    assert_eq!(checked(&mut pool).funds_low, None, "enough");
    pool.passes(90_000);
    let low = checked(&mut pool).funds_low.unwrap();
    assert!(low.account == payer() && (1..=4 * MINUTE_MS).contains(&low.left_ms), "{low:?}");
    assert_eq!(checked(&mut pool).fee_bps, 1_000);
}

/// Otherwise `vipnode status --why` would name what is not in the way.
#[test]
fn that_nobody_pays_is_named_before_full_hosts() {
    let mut pool = paying_pool(notice_limits());
    for agent in [HOST, SECOND_HOST] {
        pool.connect(agent, host(agent, 0)).unwrap();
    }
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired);
    let reason = pool.explain(CLIENT).unwrap().reason.unwrap();
    assert!(reason.contains("0 wei available; a slot costs"), "{reason}");
}

/// A client shows a refusal until its next request.
#[test]
fn a_refusal_states_no_amount_that_changes_and_hints_at_how_this_pool_is_paid() {
    let mut pool = paying_pool(notice_limits());
    let refused = pool.refused(1);
    assert!(refused.message.contains("has too little available; a slot costs"), "{refused:?}");
    let hint = refused.hint().unwrap();
    assert!(hint.contains("pool admin credit") && !hint.contains("x402"), "{hint}");
    pool.link(node(CLIENT), None, 2).unwrap();
    let refused = pool.refused(1);
    let hint = refused.hint().unwrap();
    assert!(hint.contains("account link") && !hint.contains("--pay"), "{hint}");
}
