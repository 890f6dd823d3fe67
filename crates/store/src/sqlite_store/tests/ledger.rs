//! The check of the ledger against the billing periods, the unpaid costs, the payouts, and the links.

use vipnode_pool_core::{
    AccountRow, BalanceSheet, LedgerEntry, LinkRow, MeteredPeriod, OperatorOrder, PayoutRow, PayoutState,
    SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{
    Account, Amount, LeaseId, Ms, Price,
    meter::{Seen, billed_ms},
};

use super::*;
use crate::conformance::metered;

const PAYER: Account = Account::new([1; 20]);
const PAYEE: Account = Account::new([8; 20]);

/// A period of 60,000 units, of which the operator keeps 10 %.
fn period(lease: u64) -> MeteredPeriod {
    let mut period = metered(lease, 0, 60_000);
    (period.lease.payer, period.lease.payee, period.lease.fee_bps) = (Some(PAYER), Some(PAYEE), 1_000);
    period
}

fn order() -> OperatorOrder {
    OperatorOrder { by: None, reason: "a test".to_owned(), key: None }
}

fn lease(lease: u64, from: u64, collected: u64) -> Transaction {
    let (cost, fee) = (Amount::new(60_000), Amount::new((collected / 10).into()));
    let (from, collected) = (Amount::new(from.into()), Amount::new(collected.into()));
    Transaction::Lease { payer: PAYER, payee: PAYEE, lease: LeaseId::new(lease), row: 0, from, cost, collected, fee }
}

/// One paid and one partly paid period, a payout that was paid, and one that is due.
fn transactions() -> Vec<Transaction> {
    let amount = |units: u128| Amount::new(units);
    vec![
        Transaction::Credit { payer: PAYER, amount: amount(70_000), order: order() },
        lease(1, 0, 60_000),
        lease(2, 60_000, 10_000),
        Transaction::Period { period: 1, order: order() },
        Transaction::Paid { payout: 1, payee: PAYEE, amount: amount(63_000), order: order() },
        Transaction::Credit { payer: PAYER, amount: amount(20_000), order: order() },
        Transaction::Collected { payer: PAYER, payee: PAYEE, entry: 3, amount: amount(20_000), fee: amount(2_000) },
        Transaction::Period { period: 2, order: order() },
    ]
}

fn unpaid() -> UnpaidRow {
    let (cost, collected) = (Amount::new(60_000), Amount::new(30_000));
    UnpaidRow { entry: 3, payer: PAYER, payee: PAYEE, fee_bps: 1_000, cost, collected }
}

fn payout(number: u64, amount: u128, state: PayoutState) -> Row {
    Row::Payout(PayoutRow { number, period: number, payee: PAYEE, amount: Amount::new(amount), state })
}

/// The rows of these transactions, with the sums that follow from them.
fn journal(transactions: Vec<Transaction>) -> Vec<Row> {
    let mut sheet = BalanceSheet::default();
    for transaction in &transactions {
        sheet.apply(transaction, |_| vipnode_pool_core::AccountFigures::default()).unwrap();
    }
    let entries = transactions
        .into_iter()
        .zip(1..)
        .map(|(transaction, number)| Row::Entry(Box::new(LedgerEntry { number, at: Ms::new(number), transaction })));
    entries.chain(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures }))).collect()
}

/// What a check finds in a ledger that `rows` are added to.
fn problems(transactions: Vec<Transaction>, rows: &[Row]) -> String {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.apply(&[Row::NextLease(10), node_row(1), node_row(2)]).unwrap();
    store.apply(&[1, 2].map(|lease| Row::Metered(Box::new(period(lease))))).unwrap();
    store.apply(&journal(transactions)).unwrap();
    let state = [
        Row::Unpaid(unpaid()),
        Row::Period(SettlementPeriodRow { number: 2, closed: Ms::new(8) }),
        payout(1, 63_000, PayoutState::Paid),
        payout(2, 18_000, PayoutState::Due),
        Row::LinkCounter(PAYER, 5),
        Row::Link(LinkRow { node: node_id(1), account: PAYER }),
    ];
    store.apply(&state).unwrap();
    store.apply(rows).unwrap();
    reader(dir.path()).unwrap().check().unwrap().problems.join("\n")
}

