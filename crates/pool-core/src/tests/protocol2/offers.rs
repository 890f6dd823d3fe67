//! How long an offer to a side of protocol 2 lasts, and updates that are too far apart.

use super::*;

#[test]
fn an_offer_to_a_side_of_protocol_2_lasts_for_its_longest_gap_between_updates_and_30_s() {
    // Updates before the offer, with the time before each; how long the offer lasts.
    for (gaps, lasts) in [
        (&[][..], 150_000),
        (&[60_000, 60_000], 150_000),
        (&[1_000, 20_000, 60_000], 90_000),
        (&[1_000, 170_000, 60_000], 150_000),
    ] {
        let limits = Limits { offer_update_ms: 30_000, update_gap_ms: 120_000, ..Limits::default() };
        let mut pool = Pool::with(limits);
        pool.connect2(1, info(Kind::Geth, true));
        for &gap in gaps {
            pool.pass(gap);
            pool.update2(1, &[]);
        }
        pool.connect(2, on_mainnet(client(2))).unwrap();
        pool.full(2, &[]);
        pool.ask(2, 1);
        pool.allow(1);
        let lease = pool.last_ask(2).unwrap().hosts[0].lease;
        pool.delta(2, &[lease], &[]);
        pool.pass(lasts - 1);
        assert_eq!((pool.core.gauges().leases, pool.evicted(2)), (1, None), "{gaps:?}");
        pool.pass(1);
        assert_eq!(pool.evicted(2), Some(EvictReason::NotConnected), "{gaps:?}");
    }
}

#[test]
fn an_offer_to_a_side_of_protocol_2_ends_after_45_s_if_the_other_side_has_not_seen_it() {
    let mut pool = Pool::with(Limits { offer_unseen_ms: 45_000, ..Limits::default() });
    pool.connect2(1, info(Kind::Geth, true));
    pool.connect(2, on_mainnet(client(2))).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    pool.allow(1);
    pool.pass(44_999);
    assert_eq!(pool.evicted(2), None);
    pool.pass(1);
    assert_eq!(pool.evicted(2), Some(EvictReason::NotConnected));
}

#[test]
fn updates_that_are_too_far_apart_to_be_billed_are_counted_and_end_the_lease() {
    let mut pool = Pool::priced();
    pool.pair2();
    let mut served = 0;
    for _ in 0..50 {
        for ms in [60_000, 60_000, 30_000] {
            pool.pass(ms);
            pool.update2(1, &[2]);
        }
        pool.update2(2, &[1]);
        served += 150_000;
        if pool.core.gauges().leases == 0 {
            break;
        }
    }
    assert_eq!(pool.core.gauges().leases, 0);
    let billed: u64 = pool.metered().iter().map(|row| row.billed_ms).sum();
    // Silence, two minutes and two updates, and what one more round takes.
    assert!(served - billed <= 300_000 + 120_000 + 150_000 + 60_000, "{} ms for nothing", served - billed);
    pool.ask2(2, 1);
    assert!(pool.whitelisted(1).is_none(), "they are kept apart");
}
