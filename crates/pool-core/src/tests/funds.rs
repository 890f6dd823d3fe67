mod desk;

use vipnode_types::{
    Account, Amount, LeaseId, NodeId, PaymentMode,
    wire::{ErrorCode, EvictReason, LeaveReason, WireError},
};

use super::{
    pool::{Pool, START, address, client, host, node, payout},
    scenario::{CLIENT, HOST, HOUR_MS, MINUTE_MS, SECOND_HOST, SLOTS, priced},
};
use crate::{
    AccountFigures, AccountLink, AccountRow, Command, LedgerAccount, LedgerChange, LedgerChangeKind, LedgerChangeReply,
    Limits, LinkConsent, OperatorOrder, Reply, Row, Transaction,
};

pub(super) fn payer() -> Account {
    Account::new([7; 20])
}

/// 1 unit for each billed millisecond, with a fee of 10 %.
pub(super) fn credit_limits() -> Limits {
    Limits { payment: PaymentMode::Credit, fee_bps: 1_000, ..priced() }
}

/// A pool whose clients pay, with two hosts and a client that an account pays for.
pub(super) fn pool(limits: Limits) -> Pool {
    let mut pool = Pool::with(limits);
    pool.settle();
    for agent in [HOST, SECOND_HOST] {
        pool.join(agent, host(agent, SLOTS));
    }
    pool.join(CLIENT, client(CLIENT));
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool
}

pub(super) fn code(error: &WireError) -> ErrorCode {
    *ErrorCode::ALL.iter().find(|code| error.is(**code)).unwrap()
}

fn order(key: Option<&str>) -> OperatorOrder {
    OperatorOrder { by: Some(0), reason: "a test".to_owned(), key: key.map(str::to_owned) }
}

impl Pool {
    pub(super) fn link(&mut self, node: NodeId, payer: Option<Account>, counter: u64) -> Result<(), ErrorCode> {
        let (connection, address) = (self.connection(CLIENT), address(CLIENT));
        let consent = match payer {
            Some(_) => LinkConsent::Both { issued: START.minus(9), chain_id: 1 },
            None => LinkConsent::AccountEnds,
        };
        let account = super::funds::payer();
        let ledger = self.core.ledger.as_mut().unwrap();
        if ledger.link_counter(account) == 0 {
            // An account that never signed can be linked only after it was credited.
            ledger.set_link_counter(account, 1);
        }
        let link = AccountLink { node, account, counter: START.plus(counter), consent };
        let reply = self.request(Command::Link { connection, request: 9, address, link }).unwrap();
        reply.map(drop).map_err(|error| code(&error))
    }