#[test]
fn a_ledger_that_fits_has_no_problem() {
    assert_eq!(problems(transactions(), &[]), "");
    // A period without a cost, or without a payer, has no entry.
    let mut free = period(3);
    (free.cost, free.billed_ms, free.client, free.host) = (Amount::ZERO, 0, None, None);
    let rows = [Row::Metered(Box::new(free)), Row::Metered(Box::new(metered(4, 0, 60_000)))];
    assert_eq!(problems(transactions(), &rows), "");
}

#[test]
fn what_is_overbilled_is_compared_with_the_entry_that_billed_it() {
    let with = |entry, amount, payer, payee| {
        let mut transactions = transactions();
        let amount = Amount::new(amount);
        transactions.push(Transaction::Overbilled { payer, payee, entry, amount, order: order() });
        problems(transactions, &[])
    };
    assert_eq!(with(2, 60_000, PAYER, PAYEE), "");
    let wrong = "entry 9 of the ledger does not fit the cost that it is about";
    assert_eq!(with(2, 60_001, PAYER, PAYEE), wrong, "more than its cost");
    assert_eq!(with(2, 1, PAYEE, PAYEE), wrong);
    assert_eq!(with(2, 1, PAYER, PAYER), wrong);
    assert_eq!(with(1, 1, PAYER, PAYEE), wrong, "a credit");
    assert_eq!(with(10, 1, PAYER, PAYEE), wrong, "no entry");
}

#[test]
fn each_entry_is_compared_with_its_period() {
    let with = |number: usize, transaction: Transaction| {
        let mut transactions = transactions();
        transactions[number - 1] = transaction;
        problems(transactions, &[])
    };
    let changed = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = lease(1, 0, 60_000);
        change(&mut transaction);
        with(2, transaction)
    };
    let other = changed(&|transaction| {
        let Transaction::Lease { payer, .. } = transaction else { panic!() };
        *payer = Account::new([2; 20]);
    });
    assert!(other.contains("entry 2 of the ledger has a different payer or payee from its period"), "{other}");
    let cheaper = changed(&|transaction| {
        let Transaction::Lease { cost, collected, fee, .. } = transaction else { panic!() };
        (*cost, *collected, *fee) = (Amount::new(50), Amount::new(50), Amount::new(5));
    });
    assert!(cheaper.contains("entry 2 of the ledger has a different cost from its period"), "{cheaper}");
    let fee = changed(&|transaction| {
        let Transaction::Lease { fee, .. } = transaction else { panic!() };
        *fee = Amount::new(5_999);
    });
    assert!(fee.contains("entry 2 of the ledger has a wrong collected amount or fee"), "{fee}");
    let again = with(2, lease(2, 0, 60_000));
    assert!(again.contains("period 0 of lease 2 has more than one entry"), "{again}");
    assert!(again.contains("period 0 of lease 1 has a payer and a cost, but no entry"), "{again}");
    let unmetered = with(2, lease(7, 0, 60_000));
    assert!(unmetered.contains("entry 2 of the ledger bills a period that was not metered"), "{unmetered}");
    let collected =
        Transaction::Collected { payer: PAYER, payee: PAYEE, entry: 3, amount: Amount::new(20_000), fee: Amount::ZERO };
    let collected = with(7, collected);
    assert!(collected.contains("entry 7 of the ledger does not fit the cost that it collects"), "{collected}");
}

