//! What is left after a part of the journals was removed.

use std::fs;

use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LedgerEntry, MeteredPeriod, OperatorOrder, PayoutRow, PayoutState,
    SettlementPeriodRow, Transaction,
};
use vipnode_types::{
    Account, Amount, LeaseId, MeterId, Ms, PoolKey, SignedAmount, UtcDay,
    wire::{DailyStatementRequest, StatementBalances, StatementRange},
};

use super::{crashes::copy, *};
use crate::{DailyRead, StoreReader as _, account_statement, conformance::metered, daily_statement};

const PAYER: Account = Account::new([1; 20]);
const PAYEE: Account = Account::new([8; 20]);
const COST: u128 = 60_000;

fn order() -> OperatorOrder {
    OperatorOrder { by: None, reason: "a test".to_owned(), key: None }
}

fn period(lease: u64) -> MeteredPeriod {
    let mut period = metered(lease, 0, 60_000);
    (period.lease.payer, period.lease.payee, period.lease.fee_bps) = (Some(PAYER), Some(PAYEE), 0);
    period.ended = Ms::new(lease * 1_000);
    period
}

fn leased(lease: u64, collected: u128) -> Transaction {
    let (from, cost, fee) = (Amount::new(u128::from(lease - 1) * COST), Amount::new(COST), Amount::ZERO);
    let (collected, lease) = (Amount::new(collected), LeaseId::new(lease));
    Transaction::Lease { payer: PAYER, payee: PAYEE, lease, row: 0, from, cost, collected, fee }
}

/// Three paid periods, a settlement with a payout that was paid and came back, and a period that was paid only later.
fn transactions() -> Vec<Transaction> {
    let amount = |units: u128| Amount::new(units);
    let (payer, payee, payout, all) = (PAYER, PAYEE, 1, amount(3 * COST));
    vec![
        Transaction::Credit { payer, amount: all, order: order() },
        leased(1, COST),
        leased(2, COST),
        leased(3, COST),
        Transaction::Period { period: 1, order: order() },
        Transaction::Paid { payout, payee, amount: all, order: order() },
        Transaction::Bounced { payout, payee, amount: all, order: order() },
        leased(4, 0),
        Transaction::Credit { payer, amount: amount(COST), order: order() },
        Transaction::Collected { payer, payee, entry: 8, amount: amount(COST), fee: Amount::ZERO },
        leased(5, 0),
        Transaction::Limit { payer, limit: amount(7), order: order() },
    ]
}

/// A store with these, one every second; the cost of the fifth period is not paid.
fn store(dir: &Path) -> SqliteStore {
    let (mut store, mut sheet) = (open(dir), BalanceSheet::default());
    let mut rows = vec![Row::NextLease(10), node_row(1), node_row(2)];
    rows.extend((1..=5).map(|lease| Row::Metered(Box::new(period(lease)))));
    let mut free = metered(6, 0, 5);
    free.ended = Ms::new(1);
    rows.push(Row::Metered(Box::new(free)));
    for (number, transaction) in (1..).zip(transactions()) {
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at: Ms::new(number * 1_000), transaction })));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    rows.push(Row::Period(SettlementPeriodRow { number: 1, closed: Ms::new(5_000) }));
    let (amount, state) = (Amount::new(3 * COST), PayoutState::Bounced);
    rows.push(Row::Payout(PayoutRow { number: 1, period: 1, payee: PAYEE, amount, state }));
    let (cost, collected) = (Amount::new(COST), Amount::ZERO);
    let unpaid = vipnode_pool_core::UnpaidRow { entry: 11, payer: PAYER, payee: PAYEE, fee_bps: 0, cost, collected };
    rows.push(Row::Unpaid(unpaid));
    store.apply(&rows).unwrap();
    store
}

fn problems(dir: &Path) -> String {
    reader(dir).unwrap().check().unwrap().problems.join("\n")
}

/// The balances before and after the whole statement of an account, and the numbers of its lines.
fn statement(dir: &Path, account: Account) -> (StatementBalances, StatementBalances, Vec<u64>) {
    let reader = reader(dir).unwrap();
    let mut snapshot = reader.read(0).unwrap();
    let page = account_statement(&mut *snapshot, account, StatementRange::default(), 100).unwrap();
    (page.opening.unwrap(), page.closing.unwrap(), page.lines.iter().map(|line| line.entry).collect())
}

/// A statement without what was removed would be a proof of the opposite.
#[test]
fn no_day_is_stated_of_which_something_was_removed() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("removed.jsonl"));
    store(&dir).apply(&[Row::Clock(Ms::new(2 * UtcDay::MS))]).unwrap();
    let read = |day: u64| {
        let request = DailyStatementRequest { day: UtcDay::of(Ms::new(day * UtcDay::MS)), page: 1 };
        let (pool, host) = (PoolKey::from_random([1; 32]).unwrap().id(), node_id(2));
        let reader = reader(&dir).unwrap();
        let mut snapshot = reader.read(0).unwrap();
        daily_statement(&mut *snapshot, (pool, &host), request, 10, &mut |_| MeterId::default()).unwrap()
    };
    assert!(matches!(read(0), DailyRead::Page(_)));
    PrunedDatabase::prune(&dir, Ms::new(9_500), &file).unwrap();
    assert_eq!(read(0), DailyRead::Pruned);
    assert!(matches!(read(1), DailyRead::Page(_)), "nothing of it was removed");
}