    pub(super) fn change(&mut self, kind: LedgerChangeKind, key: Option<&str>) -> Result<LedgerChangeReply, ErrorCode> {
        let change = Box::new(LedgerChange { kind, order: order(key), allow_negative: true });
        let connection = self.connection(CLIENT);
        match self.request(Command::Ledger { connection, request: 8, change }) {
            Some(Ok(Reply::Ledger(reply))) => Ok(*reply),
            Some(Err(error)) => Err(code(&error)),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn credit(&mut self, amount: u128) -> LedgerChangeReply {
        self.change(LedgerChangeKind::Credit { payer: payer(), amount: Amount::new(amount) }, None).unwrap()
    }

    pub(super) fn figures(&self, account: LedgerAccount) -> AccountFigures {
        let of = |row| match row {
            Row::Account(AccountRow { account: of, figures }) if of == account => Some(figures),
            _ => None,
        };
        self.core.rows().into_iter().find_map(of).unwrap_or_default()
    }

    /// The client gets `many` hosts, and both sides see each other.
    pub(super) fn served(&mut self, many: u32) -> Vec<LeaseId> {
        let mut leases = Vec::new();
        let has = u32::try_from(self.core.gauges().leases).unwrap();
        for want in has + 1..=has + many {
            self.ask(CLIENT, want);
            let (host, call) = self.admitting(&[HOST, SECOND_HOST]).unwrap();
            let lease = self.calls_lease(host);
            self.done(call, crate::CallOutcome::Done);
            self.delta(host, &[lease], &[]);
            self.delta(CLIENT, &[lease], &[]);
            leases.push(lease);
        }
        leases
    }

    /// The lease that a host was asked to admit last.
    fn calls_lease(&self, _host: u32) -> LeaseId {
        LeaseId::new(self.core.leases.numbers().0 - 1)
    }

    /// Time passes in which all agents report.
    pub(super) fn passes(&mut self, ms: u64) {
        for _ in 0..ms / 1_000 {
            self.pass(1_000);
            for agent in [HOST, SECOND_HOST, CLIENT] {
                self.beat(agent);
            }
        }
    }

    pub(super) fn refusal(&mut self, want: u32) -> ErrorCode {
        code(&self.refused(want))
    }

    pub(super) fn refused(&mut self, want: u32) -> WireError {
        let connection = self.connection(CLIENT);
        let ask = Box::new(vipnode_types::wire::AskRequest { want, avoid: Vec::new() });
        self.request(Command::Ask { connection, request: 2, ask }).unwrap().unwrap_err()
    }
}

#[test]
fn without_funds_there_is_no_service_and_with_them_there_is() {
    let mut pool = pool(credit_limits());
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired);
    pool.credit(u128::from(9 * MINUTE_MS));
    assert_eq!(pool.refusal(1), ErrorCode::PaymentRequired, "it lasts for less than 10 minutes");
    let refused = pool.refused(1).message;
    assert!(refused.contains("enough for 10 min"), "the message states how much is missing: {refused}");
    pool.credit(u128::from(2 * MINUTE_MS));
    assert_eq!(pool.served(1).len(), 1);
    assert_eq!(pool.refusal(2), ErrorCode::PaymentRequired, "a second lease would halve it");
    pool.link(node(CLIENT), None, 2).unwrap();
    assert_eq!(pool.refusal(2), ErrorCode::PaymentRequired, "nobody pays");
}

#[test]
fn d17_a_client_is_served_no_longer_than_its_funds_last() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(11 * MINUTE_MS));
    pool.served(1);
    pool.passes(10 * MINUTE_MS + 50_000);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.passes(10_000);
    assert_eq!(pool.core.gauges().leases, 0, "the lease ended");
    let reasons: Vec<_> = [HOST, SECOND_HOST].into_iter().filter_map(|host| pool.evicted(host)).collect();
    assert_eq!(reasons, [EvictReason::NoFunds], "on the host's node");
    let figures = pool.figures(LedgerAccount::Payer(payer()));
    assert_eq!(figures.debt(), Amount::ZERO, "it owes nothing: {figures:?}");
    let host = [HOST, SECOND_HOST].map(|host| pool.figures(LedgerAccount::Payee(payout(host))));
    let (earned, fee) =
        (host[0].metered.get() + host[1].metered.get(), pool.figures(LedgerAccount::Fee).received.get());
    assert_eq!((earned, fee), (figures.metered.get(), figures.metered.get() / 10));
    pool.credit(u128::from(HOUR_MS));
    pool.pass(1_000);
    assert!(pool.admitting(&[HOST, SECOND_HOST]).is_some(), "it is served again at once");
}

#[test]
fn d18_the_newest_leases_end_first_and_the_rest_stays() {
    let mut pool = pool(Limits { funds_last_ms: 0, ..credit_limits() });
    pool.credit(u128::from(HOUR_MS));
    let leases = pool.served(2);
    pool.passes(10 * MINUTE_MS);
    let debit = Amount::new(u128::from(HOUR_MS - 20 * MINUTE_MS - 10_000));
    pool.core.limits.funds_last_ms = 3_000;
    pool.change(LedgerChangeKind::Debit { payer: payer(), amount: debit }, None).unwrap();
    pool.passes(4_000);
    assert!(pool.core.leases.find(leases[1]).is_none(), "the newer one ended");
    assert!(pool.core.leases.find(leases[0]).is_some(), "what is left covers the older one");
}

