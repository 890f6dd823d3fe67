//! Prices that are announced to agents of the original: the welcome text names them.

use vipnode_types::{Asset, LeaseId, PaymentMode, QuotedPrice, protocol2::Protocol2Reply, wire::EvictReason};

use super::{Call, light_node, on_mainnet};
use crate::{
    CallOutcome, Limits,
    tests::{
        funds::{credit_limits, payer},
        pool::{Pool, host, node, wei},
        scenario::{CLIENT, HOST, HOUR_MS, MINUTE_MS, SLOTS},
    },
};

/// A fee alone changes, so that nobody has to pay for the client.
const NEW: u16 = 500;

/// A host of protocol 3 and a client of the original, with a lease that both see, and a fee that is announced.
fn announced() -> (Pool, LeaseId) {
    let payment = PaymentMode::Credit;
    let limits = Limits { payment, price_notice_ms: HOUR_MS, rollover_ms: 2 * HOUR_MS, ..Limits::default() };
    let mut pool = Pool::with(limits);
    pool.settle();
    pool.join(HOST, on_mainnet(host(HOST, SLOTS)));
    pool.connect2(CLIENT, light_node());
    let lease = pool.serves();
    pool.pass(MINUTE_MS);
    pool.announces(wei(0), Some(NEW)).unwrap();
    pool.pass(1);
    (pool, lease)
}

impl Pool {
    fn serves(&mut self) -> LeaseId {
        self.ask2(CLIENT, 1);
        let lease = self.admit(HOST);
        self.reports_up(HOST, lease);
        self.update2(CLIENT, &[HOST]);
        lease
    }

    fn both_report(&mut self, minutes: u64) {
        for _ in 0..minutes {
            self.pass_with(MINUTE_MS, &[HOST]);
            self.update2(CLIENT, &[HOST]);
        }
    }

    fn fee(&self, lease: LeaseId) -> Option<u16> {
        let lease = self.core.leases.get(self.core.leases.find(lease)?)?;
        self.core.leases.pricing(lease).map(|pricing| pricing.fee_bps)
    }
}

#[test]
fn a_client_that_connected_after_the_announcement_has_agreed() {
    let (mut pool, lease) = announced();
    let welcome = pool.call2(CLIENT, Call::Connect(Box::new(light_node())));
    let Some(Ok(Protocol2Reply::Connect(welcome))) = welcome else { panic!("{welcome:?}") };
    let words = ["A slot costs nothing, and nothing (of which the pool keeps 5%) from ", "Z."];
    assert!(words.iter().all(|words| welcome.message.contains(words)), "{}", welcome.message);
    pool.both_report(115);
    while pool.fee(lease) == Some(0) {
        pool.pass_with(1_000, &[HOST]);
        pool.update2(CLIENT, &[HOST]);
        if let Some((call, _)) = pool.take_price(HOST) {
            pool.done(call, CallOutcome::Done);
        }
    }
    assert_eq!(pool.fee(lease), Some(NEW));
    assert_eq!(pool.evicted(HOST), None);
}

#[test]
fn the_lease_of_a_client_that_connected_before_ends_at_its_rollover_and_the_next_one_is_at_the_price() {
    let (mut pool, lease) = announced();
    pool.both_report(110);
    assert_eq!(pool.fee(lease), Some(0));
    pool.both_report(15);
    assert_eq!((pool.fee(lease), pool.evicted(HOST)), (None, Some(EvictReason::Price)));
    while let Some((call, _)) = pool.take_price(HOST) {
        pool.done(call, CallOutcome::Done);
    }
    let next = pool.serves();
    assert_eq!(pool.fee(next), Some(NEW));
}

/// A client that pays, whose agent cannot answer what it is asked about a price.
#[test]
fn the_lease_of_a_paying_client_takes_another_price_only_if_the_client_connected_after_the_announcement() {
    for connects in [true, false] {
        let (old, new) = (wei(60_000), wei(90_000));
        let limits = Limits { price_notice_ms: HOUR_MS, rollover_ms: 2 * HOUR_MS, ..credit_limits() };
        let mut pool = Pool::with(limits);
        pool.settle();
        pool.join(HOST, on_mainnet(host(HOST, SLOTS)));
        pool.connect2(CLIENT, light_node());
        pool.credit(u128::from(1_000 * HOUR_MS));
        pool.link(node(CLIENT), Some(payer()), 1).unwrap();
        let lease = pool.serves();
        let price = |pool: &Pool, lease| {
            let lease = pool.core.leases.get(pool.core.leases.find(lease)?)?;
            pool.core.leases.price(lease)
        };
        pool.pass(MINUTE_MS);
        pool.announces(new, None).unwrap();
        pool.pass(1);
        if connects {
            let welcome = pool.call2(CLIENT, Call::Connect(Box::new(light_node())));
            assert!(matches!(welcome, Some(Ok(Protocol2Reply::Connect(_)))), "{welcome:?}");
        }
        for _ in 0..130 {
            pool.both_report(1);
            while let Some((call, _)) = pool.take_price(HOST) {
                pool.done(call, CallOutcome::Done);
            }
        }
        let billed: Vec<_> = pool.metered().iter().map(|period| period.lease.price).collect();
        assert!(!billed.is_empty() && billed.iter().all(|price| *price == old), "{billed:?}");
        if connects {
            assert_eq!((price(&pool, lease), pool.evicted(HOST)), (Some(new), None));
        } else {
            assert_eq!((price(&pool, lease), pool.evicted(HOST)), (None, Some(EvictReason::Price)));
            let next = pool.serves();
            assert_eq!(price(&pool, next), Some(new));
        }
    }
}

#[test]
fn an_update_is_answered_with_the_balance_of_the_account_that_pays_for_the_node() {
    let mut pool = Pool::with(credit_limits());
    pool.settle();
    pool.join(HOST, on_mainnet(host(HOST, SLOTS)));
    pool.connect2(CLIENT, light_node());
    assert_eq!(pool.update2(CLIENT, &[]).balance, None, "no account pays for it");
    let credited = u128::from(1_000 * HOUR_MS);
    pool.credit(credited);
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.serves();
    pool.both_report(10);
    let balance = pool.update2(CLIENT, &[HOST]).balance.unwrap();
    assert_eq!(balance.account, payer().to_string());
    assert_eq!(balance.deposit, i128::try_from(credited).unwrap());
    let minutes = 9 * i128::from(MINUTE_MS)..=11 * i128::from(MINUTE_MS);
    assert!(minutes.contains(&-balance.credit), "1 wei a millisecond: {balance:?}");
}

#[test]
fn the_original_knows_no_asset_but_ether() {
    let asset = Asset::new("USDC", 6).unwrap();
    let price = "0.5 USDC/month".parse::<QuotedPrice>().unwrap().in_asset(asset).unwrap();
    let mut pool = Pool::with(Limits { price, ..credit_limits() });
    pool.settle();
    pool.connect2(CLIENT, light_node());
    pool.credit(1_000_000);
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    assert_eq!(pool.update2(CLIENT, &[]).balance, None);
}
