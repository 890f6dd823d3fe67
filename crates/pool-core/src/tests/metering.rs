use vipnode_types::{
    Account, Ms,
    wire::{ClientCriteria, EvictReason, HostOffer, LeaveReason},
};

use super::pool::{Pool, client, host, payout, wei};
use crate::{Limits, Row};

const HOUR: u64 = 3_600_000;

#[test]
fn d13_time_that_one_side_alone_says_is_not_billed() {
    let mut pool = Pool::priced();
    pool.pair_up();
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.delta(1, &[lease], &[]);
    pool.pass_with(10_000, &[1]);
    pool.delta(2, &[lease], &[]);
    pool.pass_with(60_000, &[1, 2]);
    pool.delta(2, &[], &[lease]);
    assert_eq!(pool.evicted(1), Some(EvictReason::Disconnected), "the client's word ends it at once");
    let row = &pool.metered()[0];
    assert_eq!((row.billed_ms, row.cost.get()), (60_000, 60_000));
    assert_eq!(row.host.unwrap().up, row.client.unwrap().up.minus(10_000));
}

#[test]
fn d14_reconnecting_does_not_reset_the_meter() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    for _ in 0..10 {
        pool.pass_with(30_000, &[1]);
        let reply = pool.connect(2, client(2)).unwrap();
        assert_eq!(reply.leases.len(), 1);
        pool.full(2, &[(lease, true)]);
    }
    pool.leave(2, lease, LeaveReason::Surplus);
    assert_eq!(pool.metered().len(), 1);
    assert_eq!(pool.metered()[0].billed_ms, 300_000);
}

#[test]
fn d19_silence_is_not_billed_however_long() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.pass_with(72 * HOUR, &[1]);
    let row = &pool.metered()[0];
    assert_eq!((row.billed_ms, row.lease.id), (60_000, lease));
    assert_eq!(pool.evicted(1), Some(EvictReason::NoReports));
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn a_silent_agent_goes_down_before_its_next_report_counts() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    let said = pool.now;
    pool.pass_with(180_000, &[1]);
    pool.beat(2);
    assert_eq!(pool.core.gauges().leases, 1, "up to 180 s are bridged");
    pool.pass_with(180_000, &[1]);
    // The report and the judgment meet in the same millisecond: the judgment comes first.
    pool.now = pool.now.plus(1);
    pool.beat(2);
    assert_eq!(pool.evicted(2), Some(EvictReason::NoReports));
    let row = &pool.metered()[0];
    assert_eq!((row.lease.id, row.client.unwrap().end), (lease, said.plus(180_000)));
}

#[test]
fn d20_after_down_nothing_is_billed() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.delta(1, &[], &[lease]);
    pool.pass(10_000);
    pool.beat(2);
    pool.pass(5_000);
    assert_eq!(pool.evicted(2), Some(EvictReason::Disconnected));
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    pool.beat(2);
    pool.pass_with(HOUR, &[1, 2]);
    assert_eq!(pool.metered().len(), 1, "later reports change nothing");
}

#[test]
fn a_host_that_sees_the_client_again_in_time_begins_a_row_and_nothing_else() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.delta(1, &[], &[lease]);
    pool.pass(14_000);
    pool.delta(1, &[lease], &[]);
    pool.pass_with(60_000, &[1, 2]);
    assert!(pool.calls.is_empty(), "no admit, no evict: {:?}", pool.calls);
    pool.leave(2, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    assert_eq!(rows.iter().map(|row| (row.lease.row, row.billed_ms)).collect::<Vec<_>>(), [(0, 60_000), (1, 60_000)]);
}

#[test]
fn a_side_that_returns_goes_on_only_if_it_says_that_nothing_was_down() {
    for (agent, kept) in [(1, true), (1, false), (2, true), (2, false)] {
        let mut pool = Pool::priced();
        let lease = pool.lease_up();
        pool.pass_with(60_000, &[1, 2]);
        pool.disconnect(agent);
        pool.pass_with(30_000, &[3 - agent]);
        pool.connect(agent, if agent == 1 { host(1, 4) } else { client(2) }).unwrap();
        pool.full(agent, &[(lease, kept)]);
        pool.pass_with(60_000, &[1, 2]);
        assert!(pool.calls.is_empty(), "{:?}", pool.calls);
        pool.leave(2, lease, LeaveReason::Surplus);
        let billed: Vec<u64> = pool.metered().iter().map(|row| row.billed_ms).collect();
        assert_eq!(billed, if kept { vec![150_000] } else { vec![60_000, 60_000] }, "{agent} {kept}");
    }
}

