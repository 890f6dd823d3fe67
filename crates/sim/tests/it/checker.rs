//! The checker sees each wrong that it is there to see: otherwise a silent run would prove nothing.

use vipnode_pool_core::{Credentials, LeaseRow, MeteredRow, NodeRow, Row, Signer};
use vipnode_sim::{
    Checker, Dice, EPOCH_MS, Scenario, Truth,
    checks::{LOST_A_LEASE_MS, OVERBILLED_A_GAP_MS, Standing, durable, settled},
};
use vipnode_types::{AgentKey, ChainSpec, LeaseId, Ms, NodeId, Price, Wei, meter, meter::Seen};

const MINUTE_MS: u64 = 60_000;

/// A client (1) that was connected to a host (0) from minute 10 to minute 20.
struct Bench {
    checker: Checker,
    truth: Truth,
    host: NodeId,
    client: NodeId,
    slots: u32,
}

impl Bench {
    fn new() -> Self {
        let scenario = (0..).map(|seed| Scenario::draw(&mut Dice::new(seed))).find(|s| s.agents.len() > 2).unwrap();
        let mut truth = Truth::default();
        truth.up(0, 1, 10 * MINUTE_MS);
        truth.down(0, 1, 20 * MINUTE_MS);
        let slots = scenario.agents[0].config.host.as_ref().unwrap().slots;
        let (host, client) = (scenario.agents[0].id, scenario.agents[1].id);
        Self { checker: Checker::new(&scenario), truth, host, client, slots }
    }

    fn metered(&mut self, row: &MeteredRow) -> Result<(), String> {
        self.checker.metered(row, 60 * MINUTE_MS, &self.truth)
    }

    fn lease(&self, number: u64) -> LeaseRow {
        LeaseRow {
            id: LeaseId::new(number),
            row: 0,
            client: self.client,
            host: self.host,
            payee: None,
            price: Price::per_minute(Wei::new(1_000)),
            offered: Ms::new(EPOCH_MS),
            client_seen: None,
            host_seen: None,
        }
    }

    fn row(&self, number: u64, from_ms: u64, to_ms: u64) -> MeteredRow {
        let seen = Some(Seen { up: Ms::new(EPOCH_MS + from_ms), end: Ms::new(EPOCH_MS + to_ms) });
        let mut lease = self.lease(number);
        lease.client_seen = seen.map(|seen| (seen.up, None));
        lease.host_seen = lease.client_seen;
        MeteredRow {
            billed_ms: meter::billed_ms(seen, seen),
            cost: meter::cost(lease.price, seen, seen).unwrap(),
            lease,
            client: seen,
            host: seen,
            ended: Ms::new(EPOCH_MS + to_ms),
        }
    }
}

fn says(result: Result<(), String>, what: &str) {
    let said = result.expect_err(what);
    assert!(said.contains(what), "{said}");
}

#[test]
fn an_honest_row_passes() {
    let mut bench = Bench::new();
    let row = bench.row(1, 10 * MINUTE_MS, 20 * MINUTE_MS);
    bench.metered(&row).unwrap();
    bench.checker.journal(&[row]).unwrap();
    assert_eq!(bench.checker.totals(), (1, 10 * MINUTE_MS));
}

#[test]
fn more_than_the_truth_and_the_bound_is_seen() {
    let mut bench = Bench::new();
    let most = 20 * MINUTE_MS + OVERBILLED_A_GAP_MS;
    bench.metered(&bench.row(1, 10 * MINUTE_MS, most)).unwrap();
    says(bench.metered(&bench.row(1, 10 * MINUTE_MS, most + 1)), "were connected");
    bench.checker.pool_sleeps(20 * MINUTE_MS, 21 * MINUTE_MS);
    bench.metered(&bench.row(1, 10 * MINUTE_MS, most + MINUTE_MS)).unwrap();
}

#[test]
fn a_pair_that_never_met_is_seen() {
    let mut bench = Bench::new();
    says(bench.metered(&bench.row(1, MINUTE_MS, MINUTE_MS + 5)), "never were connected");
    std::mem::swap(&mut bench.host, &mut bench.client);
    bench.metered(&bench.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS)).unwrap();
    bench.truth = Truth::default();
    says(bench.metered(&bench.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS)), "never were connected");
}

#[test]
fn figures_that_do_not_follow_from_the_row_are_seen() {
    let mut bench = Bench::new();
    let good = bench.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS);
    says(bench.metered(&MeteredRow { billed_ms: MINUTE_MS + 1, ..good.clone() }), "the meter says");
    says(bench.metered(&MeteredRow { cost: Wei::new(1_001), ..good.clone() }), "price times time");
    says(bench.metered(&MeteredRow { ended: Ms::new(EPOCH_MS), ..good.clone() }), "ends in the future");
    says(bench.metered(&MeteredRow { ended: Ms::new(EPOCH_MS + 61 * MINUTE_MS), ..good.clone() }), "in the future");
    let mut other = good;
    other.lease.client_seen = None;
    says(bench.metered(&other), "not those of its lease");
}

