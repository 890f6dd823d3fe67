use std::num::NonZeroU32;

use vipnode_types::{
    Amount, Asset, Ms, Price,
    wire::{EvictReason, LeaveReason},
};

use super::{
    pool::{Pool, client, host, wei},
    scenario::{CLIENT, DAY_MS, HOST, HOUR_MS, INTERRUPTED, KEPT, SLOTS, both_roles, paying_at_most},
};
use crate::{Limits, Row};

#[test]
fn d13_time_that_one_side_alone_says_is_not_billed() {
    let (mut pool, lease) = Pool::priced().offered();
    pool.reports_up(HOST, lease);
    pool.pass_with(10_000, &[HOST]);
    pool.reports_up(CLIENT, lease);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.reports_down(CLIENT, lease);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::Disconnected), "the client's word ends it at once");
    let row = &pool.metered()[0];
    assert_eq!((row.billed_ms, row.cost.get()), (60_000, 60_000));
    assert_eq!(row.host.unwrap().up, row.client.unwrap().up.minus(10_000));
}

#[test]
fn d14_reconnecting_does_not_reset_the_meter() {
    let (mut pool, lease) = Pool::priced().leased();
    for _ in 0..10 {
        pool.pass_with(30_000, &[HOST]);
        let reply = pool.connect(CLIENT, client(CLIENT)).unwrap();
        assert_eq!(reply.leases.len(), 1);
        pool.full(CLIENT, &[(lease, KEPT)]);
    }
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.metered().len(), 1);
    assert_eq!(pool.metered()[0].billed_ms, 300_000);
}

#[test]
fn d19_silence_is_not_billed_however_long() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass_with(3 * DAY_MS, &[HOST]);
    let row = &pool.metered()[0];
    assert_eq!((row.billed_ms, row.lease.id), (60_000, lease));
    assert_eq!(pool.evicted(HOST), Some(EvictReason::NoReports));
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn a_silent_agent_goes_down_before_its_next_report_counts() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    let said = pool.now;
    pool.pass_with(180_000, &[HOST]);
    pool.beat(CLIENT);
    assert_eq!(pool.core.gauges().leases, 1, "up to 180 s are bridged");
    pool.pass_with(180_000, &[HOST]);
    // The report and the judgment meet in the same millisecond: the judgment comes first.
    pool.now = pool.now.plus(1);
    pool.beat(CLIENT);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::NoReports));
    let row = &pool.metered()[0];
    assert_eq!((row.lease.id, row.client.unwrap().end), (lease, said.plus(180_000)));
}

#[test]
fn d20_after_down_nothing_is_billed() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.reports_down(HOST, lease);
    pool.pass(10_000);
    pool.beat(CLIENT);
    pool.pass(5_000);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Disconnected));
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    pool.beat(CLIENT);
    pool.pass_with(HOUR_MS, &[HOST, CLIENT]);
    assert_eq!(pool.metered().len(), 1, "later reports change nothing");
}

#[test]
fn a_host_that_sees_the_client_again_in_time_begins_a_row_and_nothing_else() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.reports_down(HOST, lease);
    pool.pass(14_000);
    pool.reports_up(HOST, lease);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    assert!(pool.calls.is_empty(), "no admit, no evict: {:?}", pool.calls);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    assert_eq!(rows.iter().map(|row| (row.lease.row, row.billed_ms)).collect::<Vec<_>>(), [(0, 60_000), (1, 60_000)]);
}

#[test]
fn a_side_that_returns_goes_on_only_if_it_says_that_nothing_was_down() {
    for (agent, other, kept) in
        [(HOST, CLIENT, KEPT), (HOST, CLIENT, INTERRUPTED), (CLIENT, HOST, KEPT), (CLIENT, HOST, INTERRUPTED)]
    {
        let (mut pool, lease) = Pool::priced().leased();
        pool.pass_with(60_000, &[HOST, CLIENT]);
        pool.disconnect(agent);
        pool.pass_with(30_000, &[other]);
        pool.connect(agent, if agent == HOST { host(HOST, SLOTS) } else { client(CLIENT) }).unwrap();
        pool.full(agent, &[(lease, kept)]);
        pool.pass_with(60_000, &[HOST, CLIENT]);
        assert!(pool.calls.is_empty(), "{:?}", pool.calls);
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        let billed = if kept == KEPT { vec![150_000] } else { vec![60_000, 60_000] };
        assert_eq!(pool.billed_ms(), billed, "{agent} {kept}");
    }
}