#[test]
fn at_most_so_many_leases_end_in_a_step() {
    let mut pool = pool(Limits { unfunded_a_tick: 1, ..credit_limits() });
    pool.credit(u128::from(HOUR_MS));
    pool.served(2);
    pool.change(LedgerChangeKind::Debit { payer: payer(), amount: Amount::new(u128::from(HOUR_MS)) }, None).unwrap();
    pool.core.limits.expiries_a_handle = 1;
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn after_a_refusal_for_funds_the_agent_is_asked_to_wait() {
    let mut pool = pool(Limits { unfunded_retry_ms: 7_000, ..credit_limits() });
    let connection = pool.connection(CLIENT);
    let ask = Box::new(vipnode_types::wire::AskRequest { want: 1, avoid: Vec::new() });
    let error = pool.request(Command::Ask { connection, request: 2, ask }).unwrap().unwrap_err();
    let data = error.data.unwrap();
    assert_eq!(data.retry_ms, Some(7_000));
    assert!(data.hint.contains("vipnode pool admin credit"));
}

#[test]
fn newer_credit_secures_so_many_earlier_costs_at_once() {
    let mut pool = pool(Limits { collected_a_tick: 1, funds_last_ms: 0, ..credit_limits() });
    let limit = Amount::new(u128::from(HOUR_MS));
    pool.change(LedgerChangeKind::Limit { payer: payer(), limit }, None).unwrap();
    for _ in 0..2 {
        let lease = pool.served(1)[0];
        pool.passes(MINUTE_MS);
        pool.ask(CLIENT, 0);
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        while [HOST, SECOND_HOST].into_iter().any(|host| pool.evicted(host).is_some()) {}
        pool.passes(MINUTE_MS);
    }
    let unpaid = |pool: &Pool| pool.core.rows().iter().filter(|row| matches!(row, Row::Unpaid(_))).count();
    assert_eq!(unpaid(&pool), 2, "a limit is lent, and secures nothing");
    pool.credit(u128::from(HOUR_MS));
    assert_eq!(unpaid(&pool), 1);
    pool.passes(2_000);
    assert_eq!(unpaid(&pool), 0, "the rest is secured by the next step");
}

#[test]
fn a_key_is_taken_once() {
    let mut pool = pool(credit_limits());
    let credit = |amount: u128| LedgerChangeKind::Credit { payer: payer(), amount: Amount::new(amount) };
    let again = LedgerChangeReply { repeated: true, ..pool.change(credit(5), Some("invoice 1")).unwrap() };
    assert_eq!(pool.change(credit(5), Some("invoice 1")), Ok(again.clone()));
    assert_eq!(pool.change(credit(6), Some("invoice 1")), Err(ErrorCode::InvalidParams));
    assert_eq!(pool.figures(LedgerAccount::Payer(payer())).received, Amount::new(5));
    pool.restart(credit_limits());
    assert_eq!(pool.change(credit(5), Some("invoice 1")), Ok(again), "also after a restart");
}

#[test]
fn a_link_needs_a_higher_counter() {
    let mut pool = pool(credit_limits());
    assert_eq!(pool.link(node(CLIENT), None, 1), Err(ErrorCode::Unauthorized));
    pool.restart(credit_limits());
    assert_eq!(pool.link(node(CLIENT), None, 1), Err(ErrorCode::Unauthorized), "also after a restart");
}

#[test]
fn a_new_payer_pays_only_for_what_comes_later() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(HOUR_MS));
    pool.served(1);
    pool.passes(MINUTE_MS);
    pool.link(node(CLIENT), None, 2).unwrap();
    let first = pool.figures(LedgerAccount::Payer(payer())).metered;
    assert!(first >= Amount::new(u128::from(MINUTE_MS - 1_000)), "{first:?}");
    pool.passes(MINUTE_MS);
    assert_eq!(pool.figures(LedgerAccount::Payer(payer())).metered, first);
}

