//! The checker detects each violation that it is there to detect; otherwise a clean run would prove nothing.

use vipnode_pool_core::{Credentials, LeaseRow, Limits, MergedPeriods, MeteredPeriod, NodeRow, Proven, Row, Signer};
use vipnode_sim::{
    Checker, EPOCH_MS, GroundTruth, Scenario, SimRng,
    checks::{
        FRAME_LATE_MS, ModeChange, OVERBILLED_A_GAP_MS, Participant, Promise, Violation, durability,
        hostile::{
            BUDGETS_OF_A_WIDE_BLOCK, HONEST_WAIT_MS, Loneliness, UsedService, free_service, free_service_of_block,
        },
        settled,
    },
};
use vipnode_types::{
    Account, AgentKey, Amount, ChainSpec, LeaseId, Ms, NodeId, PaymentMode, Price, meter,
    meter::Seen,
    wire::{PriceCall, ReportRequest},
};

const MINUTE_MS: u64 = 60_000;
/// Nobody pays, before and after a start.
const FREE: ModeChange = ModeChange { paid: false, pays: false, stored: None, announced: None };
/// Clients pay, before and after a start.
const PAID: ModeChange = ModeChange { paid: true, pays: true, stored: None, announced: None };

/// A client (1) that was connected to a host (0) from minute 10 to minute 20, and reports of both that say so from the beginning on.
struct Fixture {
    checker: Checker,
    ground_truth: GroundTruth,
    host: NodeId,
    client: NodeId,
    slots: u32,
}

/// A scenario whose first two agents speak protocol 3.
fn of_protocol3() -> Scenario {
    let speak3 = |scenario: &Scenario| scenario.agents.iter().take(2).all(|plan| !plan.protocol2);
    let drawn = |seed| Scenario::draw(&mut SimRng::new(seed));
    (0..).map(drawn).find(|scenario| scenario.agents.len() > 2 && speak3(scenario)).unwrap()
}

impl Fixture {
    fn new() -> Self {
        let scenario = of_protocol3();
        let mut ground_truth = GroundTruth::default();
        ground_truth.up(0, 1, 10 * MINUTE_MS);
        ground_truth.down(0, 1, 20 * MINUTE_MS);
        let slots = scenario.agents[0].config.host.as_ref().unwrap().slots;
        let (host, client) = (scenario.agents[0].id, scenario.agents[1].id);
        let mut checker = Checker::new(&scenario);
        checker.prices().settings(0, Price::per_minute(1_000), FREE);
        let report = ReportRequest { up: [1, 2].map(LeaseId::new).into(), ..ReportRequest::default() };
        [0, 1].into_iter().for_each(|agent| checker.reported().sent(agent, &report, 0));
        Self { checker, ground_truth, host, client, slots }
    }

    fn metered(&mut self, row: &MeteredPeriod) -> Result<(), Violation> {
        self.checker.metered(row, 60 * MINUTE_MS, &self.ground_truth)
    }

    fn lease(&self, number: u64) -> LeaseRow {
        LeaseRow {
            id: LeaseId::new(number),
            row: 0,
            client: self.client,
            host: self.host,
            payee: None,
            payer: None,
            fee_bps: 0,
            trial: false,
            price: Price::per_minute(1_000),
            carry: 0,
            offered: Ms::new(EPOCH_MS),
            client_seen: None,
            host_seen: None,
        }
    }

    fn row(&self, number: u64, from_ms: u64, to_ms: u64) -> MeteredPeriod {
        let seen = Some(Seen { up: Ms::new(EPOCH_MS + from_ms), end: Ms::new(EPOCH_MS + to_ms) });
        let mut lease = self.lease(number);
        lease.client_seen = seen.map(|seen| (seen.up, None));
        lease.host_seen = lease.client_seen;
        MeteredPeriod {
            billed_ms: meter::billed_ms(seen, seen),
            cost: lease.price.cost(meter::billed_ms(seen, seen)).unwrap(),
            lease,
            client: seen,
            host: seen,
            ended: Ms::new(EPOCH_MS + to_ms),
            earlier: MergedPeriods::default(),
            folded: 0,
        }
    }
}

