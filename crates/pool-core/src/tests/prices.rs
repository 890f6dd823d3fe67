//! Prices that are announced ahead, and that a lease takes at its rollover once both sides agreed.

use vipnode_types::{
    Account, Amount, LeaseId, Ms, PaymentMode, Price,
    wire::{ErrorCode, EvictReason, LeasePrice, LeaveReason, NextPrice, PriceCall, WireError},
};

use super::{
    pool::{Pool, address, client, host, node, wei},
    scenario::{CLIENT, DAY_MS, HOST, HOUR_MS, KEPT, SLOTS, paying_at_most},
};
use crate::{
    AccountLink, CallId, CallOutcome, Command, Core, Effect, LedgerChange, LedgerChangeKind, Limits, LinkConsent,
    NextPricing, OperatorOrder, PoolCall, Pricing, PricingRow, Reply,
};

const PAYER: Account = Account::new([0x46; 20]);
const OLD: u64 = 60_000;
const NEW: u64 = 120_000;

fn limits() -> Limits {
    Limits { payment: PaymentMode::Credit, price: wei(OLD), ..Limits::default() }
}

impl Pool {
    /// A host and a client, for which an account with funds pays, and their lease, which both see.
    fn paying(limits: Limits) -> (Self, LeaseId) {
        let mut pool = Self::with(limits);
        pool.settle();
        pool.join(HOST, host(HOST, SLOTS));
        pool.join(CLIENT, client(CLIENT));
        let (connection, counter) = (pool.connection(0), pool.now);
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        let kind = LedgerChangeKind::Credit { payer: PAYER, amount: Amount::new(u128::from(1_000 * DAY_MS)) };
        let change = Box::new(LedgerChange { kind, order, allow_negative: true });
        pool.request(Command::Ledger { connection, request: 1, change }).unwrap().unwrap();
        let consent = LinkConsent::Both { issued: Ms::NEVER, chain_id: 1 };
        let link = AccountLink { node: node(CLIENT), account: PAYER, counter, consent };
        pool.request(Command::Link { connection, request: 1, address: address(0), link }).unwrap().unwrap();
        pool.ask(CLIENT, 1);
        let lease = pool.admit(HOST);
        pool.reports_up(HOST, lease);
        pool.reports_up(CLIENT, lease);
        (pool, lease)
    }