#[test]
fn what_a_full_report_lacks_is_down_since_the_last_report() {
    let (mut pool, _) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.disconnect(CLIENT);
    pool.pass_with(60_000, &[HOST]);
    pool.join(CLIENT, client(CLIENT));
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::Disconnected));
}

#[test]
fn a_peer_that_went_and_came_back_between_two_reports_begins_a_row() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass(20_000);
    pool.delta(CLIENT, &[lease], &[lease]);
    pool.pass_with(30_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.billed_ms(), [60_000, 30_000]);
}

#[test]
fn d16_nobody_peers_with_itself_and_only_hosts_earn() {
    let mut pool = Pool::priced();
    pool.connect(HOST, both_roles(HOST, SLOTS)).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(HOST, 3);
    assert!(pool.calls.is_empty());
    assert_eq!(pool.last_ask(HOST).unwrap().missing, 3);
}

#[test]
fn a_lease_rolls_over_after_a_day_at_the_last_common_moment() {
    let (mut pool, lease) = Pool::priced().leased();
    let began = pool.now;
    pool.pass_with(DAY_MS + 60_000, &[HOST, CLIENT]);
    let rows = pool.metered();
    assert_eq!(rows.len(), 1);
    let end = rows[0].client.unwrap().end;
    assert_eq!(rows[0].billed_ms, end.since(began));
    assert!(DAY_MS - rows[0].billed_ms <= 30_000);
    assert!(pool.calls.is_empty(), "nobody is disconnected");
    let next = pool.rows.iter().rev().find_map(|row| if let Row::Lease(row) = row { Some(row.clone()) } else { None });
    let next = next.unwrap();
    assert_eq!((next.row, next.client_seen, next.host_seen), (1, Some((end, None)), Some((end, None))));
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let sum: u64 = pool.billed_ms().iter().sum();
    assert_eq!(sum, pool.now.since(began), "no millisecond is lost or counted twice");
}

#[test]
fn what_a_row_leaves_of_a_wei_is_carried_to_the_next() {
    let seven_hours = NonZeroU32::new(7 * 60 * 60_000).unwrap();
    let price = Price::new(Asset::ETHER, Amount::new(5), seven_hours).unwrap();
    let (mut pool, lease) = Pool::with(Limits { price, ..Limits::default() }).leased();
    pool.pass_with(3 * DAY_MS + HOUR_MS, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    assert_eq!(rows.len(), 4);
    let billed: u64 = rows.iter().map(|row| row.billed_ms).sum();
    let cost: u128 = rows.iter().map(|row| row.cost.get()).sum();
    assert_eq!(Some(cost), price.cost(billed).map(Amount::get));
    let apart: u128 = rows.iter().filter_map(|row| price.cost(row.billed_ms)).map(Amount::get).sum();
    assert!(apart < cost, "each row alone is rounded down");
}

#[test]
fn a_dearer_price_takes_hold_at_rollover_within_what_the_client_takes() {
    for (most, ends) in [("90000 wei/minute", false), ("70000 wei/minute", true)] {
        let (mut pool, lease) = Pool::priced().leased();
        pool.pass_with(60_000, &[HOST, CLIENT]);
        pool.restart(Limits { price: wei(80_000), ..Limits::default() });
        pool.connect(HOST, host(HOST, SLOTS)).unwrap();
        assert_eq!(pool.connect(CLIENT, paying_at_most(most)).unwrap().price, wei(80_000), "announced");
        pool.full(HOST, &[(lease, KEPT)]);
        pool.full(CLIENT, &[(lease, KEPT)]);
        pool.pass_with(DAY_MS, &[HOST, CLIENT]);
        assert_eq!(pool.metered()[0].lease.price, wei(60_000));
        assert_eq!(pool.evicted(HOST), ends.then_some(EvictReason::Price));
        assert_eq!(pool.core.gauges().leases, u64::from(!ends));
        if !ends {
            pool.leave(CLIENT, lease, LeaveReason::Surplus);
            assert_eq!(pool.metered()[1].lease.price, wei(80_000));
        }
    }
}

#[test]
fn d50_the_end_is_frozen_in_the_transaction_that_deletes_the_running_period() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    let before = pool.rows.len();
    pool.leave(HOST, lease, LeaveReason::Drained);
    let written = &pool.rows[before..];
    assert!(
        matches!(written, [Row::Metered(row), .., Row::Delete(_), Row::Times(_)] if row.billed_ms == 60_000),
        "{written:?}"
    );
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Drained));
    assert_eq!(pool.metered()[0].ended, pool.now);
    assert!(pool.metered()[0].ended > Ms::ZERO);
}