/// The result is a violation of this promise, with this detail.
fn assert_broken(promise: Promise, result: Result<(), Violation>, detail: &str) {
    let violation = result.expect_err(detail);
    assert_eq!(violation.promise, promise, "{violation}");
    assert!(violation.detail.contains(detail), "{violation}");
}

#[test]
fn an_honest_row_passes() {
    let mut fixture = Fixture::new();
    let row = fixture.row(1, 10 * MINUTE_MS, 20 * MINUTE_MS);
    fixture.metered(&row).unwrap();
    fixture.checker.journal(&[row]).unwrap();
    assert_eq!(fixture.checker.totals(), (1, 10 * MINUTE_MS));
}

#[test]
fn more_than_the_truth_and_the_bound_is_seen() {
    let mut fixture = Fixture::new();
    let most = 20 * MINUTE_MS + OVERBILLED_A_GAP_MS;
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, most)).unwrap();
    assert_broken(Promise::Billing, fixture.metered(&fixture.row(1, 10 * MINUTE_MS, most + 1)), "was connected for");
    fixture.checker.pool_sleeps(20 * MINUTE_MS, 21 * MINUTE_MS);
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, most + MINUTE_MS)).unwrap();
}

#[test]
fn time_that_a_side_did_not_report_is_seen() {
    let mut fixture = Fixture::new();
    let down = ReportRequest { down: vec![LeaseId::new(1)], ..ReportRequest::default() };
    fixture.checker.reported().sent(1, &down, 12 * MINUTE_MS);
    let most = 12 * MINUTE_MS + FRAME_LATE_MS;
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, most)).unwrap();
    let more = fixture.row(1, 10 * MINUTE_MS, most + 1);
    assert_broken(Promise::Billing, fixture.metered(&more), "agent 1 reported the lease");
    fixture.checker.pool_sleeps(12 * MINUTE_MS, 13 * MINUTE_MS);
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, most + MINUTE_MS)).unwrap();
    fixture.checker.reported().falsified(1);
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, 20 * MINUTE_MS)).unwrap();
}

#[test]
fn a_pair_that_never_met_is_seen() {
    let mut fixture = Fixture::new();
    assert_broken(Promise::Billing, fixture.metered(&fixture.row(1, MINUTE_MS, MINUTE_MS + 5)), "was never connected");
    std::mem::swap(&mut fixture.host, &mut fixture.client);
    fixture.metered(&fixture.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS)).unwrap();
    fixture.ground_truth = GroundTruth::default();
    assert_broken(
        Promise::Billing,
        fixture.metered(&fixture.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS)),
        "was never connected",
    );
}

#[test]
fn figures_that_do_not_follow_from_the_row_are_seen() {
    let mut fixture = Fixture::new();
    let good = fixture.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS);
    assert_broken(
        Promise::Billing,
        fixture.metered(&MeteredPeriod { billed_ms: MINUTE_MS + 1, ..good.clone() }),
        "the formula of the meter gives",
    );
    assert_broken(
        Promise::Billing,
        fixture.metered(&MeteredPeriod { cost: Amount::new(1_001), ..good.clone() }),
        "the price times the time",
    );
    assert_broken(
        Promise::Billing,
        fixture.metered(&MeteredPeriod { ended: Ms::new(EPOCH_MS), ..good.clone() }),
        "ends in the future",
    );
    assert_broken(
        Promise::Billing,
        fixture.metered(&MeteredPeriod { ended: Ms::new(EPOCH_MS + 61 * MINUTE_MS), ..good.clone() }),
        "in the future",
    );
    let mut other = good;
    other.lease.client_seen = None;
    assert_broken(Promise::Billing, fixture.metered(&other), "at other times than its lease");
}

