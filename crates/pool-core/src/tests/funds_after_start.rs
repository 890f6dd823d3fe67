//! Whether leases end for lack of funds while agents reconnect after a start.

use super::{
    funds::{credit_limits, pool},
    pool::{Pool, client, host, node},
    scenario::{CLIENT, HOST, MINUTE_MS, SECOND_HOST, SLOTS},
};
use crate::Limits;

/// The limits: funds may be used up to the end.
fn limits() -> Limits {
    Limits { funds_last_ms: 0, ..credit_limits() }
}

/// All agents report for some time.
fn passes(pool: &mut Pool, ms: u64) {
    pool.pass_with(ms, &[HOST, SECOND_HOST, CLIENT]);
}

/// The attack: a client without funds asks for hosts right after each start, and is served until the reconnect window ends.
#[test]
fn in_the_reconnect_window_only_leases_from_before_it_outlast_the_funds() {
    let mut pool = pool(limits());
    pool.credit(u128::from(4 * MINUTE_MS));
    let old = pool.served(1)[0];
    passes(&mut pool, MINUTE_MS);
    let serving = pool.core.leases.get(pool.core.leases.find(old).unwrap()).unwrap().host();
    let serving = pool.core.agents.id(serving);
    pool.restart(limits());
    for agent in [HOST, SECOND_HOST] {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
        let seen: &[_] = if Some(node(agent)) == serving { &[(old, true)] } else { &[] };
        pool.full(agent, seen);
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(old, true)]);
    let new = pool.served(1)[0];
    let runs = |pool: &Pool| [old, new].map(|lease| pool.core.leases.find(lease).is_some());
    passes(&mut pool, MINUTE_MS);
    assert_eq!(runs(&pool), [true, true], "the funds last");
    passes(&mut pool, MINUTE_MS);
    assert_eq!(runs(&pool), [true, false], "the funds are used up");
    passes(&mut pool, 7 * MINUTE_MS);
    assert_eq!(runs(&pool), [true, false], "the window is open");
    passes(&mut pool, 2 * MINUTE_MS);
    assert_eq!(runs(&pool), [false, false]);
}