    /// The operator announces a price.
    pub(super) fn announces(&mut self, price: Price, fee_bps: Option<u16>) -> Result<PricingRow, WireError> {
        let connection = self.connection(0);
        match self.request(Command::Price { connection, request: 1, price, fee_bps }).unwrap()? {
            Reply::Pricing(row) => Ok(*row),
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass until the lease has rolled over and its host was asked about the price.
    fn rolls_over(&mut self) {
        let due = self.now.plus(DAY_MS);
        self.pass_with(due.minus(120_000).since(self.now), &[HOST, CLIENT]);
        let asked = |pool: &Self| pool.calls.iter().any(|(_, _, call)| matches!(call, PoolCall::Price(_)));
        for _ in 0..180 {
            if !asked(self) {
                self.pass_with(1_000, &[HOST, CLIENT]);
            }
        }
    }

    pub(super) fn take_price(&mut self, agent: u32) -> Option<(CallId, PriceCall)> {
        self.take_call(agent, |call| if let PoolCall::Price(price) = call { Some(price.clone()) } else { None })
    }

    /// Both sides agree to the price that they are asked about.
    fn agree(&mut self, lease: LeaseId) {
        for agent in [CLIENT, HOST] {
            let (call, price) = self.take_price(agent).expect("a question about the price");
            assert_eq!((price.lease, price.price), (lease, wei(NEW)));
            self.done(call, CallOutcome::Done);
        }
    }

    /// What a lease costs now.
    fn costs(&self, lease: LeaseId) -> Option<Price> {
        let lease = self.core.leases.get(self.core.leases.find(lease)?)?;
        self.core.leases.price(lease)
    }
}

/// A price counts before a lease of today rolls over.
fn short_notice() -> Limits {
    Limits { price_notice_ms: DAY_MS - HOUR_MS, ..limits() }
}

/// The lease rolled over at the new price, and both sides were asked.
fn asked() -> (Pool, LeaseId, [CallId; 2]) {
    let (mut pool, lease) = Pool::paying(short_notice());
    pool.announces(wei(NEW), Some(500)).unwrap();
    pool.rolls_over();
    let calls = [CLIENT, HOST].map(|agent| {
        let (call, price) = pool.take_price(agent).expect("a question about the price");
        assert_eq!((price.lease, price.row, price.price, price.fee_bps), (lease, 1, wei(NEW), 500));
        call
    });
    (pool, lease, calls)
}

#[test]
fn a_price_counts_for_new_leases_a_day_after_it_was_announced() {
    let (mut pool, lease) = Pool::paying(limits());
    let from = pool.now.plus(DAY_MS);
    let row = pool.announces(wei(NEW), None).unwrap();
    assert_eq!(row.current, Pricing::new(wei(OLD), 0));
    assert_eq!(row.next.map(|next| (next.pricing.price, next.from)), Some((wei(NEW), from)));
    let next_price = Some(NextPrice { price: wei(NEW), fee_bps: 0, from_ms: from });
    assert_eq!(pool.core.newer_next_price(pool.core.agents.find(&node(HOST)).unwrap()), next_price, "in each answer");
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().next_price, next_price);
    pool.full(HOST, &[(lease, KEPT)]);
    pool.pass_with(from.minus(1).since(pool.now), &[HOST, CLIENT]);
    assert_eq!(pool.core.limits.price, wei(OLD));
    pool.pass(1);
    assert_eq!((pool.core.limits.price, pool.core.next_price()), (wei(NEW), None));
}

#[test]
fn a_lease_takes_the_price_at_its_rollover_once_both_sides_agreed() {
    let (mut pool, lease, [client, host]) = asked();
    pool.done(client, CallOutcome::Done);
    assert_eq!(pool.costs(lease), Some(wei(OLD)), "the host has not agreed yet");
    pool.done(host, CallOutcome::Done);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
    pool.pass_with(HOUR_MS, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    let billed =
        |price: u64| rows.iter().filter(|row| row.lease.price == wei(price)).map(|row| row.billed_ms).sum::<u64>();
    assert!((DAY_MS..DAY_MS + 60_000).contains(&billed(OLD)) && billed(NEW) >= HOUR_MS, "{rows:?}");
    let costs: u128 = rows.iter().map(|row| row.cost.get()).sum();
    assert_eq!(costs, u128::from(billed(OLD) + 2 * billed(NEW)), "each part at its own price");
    assert_eq!(rows.last().unwrap().lease.fee_bps, 500);
}

/// Both sides last saw each other before the price counted, so the next period begins before that, too.
#[test]
fn a_lease_that_rolls_over_up_to_when_a_price_counts_keeps_the_old_one_until_the_next_rollover() {
    let (mut pool, lease) = Pool::paying(limits());
    pool.announces(wei(NEW), Some(500)).unwrap();
    pool.rolls_over();
    assert_eq!((pool.core.limits.price, pool.take_price(HOST)), (wei(NEW), None));
    assert_eq!(pool.costs(lease), Some(wei(OLD)));
    pool.rolls_over();
    pool.agree(lease);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
}

#[test]
fn a_client_that_does_not_pay_the_price_keeps_its_lease_until_a_row_would_be_at_it() {
    let (mut pool, lease) = Pool::paying(limits());
    pool.connect(CLIENT, paying_at_most("60000 wei/minute")).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.announces(wei(NEW), None).unwrap();
    pool.rolls_over();
    assert_eq!((pool.core.limits.price, pool.costs(lease)), (wei(NEW), Some(wei(OLD))));
    pool.rolls_over();
    assert_eq!((pool.costs(lease), pool.evicted(CLIENT)), (None, Some(EvictReason::Price)));
}

/// Otherwise a client that breaks its connection once a day would keep the old price for ever.
#[test]
fn a_row_that_begins_for_another_reason_takes_the_price_too() {
    let (mut pool, lease) = Pool::paying(Limits { price_notice_ms: HOUR_MS, ..limits() });
    pool.announces(wei(NEW), None).unwrap();
    pool.pass_with(2 * HOUR_MS, &[HOST, CLIENT]);
    assert_eq!(pool.take_price(HOST), None, "it goes on");
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert_eq!(pool.take_price(HOST), None, "its row is from before");
    pool.full(CLIENT, &[(lease, !KEPT)]);
    pool.agree(lease);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
    assert_eq!(pool.core.check(), Ok(()));
}

#[test]
fn an_answer_about_an_earlier_row_decides_nothing() {
    let (mut pool, lease, [client_call, host_call]) = asked();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, !KEPT)]);
    pool.done(client_call, CallOutcome::Done);
    pool.done(host_call, CallOutcome::Refused(WireError::new(ErrorCode::Refused, "too expensive", "")));
    assert_eq!(pool.costs(lease), Some(wei(OLD)));
    while let Some((call, _)) = [CLIENT, HOST].into_iter().find_map(|agent| pool.take_price(agent)) {
        pool.done(call, CallOutcome::Done);
    }
    assert_eq!(pool.costs(lease), Some(wei(NEW)), "both agreed for the row that runs");
}