#[test]
fn a_price_that_a_side_did_not_agree_to_is_seen() {
    let mut scenario = of_protocol3();
    scenario.limits.payment = PaymentMode::Credit;
    let mut fixture = Fixture::new();
    (fixture.host, fixture.client) = (scenario.agents[0].id, scenario.agents[1].id);
    let at = |row: u32, fee_bps: u16| LeaseRow { row, fee_bps, ..fixture.lease(1) };
    let checker = &mut Checker::new(&scenario);
    for row in [0, 1] {
        checker.lease(&at(row, 0)).unwrap();
    }
    let call = |row| PriceCall {
        lease: LeaseId::new(1),
        row,
        price: Price::per_minute(1_000),
        fee_bps: 500,
        from_ms: Ms::new(EPOCH_MS),
    };
    checker.lease_prices().agreed(0, &call(1));
    checker.lease_prices().agreed(1, &call(0));
    assert_broken(Promise::Billing, checker.lease(&at(2, 500)), "agent 1 did not agree");
    checker.lease_prices().restarted(&[Row::Lease(Box::new(at(1, 0)))]);
    checker.lease_prices().agreed(1, &call(1));
    assert_broken(Promise::Billing, checker.lease(&at(1, 500)), "within row 1");
    checker.lease_prices().restarted(&[Row::Lease(Box::new(at(1, 0)))]);
    checker.lease(&at(2, 500)).unwrap();
}

/// A period of minute 10 of a lease that was offered in minute 9.
fn priced(fixture: &Fixture, price: Price, row: u32) -> MeteredPeriod {
    let mut period = fixture.row(1, 10 * MINUTE_MS, 11 * MINUTE_MS);
    (period.lease.price, period.lease.row) = (price, row);
    period.lease.offered = Ms::new(EPOCH_MS + 9 * MINUTE_MS);
    period.cost = price.cost(period.billed_ms).unwrap();
    period
}

#[test]
fn a_price_without_notice_after_a_free_time_is_seen() {
    let mut fixture = Fixture::new();
    let (price, other) = (Price::per_minute(1_000), Price::per_minute(7));
    fixture.checker.prices().settings(2 * MINUTE_MS, price, ModeChange { pays: true, ..FREE });
    fixture.checker.prices().settings(5 * MINUTE_MS, other, ModeChange { pays: false, ..PAID });
    fixture.checker.prices().settings(
        9 * MINUTE_MS,
        other,
        ModeChange { paid: false, pays: true, stored: Some(price), announced: None },
    );
    let [charged, announced] = [price, other].map(|price| priced(&fixture, price, 1));
    fixture.metered(&charged).unwrap();
    assert_broken(Promise::Billing, fixture.metered(&announced), "did not charge this price then");
}

#[test]
fn another_price_and_a_debt_of_a_pool_without_payments_are_seen() {
    let mut fixture = Fixture::new();
    let price = Price::per_minute(1_000);
    let other = Price::per_minute(7);
    let row = priced(&fixture, other, 0);
    assert_broken(Promise::Billing, fixture.metered(&row), "did not charge this price then");
    fixture.checker.prices().settings(9 * MINUTE_MS, other, PAID);
    let early = priced(&fixture, other, 1);
    assert_broken(Promise::Billing, fixture.metered(&early), "did not charge this price then");
    fixture.checker.prices().settings(10 * MINUTE_MS, other, FREE);
    assert_broken(Promise::Billing, fixture.metered(&row), "did not charge this price then");
    let late = priced(&fixture, other, 1);
    fixture.metered(&late).unwrap();
    let mut row = priced(&fixture, price, 0);
    fixture.metered(&row).unwrap();
    row.lease.payer = Some(Account::new([1; 20]));
    assert_broken(Promise::Billing, fixture.metered(&row), "owes what is metered without payments");
    fixture.checker.mode(PaymentMode::Credit);
    fixture.metered(&row).unwrap();
}

#[test]
fn a_row_twice_and_a_time_twice_are_seen() {
    let fixture = Fixture::new();
    let first = fixture.row(1, 10 * MINUTE_MS, 15 * MINUTE_MS);
    let next = fixture.row(2, 15 * MINUTE_MS, 20 * MINUTE_MS);
    fixture.checker.journal(&[next, first.clone()]).unwrap();
    assert_broken(Promise::Journal, fixture.checker.journal(&[first.clone(), first.clone()]), "in the journal twice");
    let overlapping = fixture.row(2, 15 * MINUTE_MS - 1, 20 * MINUTE_MS);
    assert_broken(Promise::Journal, fixture.checker.journal(&[first, overlapping]), "billed twice");
}