#[test]
fn what_is_secured_is_computed_again_and_so_is_where_each_cost_begins() {
    let amount = |units: u128| Amount::new(units);
    let credit = |units| Transaction::Credit { payer: PAYER, amount: amount(units), order: order() };
    let collected = |entry, units| {
        let (amount, fee) = (amount(units), amount(units / 10));
        Transaction::Collected { payer: PAYER, payee: PAYEE, entry, amount, fee }
    };
    let third = [Row::Metered(Box::new(period(3)))];
    let found = |transactions: Vec<Transaction>, wrong: &str| {
        let problems = problems(transactions, &third);
        assert!(problems.contains(wrong), "{wrong}: {problems}");
    };
    let first = || vec![credit(70_000), lease(1, 0, 60_000)];
    found(
        [first(), vec![lease(2, 59_999, 10_000)]].concat(),
        "entry 3 of the ledger does not begin where the payer's meter",
    );
    let secured = "entry 3 of the ledger has a wrong collected amount or fee";
    found([first(), vec![lease(2, 60_000, 10_010)]].concat(), secured);
    found([first(), vec![lease(2, 60_000, 9_990)]].concat(), secured);
    let two = || [first(), vec![lease(2, 60_000, 10_000), credit(20_000)]].concat();
    let before = "entry 5 of the ledger has a wrong collected amount or fee";
    found([two(), vec![lease(3, 120_000, 20_000)]].concat(), before);
    found(
        [two(), vec![collected(3, 20_010)]].concat(),
        "entry 5 of the ledger collects what the payer has not secured",
    );
    let later = vec![lease(3, 120_000, 0), collected(5, 20_000)];
    found([two(), later].concat(), "entry 6 of the ledger collects what the payer has not secured");
}

#[test]
fn what_a_period_leaves_of_the_smallest_unit_goes_on_to_the_next_one() {
    let with = |carry: u32, price: u64, row: u32| {
        let seen = |row: u64| Some(Seen { up: Ms::new(row * 100_000), end: Ms::new(row * 100_000 + 50_000) });
        let period = |row: u32, carry, price| {
            let (mut period, seen) = (metered(4, row, 0), seen(row.into()));
            (period.client, period.host, period.billed_ms) = (seen, seen, billed_ms(seen, seen));
            (period.lease.price, period.lease.carry) = (price, carry);
            period.cost = price.cost_from(period.billed_ms, carry).unwrap().0;
            Row::Metered(Box::new(period))
        };
        problems(
            transactions(),
            &[period(0, 0, Price::per_minute(7_001)), period(row, carry, Price::per_minute(price))],
        )
    };
    let (_, left) = Price::per_minute(7_001).cost_from(50_000, 0).unwrap();
    assert!(left > 0);
    assert_eq!(with(left, 7_001, 1), "");
    let wrong = format!("but the one before left {left}");
    assert!(with(left + 1, 7_001, 1).contains(&wrong));
    assert!(with(0, 7_001, 1).contains(&wrong));
    assert_eq!(with(left + 1, 7_001, 2), "", "the one before was removed");
    assert_eq!(with(0, 7_003, 1), "");
    assert!(with(left, 7_003, 1).contains("but the one before left 0"), "another price");
}

#[test]
fn unpaid_costs_payouts_and_links_are_those_of_the_journal() {
    let with = |row: Row| problems(transactions(), &[row]);
    let lost = with(Row::Delete(RowKey::Unpaid(3)));
    assert!(lost.contains("the unpaid cost of entry 3 is missing"), "{lost}");
    let collected = with(Row::Unpaid(UnpaidRow { collected: Amount::new(1), ..unpaid() }));
    assert!(collected.contains("the unpaid cost of entry 3 is missing or is not that of the journal"), "{collected}");
    let paid = with(Row::Unpaid(UnpaidRow { entry: 2, ..unpaid() }));
    assert!(paid.contains("an unpaid cost is stored, but entry 2 is paid"), "{paid}");
    let amount = with(payout(2, 18_001, PayoutState::Due));
    assert!(amount.contains("payout 2 is not what was payable to"), "{amount}");
    let state = with(payout(1, 63_000, PayoutState::Due));
    assert!(state.contains("payout 1 is stored as Due, but the journal leaves it Paid"), "{state}");
    let unmarked = with(payout(2, 18_000, PayoutState::Paid));
    assert!(unmarked.contains("payout 2 is stored as Paid"), "{unmarked}");
    let unknown = with(payout(3, 1, PayoutState::Due));
    assert!(unknown.contains("payout 3 is of settlement period 3"), "{unknown}");
    let newest = with(Row::Period(SettlementPeriodRow { number: 3, closed: Ms::new(8) }));
    assert!(newest.contains("settlement period 3 is stored as the newest"), "{newest}");
    let link = with(Row::Link(LinkRow { node: node_id(2), account: PAYEE }));
    assert!(link.contains("which has no counter"), "{link}");
}