#[test]
fn a_restart_and_a_failed_commit_ask_again() {
    let (mut pool, lease, [client_call, _]) = asked();
    pool.done(client_call, CallOutcome::Done);
    let attached = pool.core.attached();
    let (mut core, mut out) = (Core::restore(short_notice(), [8; 32], pool.now, pool.rows.clone()), Vec::new());
    core.reattach(attached, &mut out);
    let asks = |effect: &&Effect| matches!(effect, Effect::Call { message: PoolCall::Price(_), .. });
    assert_eq!(out.iter().filter(asks).count(), 2);
    pool.restart(short_notice());
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, KEPT)]);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    assert_eq!(pool.costs(lease), Some(wei(OLD)));
    pool.agree(lease);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
}

#[test]
fn a_lease_that_nobody_pays_for_by_then_takes_no_price() {
    let free = Limits { price: wei(0), ..short_notice() };
    let (mut pool, lease) = Pool::paying(free);
    pool.announces(wei(NEW), None).unwrap();
    pool.rolls_over();
    let (connection, counter) = (pool.connection(0), pool.now);
    let link = AccountLink { node: node(CLIENT), account: PAYER, counter, consent: LinkConsent::AccountEnds };
    pool.request(Command::Link { connection, request: 1, address: address(0), link }).unwrap().unwrap();
    assert_eq!(pool.costs(lease), Some(wei(0)));
    while let Some((call, _)) = [CLIENT, HOST].into_iter().find_map(|agent| pool.take_price(agent)) {
        pool.done(call, CallOutcome::Done);
    }
    assert_eq!((pool.costs(lease), pool.evicted(CLIENT)), (None, Some(EvictReason::NoPayer)));
    assert_eq!(pool.core.check(), Ok(()));
}

#[test]
fn another_fee_is_announced_and_stated_as_another_price_is() {
    let (mut pool, _) = Pool::paying(Limits { price_notice_ms: HOUR_MS, ..limits() });
    let next = pool.announces(wei(OLD), Some(500)).unwrap().next.unwrap();
    assert_eq!(next.pricing, Pricing::new(wei(OLD), 500));
    pool.pass_with(HOUR_MS, &[HOST, CLIENT]);
    let newer = pool.core.newer_pricing(pool.core.agents.find(&node(HOST)).unwrap());
    assert_eq!(newer, Some(next.pricing), "in each answer to a report");
}

#[test]
fn settings_announce_only_what_is_new_in_them() {
    let (mut pool, _) = Pool::paying(limits());
    pool.announces(wei(OLD), Some(700)).unwrap();
    pool.core.set_limits(Limits { price: wei(NEW), ..limits() });
    pool.pass(1);
    let next = pool.core.prices().unwrap().next.unwrap();
    assert_eq!(next.pricing, Pricing::new(wei(NEW), 700), "the operator announced the fee");
}