#[test]
fn what_was_metered_without_payments_is_never_billed() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(HOUR_MS));
    pool.served(1);
    pool.passes(MINUTE_MS);
    // A switch to no payments bills what ran until then.
    pool.stop();
    pool.restart(priced());
    assert_eq!(pool.core.gauges().leases, 0);
    assert!(
        pool.core.counters().ended().any(|ended| ended == (EvictReason::PaymentChanged, 1)),
        "nobody refused a price"
    );
    let entries = |pool: &Pool| {
        let lease =
            |row: &&Row| matches!(row, Row::Entry(entry) if matches!(entry.transaction, Transaction::Lease { .. }));
        pool.rows.iter().filter(lease).count()
    };
    assert_eq!(entries(&pool), 1);
    for agent in [HOST, SECOND_HOST] {
        pool.join(agent, host(agent, SLOTS));
    }
    pool.join(CLIENT, client(CLIENT));
    pool.calls.clear();
    pool.served(1);
    pool.passes(MINUTE_MS);
    pool.stop();
    pool.restart(credit_limits());
    assert_eq!((pool.core.gauges().leases, entries(&pool)), (0, 1), "nothing is billed for the time without payments");
    let left = pool.figures(LedgerAccount::Payer(payer()));
    assert!(left.metered >= Amount::new(u128::from(MINUTE_MS - 1_000)), "the accounts are those of before");
}

#[test]
fn d22_a_settlement_period_pays_once_what_is_secured_net_of_the_fee() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(HOUR_MS));
    let lease = pool.served(1)[0];
    pool.passes(10 * MINUTE_MS);
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let closed = pool.change(LedgerChangeKind::ClosePeriod, Some("march")).unwrap();
    assert_eq!(pool.change(LedgerChangeKind::ClosePeriod, Some("march")).unwrap().entry, closed.entry, "once");
    let payouts = pool.core.payouts_of(None, None, 10).unwrap();
    let metered = pool.figures(LedgerAccount::Payer(payer())).metered.get();
    assert!(metered >= u128::from(10 * MINUTE_MS - 1_000), "{metered}");
    let [payout] = payouts[..] else { panic!("{payouts:?}") };
    assert_eq!((payout.number, payout.amount.get()), (1, metered - metered / 10));
    assert_eq!(pool.change(LedgerChangeKind::ClosePeriod, None), Err(ErrorCode::Unsuitable), "it is not marked");
    let figures = pool.change(LedgerChangeKind::Paid { payout: 1 }, None).unwrap().figures;
    assert_eq!(figures.payable(), Amount::ZERO);
    assert_eq!(pool.change(LedgerChangeKind::Paid { payout: 1 }, None), Err(ErrorCode::InvalidParams), "twice");
    pool.restart(credit_limits());
    let figures = pool.change(LedgerChangeKind::Bounced { payout: 1 }, None).unwrap().figures;
    assert_eq!(figures.payable(), payout.amount, "it is due again");
    assert_eq!(pool.change(LedgerChangeKind::Bounced { payout: 1 }, None), Err(ErrorCode::InvalidParams));
    assert_eq!(pool.change(LedgerChangeKind::Bounced { payout: 9 }, None), Err(ErrorCode::InvalidParams));
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    let again = pool.core.payouts_of(Some(2), None, 10).unwrap();
    assert_eq!((again[0].number, again[0].amount), (2, payout.amount));
    let view = pool.core.accounts_from(None, 10).unwrap().into_iter().find(|view| view.account == payer()).unwrap();
    assert_eq!((view.payer.metered.get(), view.nodes, view.leases), (metered, 1, 0));
}

