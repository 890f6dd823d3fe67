//! The account that receives what a host earns: who orders it, and when it takes effect.

use vipnode_types::{
    Account, Ms,
    protocol2::{Call, Kind, NodeInfo, Protocol2ConnectRequest},
    wire::{ConnectRequest, ErrorCode, HostOffer, LeaveReason, NextPayout, NoticeCall, PayoutView, WireError},
};

use super::{
    pool::{Pool, START, address, host, node, order, payout},
    scenario::{CLIENT, DAY_MS, HOST, HOUR_MS, KEPT, SECOND_HOST, SLOTS, THIRD_HOST, priced},
};
use crate::{Command, Limits, NewPayout, PoolCall, Reply};

/// The host's first account, and two others.
fn accounts() -> [Account; 3] {
    [payout(HOST), payout(SECOND_HOST), payout(THIRD_HOST)]
}

impl Pool {
    /// The host's node key orders an account.
    fn orders(&mut self, account: Account, counter: Ms) -> Result<PayoutView, WireError> {
        let (connection, payout) = (self.connection(0), NewPayout { account, counter });
        let command = Command::Payout { connection, request: 1, address: address(0), node: node(HOST), payout };
        match self.request(command).unwrap()? {
            Reply::Payout(view) => Ok(view),
            other => panic!("{other:?}"),
        }
    }

    /// The host's agent connects, with this account or with none.
    fn offers(&mut self, payout: Option<(Account, Ms)>) -> Option<PayoutView> {
        let payout = payout.map(|(account, counter)| vipnode_types::PayoutOrder { counter, ..order(account) });
        let offer = HostOffer { slots: SLOTS, payout, no_trials: false };
        let reply = self.connect(HOST, ConnectRequest { host: Some(offer), ..host(HOST, SLOTS) }).unwrap();
        self.full(HOST, &[]);
        reply.payout
    }

    fn paid(&self) -> Option<Account> {
        self.core.agents.known(&node(HOST)).unwrap().payout()
    }
}

fn next(account: Account, from_ms: Ms) -> Option<NextPayout> {
    Some(NextPayout { account, from_ms })
}

#[test]
fn the_first_account_takes_effect_at_once_and_another_one_a_day_later() {
    let mut pool = Pool::with(priced());
    let [first, second, _] = accounts();
    assert_eq!(pool.offers(None), None);
    assert_eq!(pool.orders(first, START), Ok(PayoutView { account: first, next: None }));
    let from = pool.now.plus(DAY_MS);
    let waiting = PayoutView { account: first, next: next(second, from) };
    assert_eq!(pool.orders(second, START.plus(1)), Ok(waiting));
    pool.pass_with(HOUR_MS, &[HOST]);
    assert_eq!(pool.offers(Some((second, START.plus(1)))), Some(waiting), "the same order begins no further day");
    assert_eq!(pool.orders(second, START.plus(2)), Ok(waiting), "nor does a newer one for the same account");
    assert_eq!(pool.offers(None), Some(waiting), "an agent without an order changes nothing");
    pool.pass_with(from.minus(1).since(pool.now), &[HOST]);
    assert_eq!(pool.paid(), Some(first));
    pool.pass(1);
    assert_eq!(pool.paid(), Some(second));
    assert_eq!(pool.offers(None), Some(PayoutView { account: second, next: None }));
}

#[test]
fn a_connected_host_hears_of_each_order_and_of_the_change() {
    let mut pool = Pool::with(Limits { payout_delay_ms: HOUR_MS, ..priced() });
    let [first, second, _] = accounts();
    pool.offers(Some((first, START)));
    let waiting = pool.orders(second, START.plus(1)).unwrap();
    let shown = |pool: &mut Pool| {
        let payout =
            |call: &PoolCall| if let PoolCall::Notice(NoticeCall::Payout(view)) = call { Some(*view) } else { None };
        pool.take_call(HOST, payout).map(|(_, view)| view)
    };
    assert_eq!(shown(&mut pool), Some(waiting));
    pool.pass_with(HOUR_MS, &[HOST]);
    assert_eq!(shown(&mut pool), Some(PayoutView { account: second, next: None }));
    assert_eq!(shown(&mut pool), None);
}

#[test]
fn an_order_for_the_present_account_cancels_a_change_and_an_older_order_does_nothing() {
    let mut pool = Pool::with(priced());
    let [first, second, third] = accounts();
    pool.offers(Some((first, START)));
    pool.orders(second, START.plus(5)).unwrap();
    for counter in [START, START.plus(5)] {
        assert!(pool.orders(third, counter).unwrap_err().is(ErrorCode::InvalidParams), "it may be a copy");
    }
    let waiting = pool.offers(Some((first, START)));
    assert!(waiting.unwrap().next.is_some(), "an agent that connects with the old order does not cancel the new one");
    assert_eq!(pool.orders(first, START.plus(6)), Ok(PayoutView { account: first, next: None }));
    pool.pass_with(2 * DAY_MS, &[HOST]);
    assert_eq!(pool.paid(), Some(first));
}

#[test]
fn another_account_in_place_of_one_that_waits_begins_the_day_again() {
    let mut pool = Pool::with(priced());
    let [first, second, third] = accounts();
    pool.offers(Some((first, START)));
    pool.orders(second, START.plus(1)).unwrap();
    pool.pass_with(23 * HOUR_MS, &[HOST]);
    let from = pool.now.plus(DAY_MS);
    assert_eq!(pool.orders(third, START.plus(2)).unwrap().next, next(third, from));
    pool.pass_with(DAY_MS, &[HOST]);
    assert_eq!(pool.paid(), Some(third));
}