#[test]
fn what_a_full_report_lacks_is_down_since_the_last_report() {
    let mut pool = Pool::priced();
    pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.disconnect(2);
    pool.pass_with(60_000, &[1]);
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    assert_eq!(pool.evicted(1), Some(EvictReason::Disconnected));
}

#[test]
fn a_peer_that_went_and_came_back_between_two_reports_begins_a_row() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.pass(20_000);
    pool.delta(2, &[lease], &[lease]);
    pool.pass_with(30_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    let billed: Vec<u64> = pool.metered().iter().map(|row| row.billed_ms).collect();
    assert_eq!(billed, [60_000, 30_000]);
}

#[test]
fn d16_nobody_peers_with_itself_and_only_hosts_earn() {
    let mut pool = Pool::priced();
    let mut both = host(1, 4);
    both.client = Some(ClientCriteria::default());
    pool.connect(1, both).unwrap();
    pool.connect(3, client(3)).unwrap();
    pool.ask(1, 3);
    assert!(pool.calls.is_empty());
    assert_eq!(pool.last_ask(1).unwrap().missing, 3);
}

#[test]
fn a_lease_rolls_over_after_a_day_at_the_last_common_moment() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    let began = pool.now;
    pool.pass_with(24 * HOUR + 60_000, &[1, 2]);
    let rows = pool.metered();
    assert_eq!(rows.len(), 1);
    let end = rows[0].client.unwrap().end;
    assert_eq!(rows[0].billed_ms, end.since(began));
    assert!(24 * HOUR - rows[0].billed_ms <= 30_000);
    assert!(pool.calls.is_empty(), "nobody is disconnected");
    let next = pool.rows.iter().rev().find_map(|row| if let Row::Lease(row) = row { Some(row.clone()) } else { None });
    let next = next.unwrap();
    assert_eq!((next.row, next.client_seen, next.host_seen), (1, Some((end, None)), Some((end, None))));
    pool.leave(2, lease, LeaveReason::Surplus);
    let sum: u64 = pool.metered().iter().map(|row| row.billed_ms).sum();
    assert_eq!(sum, pool.now.since(began), "no millisecond is lost or counted twice");
}

#[test]
fn a_dearer_price_takes_hold_at_rollover_within_what_the_client_takes() {
    for (most, ends) in [(wei(90_000), false), (wei(70_000), true)] {
        let mut pool = Pool::priced();
        let lease = pool.lease_up();
        pool.pass_with(60_000, &[1, 2]);
        pool.restart(Limits { price: wei(80_000), ..Limits::default() });
        pool.connect(1, host(1, 4)).unwrap();
        let mut criteria = client(2);
        criteria.client = Some(ClientCriteria { max_price: Some(most), ..ClientCriteria::default() });
        assert_eq!(pool.connect(2, criteria).unwrap().price, wei(80_000), "announced");
        pool.full(1, &[(lease, true)]);
        pool.full(2, &[(lease, true)]);
        pool.pass_with(24 * HOUR, &[1, 2]);
        assert_eq!(pool.metered()[0].lease.price, wei(60_000));
        assert_eq!(pool.evicted(1), ends.then_some(EvictReason::Price));
        assert_eq!(pool.core.gauges().leases, u64::from(!ends));
        if !ends {
            pool.leave(2, lease, LeaveReason::Surplus);
            assert_eq!(pool.metered()[1].lease.price, wei(80_000));
        }
    }
}

#[test]
fn d24_a_new_payout_account_ends_the_rows_first() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    let other: Account = payout(7);
    let mut again = host(1, 4);
    again.host = Some(HostOffer { slots: 4, payout: Some(other) });
    pool.connect(1, again).unwrap();
    pool.full(1, &[(lease, true)]);
    pool.pass_with(60_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    let paid: Vec<(Option<Account>, u64)> = rows.iter().map(|row| (row.lease.payee, row.billed_ms)).collect();
    assert_eq!(paid, [(Some(payout(1)), 60_000), (Some(other), 60_000)]);
}

#[test]
fn d50_the_end_is_frozen_in_the_transaction_that_takes_the_running_row_away() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    let before = pool.rows.len();
    pool.leave(1, lease, LeaveReason::Drained);
    let written = &pool.rows[before..];
    assert!(
        matches!(written, [Row::Metered(row), .., Row::Delete(_), Row::Times(_)] if row.billed_ms == 60_000),
        "{written:?}"
    );
    assert_eq!(pool.evicted(2), Some(EvictReason::Drained));
    assert_eq!(pool.metered()[0].ended, pool.now);
    assert!(pool.metered()[0].ended > Ms::ZERO);
}
