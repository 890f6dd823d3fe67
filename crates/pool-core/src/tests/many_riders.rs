//! Many free ids of one operator, each of which uses honest hosts without being billed.

use std::net::IpAddr;

use proptest::prelude::*;
use vipnode_types::wire::LeaveReason;

use super::{
    pool::{Pool, client, host},
    scenario::{DAY_MS, priced},
};
use crate::CallOutcome;

/// Each in a wide block of its own.
const HOSTS: [u32; 4] = [1, 2, 3, 4];

/// How long a rider uses a host at most, in milliseconds: less than what a pair may.
const LONGEST_MS: u64 = 160_000;

/// One id after the other: where it is, and how it uses its hosts.
#[derive(Debug, Clone, Copy)]
struct Rider {
    /// The number of its /24 in one /16, or of its /48 in one /32.
    block: u16,
    wants: u32,
    /// How long it is silent before it leaves, in milliseconds.
    silent_ms: u64,
    /// Whether it first reports its hosts.
    reports: bool,
}

fn riders() -> impl Strategy<Value = Vec<Rider>> {
    let rider = (0..256_u16, 1..4_u32, 1..=LONGEST_MS / 10_000, any::<bool>())
        .prop_map(|(block, wants, silent, reports)| Rider { block, wants, silent_ms: silent * 10_000, reports });
    proptest::collection::vec(rider, 40..70)
}

fn address(v6: bool, block: u16) -> IpAddr {
    if v6 { [0x2a00, 0x66, block, 1, 0, 0, 0, 1].into() } else { [66, 6, u8::try_from(block).unwrap(), 1].into() }
}

/// Has an id use hosts until it leaves. Returns how long hosts saw it, in milliseconds.
fn ride(pool: &mut Pool, agent: u32, rider: Rider, v6: bool) -> u64 {
    // One that reports nothing is over HTTP, so that the pool gives it no further hosts by itself.
    pool.connect_as(agent, client(agent), address(v6, rider.block), rider.reports).unwrap();
    pool.full(agent, &[]);
    pool.ask(agent, rider.wants);
    let mut leases = Vec::new();
    while let Some((at, call, lease)) =
        HOSTS.into_iter().find_map(|host| pool.take_admit(host).map(|(call, lease)| (host, call, lease)))
    {
        pool.done(call, CallOutcome::Done);
        pool.reports_up(at, lease);
        if rider.reports {
            pool.reports_up(agent, lease);
        }
        leases.push(lease);
    }
    let before = pool.now;
    // Where it reports nothing, its offers end after 15 s.
    pool.pass_with(if rider.reports { rider.silent_ms } else { rider.silent_ms.min(14_000) }, &HOSTS);
    let served = pool.now.since(before) * leases.len() as u64;
    for lease in leases {
        pool.leave(agent, lease, LeaveReason::Lost);
    }
    pool.disconnect(agent);
    for host in HOSTS {
        while pool.evicted(host).is_some() {}
        pool.full(host, &[]);
    }
    pool.calls.clear();
    served
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The whole sequence is within one day.
    #[test]
    fn the_ids_of_a_wide_block_together_use_no_more_for_nothing_than_four_budgets(riders in riders(), v6: bool) {
        let mut pool = Pool::with(priced());
        pool.now = pool.now.plus(DAY_MS - pool.now.get() % DAY_MS);
        for (at, agent) in (30_u8..).zip(HOSTS) {
            pool.connect_from(agent, host(agent, 8), [at, 1, 1, 1].into()).unwrap();
            pool.full(agent, &[]);
        }
        let served: u64 = (1_000..).zip(riders).map(|(agent, rider)| ride(&mut pool, agent, rider, v6)).sum();
        let billed: u64 = pool.billed_ms().iter().sum();
        // At each host, the last lease may begin just before the budget is used up.
        let last = LONGEST_MS * HOSTS.len() as u64;
        let most = 4 * pool.core.limits.unpaired_ms_a_day + last;
        prop_assert!(served - billed <= most, "{} ms for nothing, of {most}", served - billed);
    }
}

#[test]
fn ids_of_one_block_use_one_host_for_a_part_of_a_budget() {
    let mut pool = Pool::with(priced());
    pool.now = pool.now.plus(DAY_MS - pool.now.get() % DAY_MS);
    pool.connect_from(HOSTS[0], host(HOSTS[0], 8), [30, 1, 1, 1].into()).unwrap();
    pool.full(HOSTS[0], &[]);
    for agent in &HOSTS[1..] {
        pool.connect_from(*agent, client(*agent), [30, 1, 1, 1].into()).unwrap();
        pool.full(*agent, &[]);
    }
    let rider = Rider { block: 7, wants: 1, silent_ms: 150_000, reports: true };
    let served: u64 = (1_000..1_010).map(|agent| ride(&mut pool, agent, rider, false)).sum();
    assert_eq!(served, 450_000, "the third ride exceeds what one pair may lose");
    let elsewhere = Rider { block: 8, ..rider };
    assert_eq!(ride(&mut pool, 2_000, elsewhere, false), 150_000, "another block");
}