#[test]
fn a_payout_is_marked_as_it_is() {
    let mut wrong = transactions();
    wrong[4] = Transaction::Paid { payout: 1, payee: PAYEE, amount: Amount::new(1), order: order() };
    let wrong = problems(wrong, &[]);
    assert!(wrong.contains("entry 5 of the ledger does not fit the payout that it marks"), "{wrong}");
    let mut bounced = transactions();
    bounced.push(Transaction::Bounced { payout: 1, payee: PAYEE, amount: Amount::new(63_000), order: order() });
    let rows = [payout(1, 63_000, PayoutState::Bounced)];
    assert_eq!(problems(bounced, &rows), "", "what came back is due again");
}

/// Of a payout of a period long ago, only the entries are left. One of a newer period has to be stored.
#[test]
fn a_payout_of_a_period_long_ago_is_known_from_its_entries() {
    let amount = |units: u128| Amount::new(units);
    let periods = SettlementPeriodRow::WITH_PAYOUTS;
    let paid = |amount| Transaction::Paid { payout: 1, payee: PAYEE, amount, order: order() };
    let bounced = |amount| Transaction::Bounced { payout: 1, payee: PAYEE, amount, order: order() };
    let found = |marks: Vec<Transaction>, closed: u64| {
        let dir = tempdir().unwrap();
        let mut store = open(dir.path());
        store.apply(&[Row::NextLease(10), Row::Metered(Box::new(period(1)))]).unwrap();
        let mut all =
            vec![Transaction::Credit { payer: PAYER, amount: amount(60_000), order: order() }, lease(1, 0, 60_000)];
        all.push(Transaction::Period { period: 1, order: order() });
        all.extend(marks);
        all.extend((2..=closed).map(|period| Transaction::Period { period, order: order() }));
        store.apply(&journal(all)).unwrap();
        store.apply(&[Row::Period(SettlementPeriodRow { number: closed, closed: Ms::new(8) })]).unwrap();
        // Of the newest period, so that numbers continue.
        let newest = PayoutRow { number: 2, period: closed, payee: PAYER, amount: amount(0), state: PayoutState::Due };
        store.apply(&[Row::Payout(newest)]).unwrap();
        reader(dir.path()).unwrap().check().unwrap().problems.join("\n")
    };
    assert_eq!(found(vec![paid(amount(54_000))], periods + 1), "");
    assert_eq!(found(vec![paid(amount(54_000)), bounced(amount(54_000))], periods + 1), "");
    assert!(found(vec![paid(amount(54_000)), bounced(amount(1))], periods + 1).contains("does not fit"));
    assert!(found(vec![paid(amount(54_000)), paid(amount(0))], periods + 1).contains("does not fit"), "twice");
    assert!(found(vec![paid(amount(54_000))], periods).contains("does not fit"), "it has to be stored");
}

#[test]
fn what_is_written_off_is_the_rest_of_an_unpaid_cost() {
    let written_off = |entry, units| {
        let (payer, payee, amount) = (PAYER, PAYEE, Amount::new(units));
        Transaction::WriteOff { payer, payee, entry, amount, order: order() }
    };
    let with = |transaction| {
        let mut all = transactions();
        all.push(transaction);
        problems(all, &[Row::Delete(RowKey::Unpaid(3))])
    };
    assert_eq!(with(written_off(3, 30_000)), "");
    assert!(with(written_off(3, 29_999)).contains("does not fit the cost that it writes off"));
    assert!(with(written_off(2, 30_000)).contains("writes off a cost that is not unpaid"));
    let mut all = transactions();
    all.push(Transaction::Correction { payee: PAYEE, amount: Amount::new(1), takes: true, order: order() });
    assert_eq!(problems(all, &[]), "");
}