#[test]
fn an_order_has_a_reason_and_an_amount_that_blocks_no_later_one() {
    let mut pool = pool(credit_limits());
    let amount = Amount::new;
    let payer = payer();
    for limit in [Amount::MAX, amount(1 << 96)] {
        let orders = [
            LedgerChangeKind::Credit { payer, amount: limit },
            LedgerChangeKind::Debit { payer, amount: limit },
            LedgerChangeKind::Limit { payer, limit },
        ];
        for kind in orders {
            assert_eq!(pool.change(kind, None), Err(ErrorCode::InvalidParams), "{kind:?}");
        }
    }
    for kind in [
        LedgerChangeKind::Credit { payer, amount: Amount::ZERO },
        LedgerChangeKind::Debit { payer, amount: Amount::ZERO },
    ] {
        assert_eq!(pool.change(kind, None), Err(ErrorCode::InvalidParams), "{kind:?}");
        assert_eq!(kind.check("a test"), Err(crate::OrderError::ZeroAmount));
    }
    let most = amount((1 << 96) - 1);
    for _ in 0..2 {
        pool.change(LedgerChangeKind::Credit { payer, amount: most }, None).unwrap();
    }
    pool.change(LedgerChangeKind::Limit { payer, limit: Amount::ZERO }, None).unwrap();
    for kind in [
        LedgerChangeKind::Credit { payer, amount: most },
        LedgerChangeKind::Debit { payer, amount: most },
        LedgerChangeKind::Paid { payout: 1 },
        LedgerChangeKind::Bounced { payout: 1 },
    ] {
        assert_eq!(kind.check(" "), Err(crate::OrderError::BlankReason), "{kind:?}");
    }
    assert_eq!(LedgerChangeKind::ClosePeriod.check(""), Ok(()));
}

#[test]
fn d23_a_payout_below_the_smallest_is_carried_over_and_none_exceeds_what_is_payable() {
    let mut pool = pool(Limits { smallest_payout: HOUR_MS, ..credit_limits() });
    pool.credit(u128::from(HOUR_MS));
    let lease = pool.served(1)[0];
    pool.passes(MINUTE_MS);
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    assert_eq!(pool.core.payouts_of(None, None, 10), Some(vec![]));
    pool.restart(credit_limits());
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    let payouts = pool.core.payouts_of(None, None, 10).unwrap();
    let [payout] = payouts[..] else { panic!("{payouts:?}") };
    let wrong = crate::PayoutRow { amount: payout.amount.checked_add(Amount::new(1)).unwrap(), ..payout };
    let mark = |pool: &mut Pool, row| {
        pool.core.ledger.as_mut().unwrap().restore(crate::Row::Payout(row));
        pool.change(LedgerChangeKind::Paid { payout: 1 }, None).map(drop)
    };
    assert_eq!(mark(&mut pool, wrong), Err(ErrorCode::InvalidParams));
    assert_eq!(mark(&mut pool, payout), Ok(()));
}

#[test]
fn an_explanation_names_what_is_missing() {
    let mut pool = pool(credit_limits());
    let reason = |pool: &mut Pool| pool.explain(CLIENT).unwrap().reason.unwrap_or_default();
    let _refused = pool.refusal(1);
    assert!(reason(&mut pool).contains("has 0 wei available"), "{}", reason(&mut pool));
    pool.link(node(CLIENT), None, 2).unwrap();
    assert!(reason(&mut pool).contains("no account pays"), "{}", reason(&mut pool));
}

/// The leases and the billed milliseconds of a pool.
fn leases_and_billed(pool: &Pool) -> (u64, u64) {
    (pool.core.gauges().leases, pool.core.counters().metered_ms)
}

#[test]
fn without_a_payer_running_leases_and_pending_offers_end() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(HOUR_MS));
    pool.served(1);
    pool.passes(MINUTE_MS);
    pool.ask(CLIENT, 2);
    let (host, call) = pool.admitting(&[HOST, SECOND_HOST]).unwrap();
    pool.replies.clear();
    pool.link(node(CLIENT), None, 2).unwrap();
    let (leases, billed) = leases_and_billed(&pool);
    assert_eq!(leases, 0);
    assert!((MINUTE_MS - 1_000..=MINUTE_MS).contains(&billed), "what ran until then is billed: {billed}");
    assert_eq!(pool.figures(LedgerAccount::Payer(payer())).metered, Amount::new(billed.into()));
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::NoPayer));
    let other = if host == HOST { SECOND_HOST } else { HOST };
    assert_eq!(pool.evicted(other), Some(EvictReason::NoPayer), "the host evicts");
    assert!(pool.replies.iter().any(|(_, reply)| matches!(reply, Ok(Reply::Ask(_)))), "the request is answered");
    pool.done(call, crate::CallOutcome::Done);
    assert_eq!(pool.evicted(host), Some(EvictReason::TooLate), "a host that admits late evicts");
    pool.passes(MINUTE_MS);
    assert_eq!(leases_and_billed(&pool), (0, billed));
    assert!(pool.admitting(&[HOST, SECOND_HOST]).is_none(), "nobody serves the client");
}