#[test]
fn what_an_honest_pair_loses_is_seen() {
    let fixture = Fixture::new();
    let (from, to) = (10 * MINUTE_MS, 20 * MINUTE_MS);
    let most = fixture.checker.lost_a_lease_ms(1, 0);
    let enough = fixture.row(1, from, to - most);
    fixture.checker.nothing_lost(&[enough], (&fixture.ground_truth, None), from, to).unwrap();
    let less = fixture.row(1, from, to - most - 1);
    assert_broken(
        Promise::NothingLost,
        fixture.checker.nothing_lost(&[less], (&fixture.ground_truth, None), from, to),
        "but only",
    );
    let mut leased = GroundTruth::default();
    leased.up(0, 1, from);
    leased.down(0, 1, to - 1);
    let less = fixture.row(1, from, to - most - 1);
    let truth = (&fixture.ground_truth, Some(&leased));
    fixture.checker.nothing_lost(&[less], truth, from, to).unwrap();
    let lesser = fixture.row(1, from, to - most - 2);
    assert_broken(Promise::NothingLost, fixture.checker.nothing_lost(&[lesser], truth, from, to), "but only");
}

#[test]
fn what_both_sides_reported_and_nobody_was_billed_for_is_seen() {
    let mut fixture = Fixture::new();
    let most = MINUTE_MS + fixture.checker.lost_a_lease_ms(1, 0);
    let lease = fixture.lease(1);
    fixture.checker.mode(PaymentMode::Credit);
    fixture.checker.lease(&lease).unwrap();
    let (to, lost) = (20 * MINUTE_MS, "could not reach the pool for");
    let enough = fixture.row(1, most, to);
    fixture.checker.reports_are_billed(&[enough], to).unwrap();
    let less = fixture.row(1, most + 1, to);
    assert_broken(Promise::NothingLost, fixture.checker.reports_are_billed(std::slice::from_ref(&less), to), lost);
    assert_broken(Promise::NothingLost, fixture.checker.reports_are_billed(&[], to), lost);
    for at in [0, 90_001] {
        fixture.checker.reported().heard(0, at);
    }
    fixture.checker.reports_are_billed(&[less], to).unwrap();
}

#[test]
fn too_many_slots_are_seen() {
    let fixture = Fixture::new();
    let slots = fixture.slots as usize;
    fixture.checker.slots(0, slots).unwrap();
    assert_broken(Promise::Slots, fixture.checker.slots(0, slots + 1), "sells");
    assert_broken(Promise::Slots, fixture.checker.slots(1, 1), "sells");
    let row = |number| Row::Lease(Box::new(fixture.lease(number)));
    fixture.checker.leases(&[row(1)]).unwrap();
    assert_broken(Promise::Leases, fixture.checker.leases(&[row(1), row(2)]), "two leases");
    let mut other_way = fixture.lease(1);
    std::mem::swap(&mut other_way.client, &mut other_way.host);
    assert_broken(Promise::Slots, fixture.checker.leases(&[Row::Lease(Box::new(other_way))]), "sells 0 slots");
}

#[test]
fn what_is_left_over_or_missing_is_seen() {
    let fixture = Fixture::new();
    let [host, client] = [fixture.host, fixture.client];
    let participant = |id, wants, sells| Participant {
        id,
        wants,
        sells,
        snap: false,
        needs_snap: false,
        protocol2: false,
        trusted: vec![],
        dialed: vec![],
    };
    let lease = [Row::Lease(Box::new(fixture.lease(1)))];
    let mut both = [participant(host, 0, 1), participant(client, 1, 0)];
    both[0].trusted.push(client);
    both[1].dialed.push(host);
    settled(&both, &lease, false, |_, _| true).unwrap();
    assert_broken(Promise::Liveness, settled(&both, &lease, false, |_, _| false), "is not connected");
    assert_broken(Promise::Liveness, settled(&both, &[], false, |_, _| true), "trusts");
    both[0].trusted.clear();
    assert_broken(Promise::Liveness, settled(&both, &[], false, |_, _| true), "dials");
    both[1].dialed.clear();
    assert_broken(Promise::Liveness, settled(&both, &[], false, |_, _| true), "free slots");
    settled(&both, &[], true, |_, _| true).unwrap();
    both[1].needs_snap = true;
    settled(&both, &[], false, |_, _| true).unwrap();
    both[0].snap = true;
    assert_broken(Promise::Liveness, settled(&both, &[], false, |_, _| true), "free slots");
    // A trusted node that is the host of the lease, not its client, is left over too.
    both[1].trusted.push(host);
    assert_broken(Promise::Liveness, settled(&both, &lease, false, |_, _| true), "trusts");
    // Over protocol 2 a pair has one lease, whichever way.
    both[1].trusted.clear();
    let mut both_ways = [participant(host, 1, 1), participant(client, 1, 1)];
    assert_broken(Promise::Liveness, settled(&both_ways, &lease, false, |_, _| true), "free slots");
    both_ways[1].protocol2 = true;
    settled(&both_ways, &lease, false, |_, _| true).unwrap();
}

