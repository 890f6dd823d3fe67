//! Admin commands of the operator.

use vipnode_types::payment::{ChannelTerms, contracts};

use super::*;

/// Marks a page of payouts at once; the marks of one page are one batch.
#[test]
fn all_payouts_of_a_period_are_marked_page_by_page() {
    let mut pool = pool(Limits { payouts_a_step: 1, ..credit_limits() });
    pool.credit(u128::from(HOUR_MS));
    let leases = pool.served(2);
    pool.passes(10 * MINUTE_MS);
    pool.ask(CLIENT, 0);
    for lease in leases {
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
    }
    let all = |after| LedgerChangeKind::PaidAll { period: 1, after };
    assert_eq!(pool.change(all(None), None), Err(ErrorCode::InvalidParams), "no period is closed");
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    let due = pool.core.payouts_of(None, None, 10).unwrap();
    let [one, other] = due[..] else { panic!("{due:?}") };
    assert_eq!(pool.core.payouts_of(Some(1), Some(one.number), 10).unwrap(), [other], "after a number");
    assert_eq!(pool.core.payouts_of(Some(1), None, 1).unwrap(), [one]);
    let first = pool.change(all(None), None).unwrap().paid_all.unwrap();
    assert_eq!((first.marked, first.amount, first.left_out, first.next), (1, one.amount, 0, Some(one.number)));
    let second = pool.change(all(first.next), None).unwrap().paid_all.unwrap();
    assert_eq!((second.marked, second.amount, second.next), (1, other.amount, None));
    assert_eq!(pool.change(all(None), None), Err(ErrorCode::InvalidParams), "all are marked");
    pool.restart(credit_limits());
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    assert_eq!(pool.core.payouts_of(None, None, 10), Some(Vec::new()), "nothing is left to pay");
}

/// What is written off is owed by nobody and to nobody: the payer's debt and the host's claim fall, and what is payable stays.
#[test]
fn an_unpaid_cost_is_written_off_once() {
    let mut pool = pool(credit_limits());
    pool.change(LedgerChangeKind::Limit { payer: payer(), limit: Amount::new(u128::from(HOUR_MS)) }, None).unwrap();
    let lease = pool.served(1)[0];
    pool.passes(10 * MINUTE_MS);
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let unpaid = |pool: &Pool| {
        let rows = pool.core.rows().into_iter();
        rows.filter_map(|row| if let Row::Unpaid(row) = row { Some(row) } else { None }).collect::<Vec<_>>()
    };
    let [cost] = unpaid(&pool)[..] else { panic!("one cost is not paid") };
    let sums =
        |pool: &Pool| [LedgerAccount::Payer(cost.payer), LedgerAccount::Payee(cost.payee)].map(|of| pool.figures(of));
    let [owing, _] = sums(&pool);
    assert_eq!((owing.debt(), owing.collected), (cost.cost, Amount::ZERO));
    let write_off = LedgerChangeKind::WriteOff { entry: cost.entry };
    let unknown = LedgerChangeKind::WriteOff { entry: cost.entry + 1 };
    assert_eq!(pool.change(unknown, None), Err(ErrorCode::InvalidParams));
    let done = pool.change(write_off, Some("insolvent")).unwrap();
    let again = pool.change(write_off, Some("insolvent")).unwrap();
    assert_eq!((again.entry, again.repeated, done.repeated), (done.entry, true, false), "once");
    assert_eq!(pool.change(write_off, None), Err(ErrorCode::InvalidParams), "nothing is left");
    let [payer, payee] = sums(&pool);
    assert_eq!((payer.debt(), payer.collected), (Amount::ZERO, cost.cost));
    assert_eq!((payee.balance(), payee.payable(), unpaid(&pool)), (Amount::ZERO, Amount::ZERO, Vec::new()));
    pool.credit(1_000);
    assert_eq!(sums(&pool)[1].payable(), Amount::ZERO, "newer credit does not pay for it");
}

#[test]
fn what_is_payable_to_a_host_is_corrected() {
    let mut pool = pool(credit_limits());
    let host = payout(HOST);
    let correct = |units, takes| LedgerChangeKind::Correction { payee: host, amount: Amount::new(units), takes };
    assert_eq!(pool.change(correct(500, false), None).unwrap().figures.payable(), Amount::new(500));
    assert_eq!(pool.change(correct(501, true), None), Err(ErrorCode::InvalidParams), "more than is payable");
    assert_eq!(pool.change(correct(0, true), None), Err(ErrorCode::InvalidParams));
    assert_eq!(pool.change(correct(200, true), Some("key")).unwrap().figures.payable(), Amount::new(300));
    assert_eq!(pool.change(correct(200, false), Some("key")), Err(ErrorCode::InvalidParams), "another order");
    pool.restart(credit_limits());
    assert_eq!(pool.figures(LedgerAccount::Payee(host)).payable(), Amount::new(300));
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    assert_eq!(pool.core.payouts_of(None, None, 2).unwrap()[0].amount, Amount::new(300));
}