#[test]
fn a_stored_lease_without_a_payer_ends_at_the_start() {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(HOUR_MS));
    pool.served(1);
    pool.rows.retain(|row| !matches!(row, Row::Link(_)));
    pool.restart(credit_limits());
    assert_eq!(pool.core.gauges().leases, 0);
    pool.restart(credit_limits());
    assert_eq!(pool.core.gauges().leases, 0, "the store holds it no longer");
}

#[test]
fn a_lease_that_begins_to_cost_something_at_its_rollover_ends_without_a_payer() {
    for linked in [false, true] {
        let mut pool = pool(Limits { price: vipnode_types::Price::FREE, ..credit_limits() });
        pool.credit(u128::from(48 * HOUR_MS));
        pool.served(1);
        if !linked {
            pool.link(node(CLIENT), None, 2).unwrap();
        }
        assert_eq!(pool.core.gauges().leases, 1, "it costs nothing");
        pool.core.limits.price = credit_limits().price;
        pool.pass_with(24 * HOUR_MS - 5_000, &[HOST, SECOND_HOST, CLIENT]);
        for _ in 0..30 {
            pool.pass_with(1_000, &[HOST, SECOND_HOST, CLIENT]);
            let asked = |call: &crate::PoolCall| matches!(call, crate::PoolCall::Price(_)).then_some(());
            while let Some((call, ())) =
                [HOST, SECOND_HOST, CLIENT].into_iter().find_map(|at| pool.take_call(at, asked))
            {
                pool.done(call, crate::CallOutcome::Done);
            }
        }
        assert_eq!(pool.core.gauges().leases, u64::from(linked));
        let evicted = [HOST, SECOND_HOST].into_iter().find_map(|host| pool.evicted(host));
        assert_eq!(evicted, (!linked).then_some(EvictReason::NoPayer));
    }
}

#[test]
fn a_host_without_a_payout_account_serves_for_nothing() {
    let mut pool = Pool::with(credit_limits());
    pool.settle();
    for agent in [HOST, SECOND_HOST] {
        let mut hello = host(agent, SLOTS);
        hello.host.as_mut().unwrap().payout = None;
        pool.join(agent, hello);
    }
    pool.join(CLIENT, client(CLIENT));
    pool.link(node(CLIENT), Some(payer()), 1).unwrap();
    pool.credit(u128::from(HOUR_MS));
    pool.served(1);
    pool.passes(20 * MINUTE_MS);
    assert_eq!(pool.core.gauges().leases, 1);
    assert_eq!(pool.figures(LedgerAccount::Payer(payer())).metered, Amount::ZERO);
}

#[test]
fn a_pool_without_payments_notices_the_balances_in_its_store() {
    let mut funded = pool(credit_limits());
    let none = Limits { payment: PaymentMode::None, ..credit_limits() };
    let restored = |pool: &Pool, limits: &Limits| {
        let mut core = crate::RestoredCore::new(limits.clone(), [7; 32], pool.now);
        core.take([Row::Payment(PaymentMode::Credit)]);
        core.take(pool.core.rows());
        core.finish_or_number_from(1).has_unused_funds()
    };
    assert!(!restored(&funded, &none), "nothing was credited yet");
    funded.credit(5);
    assert!(restored(&funded, &none));
    assert!(!restored(&funded, &credit_limits()), "clients pay, so they are used");
}