#[test]
fn a_store_that_lags_or_leads_is_seen() {
    let fixture = Fixture::new();
    let node = |seen| {
        Row::Node(Box::new(NodeRow {
            id: fixture.host,
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
            proven: Proven::No,
            replaced: false,
            block: None,
            trial_used_ms: 0,
        }))
    };
    let lease = Row::Lease(Box::new(fixture.lease(1)));
    let held = [Row::Clock(Ms::new(9)), Row::NextLease(2), node(9), lease.clone()];
    durability::same(&held, &[Row::Clock(Ms::new(8)), Row::NextLease(2), node(8), lease.clone()]).unwrap();
    assert_broken(
        Promise::Durability,
        durability::same(&held, &[Row::Clock(Ms::new(10)), Row::NextLease(2), node(9), lease.clone()]),
        "ahead",
    );
    assert_broken(
        Promise::Durability,
        durability::same(&held, &[Row::NextLease(1), node(9), lease.clone()]),
        "next lease",
    );
    assert_broken(
        Promise::Durability,
        durability::same(&held, &[Row::NextLease(2), node(10), lease]),
        "later than the core did",
    );
    // A period that waits is written at most once a second.
    let [first, more] = [1_000, 2_000].map(|to| Row::Deferred(Box::new(fixture.row(1, 0, to))));
    let held = |clock| [Row::Clock(Ms::new(EPOCH_MS + clock)), Row::NextLease(2), more.clone()];
    let stored = [Row::NextLease(2), first];
    durability::same(&held(4_999), &stored).unwrap();
    assert_broken(Promise::Durability, durability::same(&held(5_000), &stored), "differ");
    let held = [Row::NextLease(2), node(9)];
    assert_broken(Promise::Durability, durability::same(&held, &[Row::NextLease(2)]), "differ");
}

#[test]
fn an_honest_client_without_a_host_is_seen() {
    let mut lonely = Loneliness::default();
    lonely.note(3, true, HONEST_WAIT_MS, 5).unwrap();
    lonely.note(3, false, HONEST_WAIT_MS, 10).unwrap();
    lonely.note(3, false, HONEST_WAIT_MS, 10 + HONEST_WAIT_MS).unwrap();
    assert_broken(Promise::HonestService, lonely.note(3, false, HONEST_WAIT_MS, 11 + HONEST_WAIT_MS), "has no host");
}

#[test]
fn more_free_service_than_a_client_or_a_provider_may_use_is_seen() {
    let limits = Limits::default();
    let used = |served_ms| UsedService { served_ms, billed_ms: 0, lost_ms: 0, protocol2: [false; 2] };
    // A client at one host: 3 minutes of silence, 2 of the pair, and 3 until it is noticed.
    free_service(1, &[used(8 * MINUTE_MS)], &limits).unwrap();
    assert_broken(Promise::FreeService, free_service(1, &[used(9 * MINUTE_MS)], &limits), "used one host");
    // Clients in one block at three hosts: 7 minutes at each of two, and a third of 10; and 3 until each is noticed.
    let clients = |count, each| vec![vec![used(each)]; count];
    free_service_of_block(1, &clients(4, 7 * MINUTE_MS), &limits).unwrap();
    assert_broken(Promise::FreeService, free_service_of_block(1, &clients(4, 8 * MINUTE_MS), &limits), "one provider");
    free_service_of_block(BUDGETS_OF_A_WIDE_BLOCK, &clients(4, 8 * MINUTE_MS), &limits).unwrap();
    let paying = UsedService { served_ms: 50 * MINUTE_MS, billed_ms: 10 * MINUTE_MS, ..used(0) };
    free_service_of_block(1, &[vec![paying]], &limits).unwrap();
}