#[test]
fn a_lease_ends_at_its_rollover_if_a_side_refuses_or_does_not_answer() {
    let refused = CallOutcome::Refused(WireError::new(ErrorCode::Refused, "too expensive", ""));
    for outcome in [refused, CallOutcome::Expired] {
        let (mut pool, lease, [client, host]) = asked();
        pool.done(client, CallOutcome::Done);
        pool.done(host, outcome);
        assert_eq!(pool.costs(lease), None);
        assert_eq!([HOST, CLIENT].map(|agent| pool.evicted(agent)), [Some(EvictReason::Price); 2]);
        assert_eq!(pool.metered().last().unwrap().lease.price, wei(OLD), "nothing is billed at the new price");
    }
}

#[test]
fn a_side_that_is_not_connected_is_asked_when_it_connects() {
    let (mut pool, lease, [client, host]) = asked();
    pool.done(host, CallOutcome::Done);
    pool.done(client, CallOutcome::Lost);
    assert_eq!(pool.costs(lease), Some(wei(OLD)));
    pool.connect(CLIENT, super::pool::client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    let (again, _) = pool.take_price(CLIENT).expect("it is asked again");
    pool.done(again, CallOutcome::Done);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
    assert_eq!(pool.core.check(), Ok(()));
}

/// Otherwise a side that closes its socket at each question would keep the old price for ever.
#[test]
fn a_side_whose_calls_are_lost_keeps_the_old_price_no_longer_than_a_row_lasts() {
    for side in [CLIENT, HOST] {
        let (mut pool, lease, calls) = asked();
        let mut lost = pool.now;
        calls.into_iter().for_each(|call| pool.done(call, CallOutcome::Lost));
        for hour in 0.. {
            assert!(hour <= 24, "it still costs {:?}", pool.costs(lease));
            pool.connect(side, if side == HOST { host(HOST, SLOTS) } else { client(CLIENT) }).unwrap();
            pool.full(side, &[(lease, KEPT)]);
            let Some((call, _)) = pool.take_price(side) else { break };
            lost = pool.now;
            pool.done(call, CallOutcome::Lost);
            pool.pass_with(HOUR_MS, &[HOST, CLIENT]);
        }
        assert_eq!(pool.costs(lease), None);
        assert_eq!(pool.evicted(HOST), Some(EvictReason::Price));
        assert!(pool.now.since(lost) <= HOUR_MS + 60_000, "it was asked until then");
    }
}

#[test]
fn a_side_that_begins_row_after_row_has_no_more_time_to_answer() {
    let (mut pool, lease, [_, host_call]) = asked();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, !KEPT)]);
    pool.done(host_call, CallOutcome::Expired);
    assert_eq!(pool.costs(lease), Some(wei(OLD)), "it was asked just now");
    let (mut pool, lease, [_, host_call]) = asked();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.pass_with(Limits::default().admit_deadline_ms, &[HOST]);
    pool.full(CLIENT, &[(lease, !KEPT)]);
    pool.done(host_call, CallOutcome::Expired);
    assert_eq!(pool.costs(lease), None);
}

/// Otherwise agents would expect a price that never comes.
#[test]
fn an_announced_price_goes_with_the_ledger() {
    let (mut pool, _) = Pool::paying(limits());
    pool.announces(wei(NEW), None).unwrap();
    pool.restart(Limits { payment: PaymentMode::None, ..limits() });
    pool.settle();
    assert_eq!(pool.core.next_price(), None);
}