#[test]
fn the_payout_limits_delay_a_change() {
    let limits = Limits { payout_delay_ms: HOUR_MS, payout_change_ms: 3 * HOUR_MS, ..priced() };
    let mut pool = Pool::with(limits.clone());
    let [first, second, third] = accounts();
    pool.offers(Some((first, START)));
    let change = pool.now.plus(HOUR_MS);
    assert_eq!(
        pool.orders(second, START.plus(1)).unwrap().next,
        next(second, change),
        "the first one counts as no change"
    );
    pool.restart(limits);
    pool.offers(None);
    pool.pass_with(HOUR_MS, &[HOST]);
    assert_eq!(pool.paid(), Some(second), "a restart forgets no order");
    assert_eq!(pool.orders(third, START.plus(2)).unwrap().next, next(third, change.plus(3 * HOUR_MS)));
}

#[test]
fn orders_that_nobody_could_use_are_refused() {
    let mut pool = Pool::with(Limits { nonce_ahead_ms: 1_000, ..priced() });
    let [first, ..] = accounts();
    assert!(pool.orders(first, START).unwrap_err().is(ErrorCode::Unsuitable), "the node is unknown");
    pool.offers(None);
    assert!(pool.orders(Account::new([0; 20]), START).unwrap_err().message.contains("nobody has the key"));
    let ahead = pool.orders(first, pool.now.plus(1_001)).unwrap_err();
    assert!(ahead.message.contains("1 s in the future"), "{ahead:?}");
    pool.orders(first, pool.now.plus(1_000)).unwrap();
}

#[test]
fn d24_a_new_payout_account_ends_the_rows_first() {
    let (mut pool, lease) = Pool::with(Limits { payout_delay_ms: 60_000, ..priced() }).leased();
    let [account, other_account, _] = accounts();
    pool.orders(other_account, pool.now).unwrap();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.full(HOST, &[(lease, KEPT)]);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    let paid: Vec<_> = rows.iter().map(|row| row.lease.payee.unwrap()).collect();
    assert_eq!(paid, [account, other_account]);
    assert_eq!(rows.iter().map(|row| row.billed_ms).sum::<u64>(), 120_000, "the host goes on serving meanwhile");
}

#[test]
fn the_account_that_loses_a_host_sees_it() {
    let mut pool = Pool::with(priced());
    let [first, second, _] = accounts();
    pool.offers(Some((first, START)));
    pool.orders(second, START.plus(1)).unwrap();
    let leaving = |pool: &Pool, account| pool.core.agents.leaving(account, 10);
    let seen = leaving(&pool, first);
    assert_eq!((seen.len(), seen[0].node, seen[0].next.account), (1, node(HOST), second));
    assert_eq!(leaving(&pool, second), []);
    assert_eq!(pool.core.agents.leaving(first, 0), []);
    pool.pass_with(DAY_MS, &[HOST]);
    assert_eq!(leaving(&pool, first), []);
}

/// Connects as the original's agent, whose node key signs each call.
fn connects2(pool: &mut Pool, account: Account) {
    let info = NodeInfo { kind: Kind::Geth, is_full_node: true, network: 1, ..NodeInfo::default() };
    let hello =
        Protocol2ConnectRequest { node_info: info, payout: account.to_string(), ..Protocol2ConnectRequest::default() };
    pool.now = pool.now.plus(1);
    let (connection, nonce, call) = (pool.connection(HOST), pool.now.get() * 1_000_000, Call::Connect(Box::new(hello)));
    let (node, address) = (node(HOST), address(HOST));
    let command = Command::Protocol2 { connection, request: 1, node, nonce, address, callable: true, call };
    pool.request(command).unwrap().unwrap();
}

#[test]
fn a_connect_of_protocol_2_is_an_order_with_the_same_delay() {
    let mut pool = Pool::with(Limits { payout_delay_ms: 60_000, ..priced() });
    let [first, second, third] = accounts();
    connects2(&mut pool, first);
    assert_eq!(pool.paid(), Some(first));
    connects2(&mut pool, second);
    assert_eq!(pool.paid(), Some(first));
    let ordered = pool.orders(third, pool.now.plus(1)).unwrap();
    connects2(&mut pool, first);
    let payout = *pool.core.agents.known(&node(HOST)).unwrap().host_payout().unwrap();
    assert_eq!(payout.view(), ordered, "the account that each connect names cancels no newer order");
    connects2(&mut pool, third);
    pool.pass(60_000);
    assert_eq!(pool.paid(), Some(third));
}

/// Seed 390 in which clients pay: between a host's "gone" and its return, the client has returned, and a new row begins.
#[test]
fn a_row_that_ends_while_the_host_has_not_returned_counts_no_time() {
    let mut pool = Pool::with(Limits { payout_delay_ms: 0, payout_change_ms: 0, ..priced() });
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.reports_down(HOST, lease);
    pool.pass(10_000);
    pool.delta(CLIENT, &[lease], &[lease]);
    let [_, second, _] = accounts();
    pool.orders(second, pool.now).unwrap();
    pool.pass(10);
    assert_eq!(pool.paid(), Some(second));
    assert!(pool.core.leases.find(lease).is_some());
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}