#[test]
fn what_is_removed_is_in_the_file_and_the_rest_still_adds_up() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("removed.jsonl"));
    let before = rows(&mut store(&dir));
    assert_eq!(problems(&dir), "");
    let whole = [PAYER, PAYEE].map(|account| statement(&dir, account));
    let pruned = PrunedDatabase::prune(&dir, Ms::new(9_500), &file).unwrap();
    // The entry 8 is collected by entry 10, which stays.
    assert_eq!((pruned.entries, pruned.periods, pruned.last_entry), (7, 4, 7));
    assert_eq!(problems(&dir), "");
    assert_eq!(rows(&mut open(&dir)), before, "the pool starts from the same state");
    for (account, (_, closing, lines)) in [PAYER, PAYEE].into_iter().zip(whole) {
        let (opening, now, left) = statement(&dir, account);
        assert_eq!((now, left), (closing, lines.into_iter().filter(|number| *number > 7).collect::<Vec<_>>()));
        let paid = SignedAmount::difference(Amount::new(3 * COST), Amount::ZERO);
        let opened = if account == PAYER { SignedAmount::ZERO } else { paid };
        assert_eq!((opening.payer, opening.host), (SignedAmount::ZERO, opened));
    }
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 11);
    assert_eq!((&lines[0]["table"], &lines[0]["amount"]), (&"entries".into(), &(3 * COST).to_string().into()));
    let periods: Vec<_> =
        lines.iter().filter(|line| line["table"] == "journal").map(|line| line["lease"].clone()).collect();
    assert_eq!(periods, [1, 2, 3, 6], "those that were billed, and the free one");

    let exists = PrunedDatabase::prune(&dir, Ms::new(20_000), &file);
    assert!(matches!(exists, Err(StoreError::PruneFile { .. })), "{exists:?}");
    assert_eq!(problems(&dir), "");
    // The cost of entry 11 is not paid, and the newest entry stays in any case.
    let again = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("more.jsonl")).unwrap();
    assert_eq!((again.entries, again.periods, again.last_entry), (3, 1, 10));
    assert_eq!(problems(&dir), "");
    let nothing = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("nothing")).unwrap();
    assert_eq!((nothing.entries, nothing.file), (0, None));
    assert!(!root.path().join("nothing").exists());
}

#[test]
fn an_overbilled_entry_stays_as_long_as_the_one_that_says_so() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let transaction =
        Transaction::Overbilled { payer: PAYER, payee: PAYEE, entry: 3, amount: Amount::new(1), order: order() };
    let entry = LedgerEntry { number: 13, at: Ms::new(13_000), transaction };
    store(&dir).apply(&[Row::Entry(Box::new(entry))]).unwrap();
    let pruned = PrunedDatabase::prune(&dir, Ms::new(9_500), &root.path().join("file")).unwrap();
    assert_eq!(pruned.last_entry, 2);
    assert_eq!(problems(&dir), "");
}

#[test]
fn a_payout_that_came_back_keeps_the_entry_that_paid_it() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    drop(store(&dir));
    // Up to the mark as paid, but the mark as bounced would stay.
    let pruned = PrunedDatabase::prune(&dir, Ms::new(6_500), &root.path().join("file")).unwrap();
    assert_eq!(pruned.last_entry, 5);
    assert_eq!(problems(&dir), "");
}

#[test]
fn a_database_with_a_problem_or_a_running_pool_is_not_pruned() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("file"));
    let mut running = store(&dir);
    let refused = PrunedDatabase::prune(&dir, Ms::new(9_500), &file);
    assert!(matches!(refused, Err(StoreError::InUse { .. })), "{refused:?}");
    running.apply(&[Row::Delete(RowKey::Unpaid(11))]).unwrap();
    drop(running);
    let refused = PrunedDatabase::prune(&dir, Ms::new(9_500), &file);
    assert!(matches!(refused, Err(StoreError::Unverified { .. })), "{refused:?}");
    assert!(!file.exists());
}

/// A kill leaves all rows or those that were to stay, never a part; the file is there before the first row is removed.
#[test]
fn a_kill_in_the_middle_removes_all_or_nothing() {
    let root = tempdir().unwrap();
    let (dir, before, file) = (root.path().join("pool"), root.path().join("before"), root.path().join("file"));
    let mut store = store(&dir);
    copy(&dir, &before);
    PrunedDatabase::prune_open(&mut store, Ms::new(9_500), &file).unwrap();
    let whole = fs::read(dir.join("pool.db-wal")).unwrap();
    let durable = fs::read(before.join("pool.db-wal")).unwrap().len();
    assert!(whole.len() > durable);
    let left = |number: usize, length: usize| {
        let torn = root.path().join(format!("torn-{number}"));
        fs::create_dir(&torn).unwrap();
        for name in ["acknowledged", "pool.db"] {
            fs::copy(before.join(name), torn.join(name)).unwrap();
        }
        fs::write(torn.join("pool.db-wal"), &whole[..length]).unwrap();
        assert_eq!(problems(&torn), "", "cut at {length}");
        let mut store = open(&torn);
        let mut entries = 0;
        crate::Store::entries(&mut store, 0, 100, &mut |_| entries += 1).unwrap();
        entries
    };
    assert_eq!(left(0, whole.len()), 5);
    let cuts = (durable..whole.len()).step_by(4_099);
    let all: Vec<usize> = cuts.enumerate().map(|(number, length)| left(number + 1, length)).collect();
    assert!(!all.is_empty() && all.iter().all(|entries| *entries == transactions().len()), "{all:?}");
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().count(), 11);
}