#[test]
fn a_row_twice_and_a_time_twice_are_seen() {
    let bench = Bench::new();
    let first = bench.row(1, 10 * MINUTE_MS, 15 * MINUTE_MS);
    let next = bench.row(2, 15 * MINUTE_MS, 20 * MINUTE_MS);
    bench.checker.journal(&[next, first.clone()]).unwrap();
    says(bench.checker.journal(&[first.clone(), first.clone()]), "stands twice");
    let overlapping = bench.row(2, 15 * MINUTE_MS - 1, 20 * MINUTE_MS);
    says(bench.checker.journal(&[first, overlapping]), "pays twice");
}

#[test]
fn what_an_honest_pair_loses_is_seen() {
    let bench = Bench::new();
    let (from, to) = (10 * MINUTE_MS, 20 * MINUTE_MS);
    let enough = bench.row(1, from, to - LOST_A_LEASE_MS);
    bench.checker.nothing_lost(&[enough], &bench.truth, from, to).unwrap();
    let less = bench.row(1, from, to - LOST_A_LEASE_MS - 1);
    says(bench.checker.nothing_lost(&[less], &bench.truth, from, to), "of which");
}

#[test]
fn too_many_slots_are_seen() {
    let bench = Bench::new();
    let slots = bench.slots as usize;
    bench.checker.places(0, slots).unwrap();
    says(bench.checker.places(0, slots + 1), "sells");
    says(bench.checker.places(1, 1), "sells");
    let row = |number| Row::Lease(Box::new(bench.lease(number)));
    bench.checker.leases(&[row(1)]).unwrap();
    says(bench.checker.leases(&[row(1), row(2)]), "two leases");
    let mut other_way = bench.lease(1);
    std::mem::swap(&mut other_way.client, &mut other_way.host);
    says(bench.checker.leases(&[Row::Lease(Box::new(other_way))]), "sells 0 places");
}

#[test]
fn what_is_left_over_or_missing_is_seen() {
    let bench = Bench::new();
    let [host, client] = [bench.host, bench.client];
    let standing = |id, wants, sells| Standing {
        id,
        wants,
        sells,
        snap: false,
        needs_snap: false,
        protocol2: false,
        trusted: vec![],
        dialled: vec![],
    };
    let lease = [Row::Lease(Box::new(bench.lease(1)))];
    let mut both = [standing(host, 0, 1), standing(client, 1, 0)];
    both[0].trusted.push(client);
    both[1].dialled.push(host);
    settled(&both, &lease, false, |_, _| true).unwrap();
    says(settled(&both, &lease, false, |_, _| false), "is not connected");
    says(settled(&both, &[], false, |_, _| true), "trusts");
    both[0].trusted.clear();
    says(settled(&both, &[], false, |_, _| true), "dials");
    both[1].dialled.clear();
    says(settled(&both, &[], false, |_, _| true), "free places");
    settled(&both, &[], true, |_, _| true).unwrap();
    both[1].needs_snap = true;
    settled(&both, &[], false, |_, _| true).unwrap();
    both[0].snap = true;
    says(settled(&both, &[], false, |_, _| true), "free places");
    // A trusted node that is the host of the lease, not its client, is left over too.
    both[1].trusted.push(host);
    says(settled(&both, &lease, false, |_, _| true), "trusts");
    // Over protocol 2 a pair has one lease, whichever way.
    both[1].trusted.clear();
    let mut both_ways = [standing(host, 1, 1), standing(client, 1, 1)];
    says(settled(&both_ways, &lease, false, |_, _| true), "free places");
    both_ways[1].protocol2 = true;
    settled(&both_ways, &lease, false, |_, _| true).unwrap();
}

#[test]
fn a_store_that_lags_or_leads_is_seen() {
    let bench = Bench::new();
    let node = |seen| {
        Row::Node(Box::new(NodeRow {
            id: bench.host,
            credentials: Credentials::new(Signer::Agent {
                key: AgentKey::from_random([1; 32]).unwrap().public(),
                protocol2: false,
            }),
            seen: Ms::new(seen),
            chain: ChainSpec { chain_id: 1, genesis: [1; 32].into() },
            enode: None,
            payout: None,
            host: true,
            client: false,
        }))
    };
    let lease = Row::Lease(Box::new(bench.lease(1)));
    let held = [Row::Clock(Ms::new(9)), Row::NextLease(2), node(9), lease.clone()];
    durable::same(&held, &[Row::Clock(Ms::new(8)), Row::NextLease(2), node(8), lease.clone()]).unwrap();
    says(durable::same(&held, &[Row::Clock(Ms::new(10)), Row::NextLease(2), node(9), lease.clone()]), "ahead");
    says(durable::same(&held, &[Row::NextLease(1), node(9), lease.clone()]), "next lease");
    says(durable::same(&held, &[Row::NextLease(2), node(10), lease]), "later than the mind");
    says(durable::same(&held, &[Row::NextLease(2), node(9)]), "differ");
}