#[test]
fn a_client_over_http_agrees_by_its_maximum() {
    let (mut pool, lease) = Pool::paying(short_notice());
    pool.announces(wei(NEW), None).unwrap();
    pool.connect_over_http(CLIENT, client(CLIENT), address(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.rolls_over();
    let (call, _) = pool.take_price(HOST).expect("the host can be called");
    assert_eq!(pool.beat_reply(CLIENT).lease_prices, [LeasePrice { lease, price: wei(OLD) }]);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.costs(lease), Some(wei(NEW)));
    for _again in 0..2 {
        let named = pool.beat_reply(CLIENT).lease_prices;
        assert_eq!(named, [LeasePrice { lease, price: wei(NEW) }], "also if the answer before was lost");
    }
    assert_eq!(pool.beat_reply(HOST).lease_prices, [], "it was called");
}

/// Without a ledger, nobody is asked about a price.
#[test]
fn where_nobody_pays_agents_learn_the_new_price_of_a_lease_with_their_reports() {
    let mut pool = Pool::with(Limits { price: wei(OLD), ..Limits::default() }).paired();
    let lease = pool.lease_up();
    pool.pass_with(DAY_MS + HOUR_MS, &[HOST, CLIENT]);
    assert_eq!(pool.beat_reply(CLIENT).lease_prices, [], "no price has changed");
    pool.core.set_limits(Limits { price: wei(NEW), ..Limits::default() });
    pool.pass_with(DAY_MS + HOUR_MS, &[HOST, CLIENT]);
    for side in [HOST, CLIENT] {
        assert_eq!(pool.beat_reply(side).lease_prices, [LeasePrice { lease, price: wei(NEW) }]);
    }
}

#[test]
fn changed_settings_announce_a_price_and_unchanged_ones_keep_what_was_announced() {
    let (mut pool, _) = Pool::paying(limits());
    let next = |pool: &Pool| pool.core.prices().unwrap().next.map(|next| (next.pricing.price, next.from));
    let dearer = Limits { price: wei(NEW), ..limits() };
    let from = pool.now.plus(DAY_MS);
    pool.restart(dearer.clone());
    assert_eq!((pool.core.limits.price, next(&pool)), (wei(OLD), Some((wei(NEW), from))));
    pool.pass(HOUR_MS);
    pool.restart(dearer.clone());
    assert_eq!(next(&pool), Some((wei(NEW), from)), "a restart does not begin the day again");
    let other = pool.announces(wei(3 * OLD), None).unwrap().next.unwrap();
    pool.restart(dearer);
    assert_eq!(next(&pool), Some((wei(3 * OLD), other.from)), "the operator's own announcement survives");
    pool.restart(limits());
    assert_eq!((pool.core.limits.price, next(&pool)), (wei(OLD), None), "the present price withdraws it");
}

/// Accounts are still linked, so their nodes would pay a price that was never announced.
#[test]
fn a_pool_that_charges_again_goes_on_with_its_price_and_announces_another() {
    let with = |payment, price, fee_bps| Limits { payment, price: wei(price), fee_bps, ..Limits::default() };
    let charging = |price, fee_bps| with(PaymentMode::Credit, price, fee_bps);
    for announced in [false, true] {
        let (mut pool, _) = Pool::paying(charging(OLD, 500));
        if announced {
            pool.announces(wei(3 * OLD), None).unwrap();
        }
        for _start in 0..2 {
            pool.restart(with(PaymentMode::None, NEW, 0));
            assert_eq!((pool.core.limits.price, pool.core.prices()), (wei(NEW), None), "nobody pays it");
            pool.pass(2 * DAY_MS);
            assert_eq!((pool.core.limits.price, pool.core.next_price()), (wei(NEW), None));
        }
        let from = pool.now.plus(DAY_MS);
        pool.restart(charging(NEW, 0));
        assert_eq!((pool.core.limits.price, pool.core.limits.fee_bps), (wei(OLD), 500));
        assert_eq!(pool.core.next_price(), Some(NextPrice { price: wei(NEW), fee_bps: 0, from_ms: from }));
        pool.restart(charging(NEW, 0));
        assert_eq!(pool.core.next_price().map(|next| next.from_ms), Some(from), "announced once");
        pool.pass(DAY_MS);
        assert_eq!((pool.core.limits.price, pool.core.limits.fee_bps), (wei(NEW), 0));
    }
}

/// The operator announced it, and nobody heard of it while the pool was free.
#[test]
fn what_was_announced_before_a_free_time_is_announced_again() {
    let (mut pool, _) = Pool::paying(limits());
    pool.announces(wei(NEW), Some(500)).unwrap();
    pool.restart(Limits { payment: PaymentMode::None, ..limits() });
    pool.pass(2 * DAY_MS);
    let from = pool.now.plus(DAY_MS);
    pool.restart(limits());
    assert_eq!(pool.core.limits.price, wei(OLD));
    assert_eq!(pool.core.next_price(), Some(NextPrice { price: wei(NEW), fee_bps: 500, from_ms: from }));
}

#[test]
fn a_price_that_was_due_before_a_free_time_counts_after_it() {
    let (mut pool, _) = Pool::paying(limits());
    pool.announces(wei(NEW), Some(500)).unwrap();
    pool.now = pool.now.plus(2 * DAY_MS);
    pool.restart(Limits { payment: PaymentMode::None, ..limits() });
    pool.restart(limits());
    assert_eq!((pool.core.limits.price, pool.core.limits.fee_bps, pool.core.next_price()), (wei(NEW), 500, None));
}

#[test]
fn a_reload_announces_a_price_and_one_in_another_asset_is_refused() {
    let (mut pool, _) = Pool::paying(limits());
    pool.core.set_limits(Limits { price: wei(NEW), ..limits() });
    pool.pass(1);
    let next = pool.core.prices().unwrap().next.unwrap();
    assert_eq!((pool.core.limits.price, next.pricing.price), (wei(OLD), wei(NEW)));
    let asset = vipnode_types::Asset::new("USDC", 6).unwrap();
    let other = "1 USDC/day".parse::<vipnode_types::QuotedPrice>().unwrap().in_asset(asset).unwrap();
    assert!(pool.announces(other, None).unwrap_err().is(ErrorCode::InvalidParams));
    let mut free = Pool::with(Limits { price: wei(OLD), ..Limits::default() });
    assert!(free.announces(wei(NEW), None).unwrap_err().is(ErrorCode::Unsuitable), "nobody pays");
    free.core.set_limits(Limits { price: wei(NEW), ..Limits::default() });
    assert_eq!(free.core.limits.price, wei(NEW), "at once, because nothing is owed");
}

/// Without a change of the price since they connected, the answers to their reports would name nothing.
#[test]
fn agents_that_heard_of_an_announced_price_learn_that_it_is_withdrawn() {
    let (mut pool, lease) = Pool::paying(limits());
    let named = |pool: &mut Pool| {
        let reply = pool.beat_reply(HOST);
        (reply.price, reply.next_price.map(|next| next.price))
    };
    assert_eq!(named(&mut pool), (None, None));
    pool.announces(wei(NEW), None).unwrap();
    assert_eq!(named(&mut pool), (None, Some(wei(NEW))));
    pool.pass_with(1_000, &[HOST, CLIENT]);
    pool.announces(wei(OLD), None).unwrap();
    assert_eq!(named(&mut pool), (Some(wei(OLD)), None));
    let attached = pool.core.attached();
    let mut core = Core::restore(limits(), [8; 32], pool.now, pool.rows.clone());
    core.reattach(attached, &mut Vec::new());
    let host_index = core.agents.find(&node(HOST)).unwrap();
    assert!(core.newer_pricing(host_index).is_some(), "also after a failed commit");
    pool.pass_with(1_000, &[HOST, CLIENT]);
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, KEPT)]);
    assert_eq!(named(&mut pool), (None, None), "its connect named the price");
}

#[test]
fn the_price_notice_is_as_long_as_is_set() {
    let (mut pool, _) = Pool::paying(Limits { price_notice_ms: HOUR_MS, ..limits() });
    let Some(NextPricing { from, announced, .. }) = pool.announces(wei(NEW), None).unwrap().next else { panic!() };
    assert_eq!(from.since(announced), HOUR_MS);
    pool.pass(HOUR_MS);
    assert_eq!(pool.core.limits.price, wei(NEW));
}