/// A refund of more than there is left is a mistake more often than not. The key comes first: a debit that was posted stays
/// posted, whatever the balance is now.
#[test]
fn a_debit_beyond_the_balance_is_refused_unless_it_is_allowed() {
    let mut pool = pool(credit_limits());
    let debit = |pool: &mut Pool, units, key: Option<&str>, allow_negative| {
        let kind = LedgerChangeKind::Debit { payer: payer(), amount: Amount::new(units) };
        let change = Box::new(LedgerChange { kind, order: order(key), allow_negative });
        let connection = pool.connection(CLIENT);
        pool.request(Command::Ledger { connection, request: 8, change }).unwrap()
    };
    pool.credit(500);
    let refused = debit(&mut pool, 501, None, false).unwrap_err();
    assert!(refused.message.contains("would owe 1 wei: the debit is more than its balance of 500 wei"), "{refused:?}");
    assert!(refused.hint().unwrap().contains("--allow-negative"), "{refused:?}");
    debit(&mut pool, 400, Some("refund"), false).unwrap();
    let Reply::Ledger(again) = debit(&mut pool, 400, Some("refund"), false).unwrap() else { panic!() };
    assert_eq!((again.repeated, again.figures.balance()), (true, Amount::new(100)));
    let other = debit(&mut pool, 100, Some("refund"), false).unwrap_err();
    assert!(
        other.message.contains("a debit of 400 wei from 0x") && other.message.contains("a debit of 100 wei"),
        "{other:?}"
    );
    debit(&mut pool, 100, None, false).unwrap();
    debit(&mut pool, 7, None, true).unwrap();
    assert_eq!(pool.figures(LedgerAccount::Payer(payer())).debt(), Amount::new(7));
    let deeper = debit(&mut pool, 3, None, false).unwrap_err();
    assert!(deeper.message.contains("would owe 10 wei: the debit is more than its balance of -7 wei"), "{deeper:?}");
}

/// A key that is forgotten earlier would post its order twice.
#[test]
fn so_many_keys_are_remembered_until_their_entries_are_removed() {
    let mut pool = pool(Limits { order_keys: 1, ..credit_limits() });
    let credit = LedgerChangeKind::Credit { payer: payer(), amount: Amount::new(5) };
    let first = pool.change(credit, Some("first")).unwrap();
    assert!(pool.change(credit, Some("first")).unwrap().repeated);
    assert_eq!(pool.change(credit, Some("second")), Err(ErrorCode::Unsuitable));
    pool.change(credit, None).unwrap();
    pool.core.forget_keys(first.entry.number - 1);
    assert!(pool.change(credit, Some("first")).unwrap().repeated);
    pool.core.forget_keys(first.entry.number);
    let again = pool.change(credit, Some("first")).unwrap();
    assert!(!again.repeated && again.entry.number > first.entry.number, "{again:?}");
    assert!(pool.change(credit, Some("first")).unwrap().repeated);
}

/// What nobody has the key of can neither be credited nor owe anything; what was posted for it before can be taken back.
#[test]
fn an_account_that_nobody_can_have_is_refused() {
    let token = Account::new([0x70; 20]);
    let terms = ChannelTerms { chain_id: 1, token, receiver: token, receiver_authorizer: token, withdraw_delay_s: 900 };
    let mut pool = pool(Limits { channel: Some(terms), ..credit_limits() });
    for account in [Account::new([0; 20]), "0x000000000000000000000000000000000000dEaD".parse().unwrap()] {
        refuses(&mut pool, account, "nobody has the key");
    }
    for account in [contracts::ESCROW, token] {
        refuses(&mut pool, account, "a contract");
    }
    let debit = LedgerChangeKind::Debit { payer: Account::new([0; 20]), amount: Amount::new(5) };
    assert!(pool.change(debit, None).is_ok());
}

fn refuses(pool: &mut Pool, account: Account, words: &str) {
    let amount = Amount::new(5);
    let gains = [
        LedgerChangeKind::Credit { payer: account, amount },
        LedgerChangeKind::Limit { payer: account, limit: amount },
        LedgerChangeKind::Correction { payee: account, amount, takes: false },
    ];
    for kind in gains {
        let change = Box::new(LedgerChange { kind, order: order(None), allow_negative: true });
        let connection = pool.connection(CLIENT);
        let error = pool.request(Command::Ledger { connection, request: 8, change }).unwrap().unwrap_err();
        assert!(error.is(ErrorCode::InvalidParams) && error.message.contains(words), "{error:?}");
    }
}

/// The sums over all accounts follow each change, and are the same after a restart.
#[test]
fn the_totals_are_what_was_billed_is_owed_and_can_be_paid() {
    let mut pool = pool(credit_limits());
    let limit = LedgerChangeKind::Limit { payer: payer(), limit: Amount::new(u128::from(HOUR_MS)) };
    pool.change(limit, None).unwrap();
    let leases = pool.served(1);
    pool.passes(10 * MINUTE_MS);
    pool.ask(CLIENT, 0);
    for lease in leases {
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
    }
    let totals = |pool: &Pool| {
        let gauges = pool.core.gauges();
        [gauges.billed, gauges.owed, gauges.payable].map(Amount::get)
    };
    let of_hosts = |pool: &Pool| {
        let hosts = [HOST, SECOND_HOST].map(|host| pool.figures(LedgerAccount::Payee(payout(host))));
        hosts.iter().map(|figures| figures.balance().get()).sum::<u128>()
    };
    let billed = pool.figures(LedgerAccount::Payer(payer())).metered.get();
    assert!(billed >= u128::from(10 * MINUTE_MS) && of_hosts(&pool) > 0);
    assert_eq!(totals(&pool), [billed, of_hosts(&pool), 0], "a limit is lent, and secures nothing");
    pool.credit(u128::from(HOUR_MS));
    pool.passes(2_000);
    let owed = of_hosts(&pool);
    assert_eq!(totals(&pool), [billed, owed, owed]);
    assert_eq!(owed, billed - pool.core.gauges().fees.get());
    pool.restart(credit_limits());
    assert_eq!(totals(&pool), [billed, owed, owed], "also after a restart");
    pool.change(LedgerChangeKind::ClosePeriod, None).unwrap();
    pool.change(LedgerChangeKind::PaidAll { period: 1, after: None }, None).unwrap();
    assert_eq!(totals(&pool), [billed, 0, 0]);
}
