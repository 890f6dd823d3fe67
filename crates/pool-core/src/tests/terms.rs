//! What a pool states about payment, and that it keeps to it.

use vipnode_types::{
    Amount, PaymentMode, Price,
    wire::{ErrorCode, PaymentTerms},
};

use super::{
    connect::{ISSUED, check},
    funds::{credit_limits, pool as paying_pool},
    limits::status,
    pool::{Pool, client, host, node},
    scenario::{CLIENT, HOST, MINUTE_MS},
};
use crate::Limits;

#[test]
fn a_client_with_the_minimum_balance_is_served_and_with_less_it_is_not() {
    for last_ms in [0, 1, 10 * MINUTE_MS] {
        for price in [Price::per_minute(7), Price::per_minute(60_000)] {
            let mut pool = paying_pool(Limits { funds_last_ms: last_ms, price, ..credit_limits() });
            let terms = pool.connect(CLIENT, client(CLIENT)).unwrap().terms;
            pool.full(CLIENT, &[]);
            let least = terms.minimum_balance.unwrap().get();
            if least > 1 {
                pool.credit(least - 1);
            }
            assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired, "{price}: one less than {least} is too little");
            pool.credit(1);
            assert_eq!(pool.served(1).len(), 1, "{price}: {least} are enough");
        }
    }
}

#[test]
fn a_check_of_a_connect_shows_what_a_request_for_hosts_would_get() {
    let mut pool = paying_pool(credit_limits());
    let asked = |pool: &mut Pool| check(pool, CLIENT, ISSUED, client(CLIENT)).unwrap();
    let supply = asked(&mut pool);
    let (unpaid, refused) = (supply.unpaid.unwrap(), pool.refused(1));
    assert_eq!((unpaid.code, unpaid.hint()), (refused.code, refused.hint()), "no funds");
    assert!(unpaid.message.contains("0 wei available"), "a client shows a refusal for longer: {unpaid:?}");
    assert_eq!(supply.terms.payment, PaymentMode::Credit);
    pool.credit((60 * MINUTE_MS).into());
    assert_eq!(asked(&mut pool).unpaid, None);
    pool.link(node(CLIENT), None, 2).unwrap();
    let unpaid = asked(&mut pool).unpaid.unwrap();
    assert!(unpaid.is(ErrorCode::PaymentRequired) && unpaid.hint().unwrap().contains("account link"), "{unpaid:?}");
    assert_eq!(check(&mut pool, HOST, ISSUED, host(HOST, 1)).unwrap().unpaid, None, "a host pays nothing");
    let unknown = pool.newcomer();
    assert_eq!(check(&mut pool, unknown, ISSUED, client(unknown)).unwrap().unpaid, Some(unpaid));
}

/// The account has enough for what runs, and not for one more.
#[test]
fn a_check_of_a_connect_shows_that_the_client_is_served() {
    let mut pool = paying_pool(credit_limits());
    assert_eq!(check(&mut pool, CLIENT, ISSUED, client(CLIENT)).unwrap().served, 0);
    pool.credit((15 * MINUTE_MS).into());
    pool.served(1);
    let supply = check(&mut pool, CLIENT, ISSUED, client(CLIENT)).unwrap();
    assert_eq!((supply.served, supply.unpaid.is_some()), (1, true));
}

#[test]
fn a_pool_states_its_terms_to_agents_and_in_its_status() {
    let mut pool = paying_pool(Limits { smallest_payout: 5, ..credit_limits() });
    let terms = PaymentTerms {
        payment: PaymentMode::Credit,
        minimum_balance: Some(Amount::new((10 * MINUTE_MS).into())),
        smallest_payout: Some(Amount::new(5)),
        ..PaymentTerms::default()
    };
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().terms, terms);
    let status = status(&mut pool);
    assert_eq!((status.terms, status.fee_bps), (Some(terms), 1_000));

    let mut free = paying_pool(Limits { price: Price::FREE, ..credit_limits() });
    let terms = free.connect(CLIENT, client(CLIENT)).unwrap().terms;
    assert_eq!((terms.payment, terms.minimum_balance), (PaymentMode::Credit, None), "a slot costs nothing");
    free.core.limits.payment = PaymentMode::None;
    assert_eq!(free.connect(CLIENT, client(CLIENT)).unwrap().terms, PaymentTerms::default());
}
