//! What is left after a part of the journals was removed.

use std::{collections::BTreeSet, fs};

use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LedgerEntry, MeteredPeriod, OperatorOrder, PayoutRow, PayoutState,
    SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{
    Account, Amount, LeaseId, MeterId, Ms, PoolKey, SignedAmount, UtcDay,
    wire::{DailyStatementRequest, StatementBalances, StatementRange},
};

use super::{super::prune_marker::PruneMarker, crashes::copy, *};
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
    let unpaid = UnpaidRow { entry: 11, payer: PAYER, payee: PAYEE, fee_bps: 0, cost, collected };
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
    assert_eq!((pruned.entries, pruned.periods, pruned.last_entry), (9, 5, 9));
    assert_eq!(problems(&dir), "");
    assert_eq!(rows(&mut open(&dir)), before, "the pool starts from the same state");
    for (account, (_, closing, lines)) in [PAYER, PAYEE].into_iter().zip(whole) {
        let (opening, now, left) = statement(&dir, account);
        assert_eq!((now, left), (closing, lines.into_iter().filter(|number| *number > 9).collect::<Vec<_>>()));
        let earned = SignedAmount::difference(Amount::new(4 * COST), Amount::ZERO);
        let opened = if account == PAYER { SignedAmount::ZERO } else { earned };
        assert_eq!((opening.payer, opening.host), (SignedAmount::ZERO, opened));
    }
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 14);
    assert_eq!((&lines[0]["table"], &lines[0]["amount"]), (&"entries".into(), &(3 * COST).to_string().into()));
    let periods: Vec<_> =
        lines.iter().filter(|line| line["table"] == "journal").map(|line| line["lease"].clone()).collect();
    assert_eq!(periods, [1, 2, 3, 4, 6], "those that were billed, and the free one");

    let exists = PrunedDatabase::prune(&dir, Ms::new(20_000), &file);
    assert!(matches!(exists, Err(StoreError::PruneFile { .. })), "{exists:?}");
    assert_eq!(problems(&dir), "");
    // The newest entry stays in any case.
    let again = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("more.jsonl")).unwrap();
    assert_eq!((again.entries, again.periods, again.last_entry), (2, 1, 11));
    assert_eq!(problems(&dir), "");
    let nothing = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("nothing")).unwrap();
    assert_eq!((nothing.entries, nothing.file), (0, None));
    assert!(!root.path().join("nothing").exists());
}

/// The second page of a statement would begin with the balances after the first one, but without the entries in between.
#[test]
fn a_statement_is_read_again_if_entries_between_its_pages_were_removed() {
    let root = tempdir().unwrap();
    let (dir, mut range) = (root.path().join("pool"), StatementRange::default());
    drop(store(&dir));
    let read = |range| {
        let reader = reader(&dir).unwrap();
        let mut snapshot = reader.read(0).unwrap();
        account_statement(&mut *snapshot, PAYER, range, 4).map(|page| page.next)
    };
    range.after = read(range).unwrap();
    assert_eq!(range.after.map(|after| after.entry), Some(4));
    PrunedDatabase::prune(&dir, Ms::new(4_500), &root.path().join("file")).unwrap();
    assert!(read(range).is_ok(), "entry 5 follows");
    PrunedDatabase::prune(&dir, Ms::new(5_500), &root.path().join("more")).unwrap();
    assert_eq!(read(range), Err(StoreError::CursorPruned));
    assert!(read(StatementRange::default()).is_ok());
}

/// The cost of entry 11 is paid after the entry was removed. What an entry refers to is checked, as if nothing was removed.
#[test]
fn a_cost_can_be_secured_after_its_entry_was_removed() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    drop(store(&dir));
    PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("file")).unwrap();
    let mut sheet = BalanceSheet::default();
    for transaction in transactions() {
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
    }
    let mut append = |store: &mut SqliteStore, number: u64, transaction: Transaction| {
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        let mut rows = vec![Row::Entry(Box::new(LedgerEntry { number, at: Ms::new(number * 1_000), transaction }))];
        rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
        store.apply(&rows).unwrap();
    };
    let (payer, payee, fee, half) = (PAYER, PAYEE, Amount::ZERO, Amount::new(COST / 2));
    let mut store = open(&dir);
    append(&mut store, 13, Transaction::Credit { payer, amount: half, order: order() });
    append(&mut store, 14, Transaction::Collected { payer, payee, entry: 11, amount: half, fee });
    assert!(problems(&dir).contains("the unpaid cost of entry 11"), "half of it is secured");
    let (entry, cost) = (11, Amount::new(COST));
    store.apply(&[Row::Unpaid(UnpaidRow { entry, payer, payee, fee_bps: 0, cost, collected: half })]).unwrap();
    append(&mut store, 15, Transaction::Limit { payer, limit: half, order: order() });
    assert_eq!(problems(&dir), "");
    drop(store);
    // The entry that secured half of it is removed too.
    let more = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("more")).unwrap();
    assert_eq!(more.last_entry, 14);
    let mut store = open(&dir);
    append(&mut store, 16, Transaction::WriteOff { payer, payee, entry, amount: half, order: order() });
    store.apply(&[Row::Delete(RowKey::Unpaid(11))]).unwrap();
    assert_eq!(problems(&dir), "");
    append(&mut store, 17, Transaction::Collected { payer, payee, entry, amount: Amount::new(1), fee });
    assert!(problems(&dir).contains("entry 17 of the ledger collects a cost that is not unpaid"));
}

/// Nothing moves with an entry about overbilled time, so the one that it is about may be gone.
#[test]
fn a_cost_can_be_overbilled_after_its_entry_was_removed() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = store(&dir);
    let (payer, payee, amount) = (PAYER, PAYEE, Amount::new(1));
    let overbilled = Transaction::Overbilled { payer, payee, entry: 2, amount, order: order() };
    let entry = LedgerEntry { number: 13, at: Ms::new(13_000), transaction: overbilled };
    store.apply(&[Row::Entry(Box::new(entry))]).unwrap();
    drop(store);
    assert_eq!(problems(&dir), "");
    let pruned = PrunedDatabase::prune(&dir, Ms::new(5_500), &root.path().join("file")).unwrap();
    assert_eq!((pruned.last_entry, problems(&dir)), (5, String::new()));
}

/// Who read the journal up to a position would miss what gets that position again.
#[test]
fn a_position_of_the_journal_is_not_used_again() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    let positions = |store: &mut SqliteStore| {
        let mut all = Vec::new();
        crate::Store::metered(store, 0, 10, &mut |position, _| all.push(position)).unwrap();
        all
    };
    store.apply(&[1, 2].map(|lease| Row::Metered(Box::new(metered(lease, 0, 5))))).unwrap();
    assert_eq!(positions(&mut store), [1, 2]);
    let order = PruneOrder { before: Ms::NEVER, last_entry: 0, last_position: 2 };
    while !crate::Store::prune(&mut store, order, 0, 10).unwrap().is_done {}
    store.apply(&[Row::Metered(Box::new(metered(3, 0, 5)))]).unwrap();
    assert_eq!(positions(&mut store), [3]);
}

#[test]
fn a_payout_can_come_back_after_the_entry_that_paid_it_was_removed() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    drop(store(&dir));
    let pruned = PrunedDatabase::prune(&dir, Ms::new(6_500), &root.path().join("file")).unwrap();
    assert_eq!(pruned.last_entry, 6, "the mark as paid, but not the one as bounced");
    assert_eq!(problems(&dir), "");
    PrunedDatabase::prune(&dir, Ms::new(9_500), &root.path().join("more")).unwrap();
    let (amount, state) = (Amount::new(3 * COST), PayoutState::Paid);
    open(&dir).apply(&[Row::Payout(PayoutRow { number: 1, period: 1, payee: PAYEE, amount, state })]).unwrap();
    assert_eq!(problems(&dir), "payout 1 is stored as Paid, but the journal leaves it Bounced");
}

#[test]
fn the_entry_that_marked_a_payout_is_found_until_it_is_pruned() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    drop(store(&dir));
    let found = |period: u64, state: PayoutState| {
        let payout = PayoutRow { number: 1, period, payee: PAYEE, amount: Amount::new(3 * COST), state };
        let reader = reader(&dir).unwrap();
        let mut snapshot = reader.read(0).unwrap();
        snapshot.mark_of(payout).unwrap().map(|entry| entry.number)
    };
    let all = [PayoutState::Due, PayoutState::Paid, PayoutState::Bounced];
    assert_eq!(all.map(|state| found(1, state)), [None, Some(6), Some(7)]);
    PrunedDatabase::prune(&dir, Ms::new(6_500), &root.path().join("file")).unwrap();
    assert_eq!(all.map(|state| found(1, state)), [None, None, Some(7)]);
}

/// A payout of a period long ago is in no entry to come. What became of it is forgotten with its last entry.
#[test]
fn the_marks_of_payouts_that_the_pool_forgot_are_removed() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let (last, mut store, payee, amount) = (20_u64, open(&dir), PAYEE, Amount::ZERO);
    let mut rows = Vec::new();
    for period in 1..=last {
        let close = Transaction::Period { period, order: order() };
        let paid = Transaction::Paid { payout: period, payee, amount, order: order() };
        for (number, transaction) in [(2 * period - 1, close), (2 * period, paid)] {
            rows.push(Row::Entry(Box::new(LedgerEntry { number, at: Ms::new(period), transaction })));
        }
        if period + SettlementPeriodRow::WITH_PAYOUTS > last {
            let state = PayoutState::Paid;
            rows.push(Row::Payout(PayoutRow { number: period, period, payee, amount, state }));
        }
    }
    rows.push(Row::Period(SettlementPeriodRow { number: last, closed: Ms::new(last) }));
    store.apply(&rows).unwrap();
    let order = PruneOrder { before: Ms::NEVER, last_entry: 2 * last, last_position: 0 };
    loop {
        let step = crate::Store::prune(&mut store, order, 0, 3).unwrap();
        assert_eq!(problems(&dir), "");
        if step.is_done {
            break;
        }
    }
    let marks = "SELECT group_concat(number) FROM opening_payouts";
    let marks: String = store.connection.query_row(marks, [], |row| row.get(0)).unwrap();
    let stored: Vec<String> = (9..last).map(|number| number.to_string()).collect();
    assert_eq!(marks, stored.join(","), "those of the newest 12 periods; the newest entry stays");
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

/// Its file has what was removed and what was not, so the next prune removes the rest, and no entry gets into two files.
#[test]
fn a_prune_that_was_killed_is_finished_with_its_file() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("file"));
    let mut running = store(&dir);
    assert_eq!(InterruptedPrune::find(&dir), Ok(None));
    let plan = PrunePlan::write(&dir, Ms::new(9_500), &file).unwrap();
    let (written, PrunePlan { order, .. }) = (fs::read(&file).unwrap(), plan.clone());
    for removed in [0, 3, 6] {
        assert_eq!(InterruptedPrune::find(&dir), Ok(Some(InterruptedPrune::Unfinished(plan.clone()))), "{removed}");
        crate::Store::prune(&mut running, order, 0, 3).unwrap();
    }
    drop(running);
    // The user has entered more since, which is not in the file.
    let Ok(Some(InterruptedPrune::Unfinished(plan))) = InterruptedPrune::find(&dir) else { panic!() };
    let finished = PrunedDatabase::finish(&dir, plan).unwrap();
    assert_eq!((finished.entries, finished.periods, finished.last_entry), (0, 1, 9), "the free period is the last");
    assert_eq!((finished.file, fs::read(&file).unwrap()), (Some(file), written));
    assert_eq!((problems(&dir), InterruptedPrune::find(&dir)), (String::new(), Ok(None)));
    let next = PrunedDatabase::prune(&dir, Ms::new(20_000), &root.path().join("next")).unwrap();
    assert_eq!((next.entries, InterruptedPrune::find(&dir)), (2, Ok(None)));
}

#[test]
fn nothing_is_removed_that_the_file_of_a_killed_prune_lacks() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("file"));
    let mut running = store(&dir);
    let PrunePlan { order, .. } = PrunePlan::write(&dir, Ms::new(9_500), &file).unwrap();
    let written = fs::read_to_string(&file).unwrap();
    crate::Store::prune(&mut running, order, 0, 3).unwrap();
    let lost = || match InterruptedPrune::find(&dir).unwrap() {
        Some(InterruptedPrune::FileLost { file, why }) => (file, why),
        other => panic!("{other:?}"),
    };
    let lines: Vec<&str> = written.lines().collect();
    for kept in [&lines[..lines.len() - 1], &lines[4..], &[]] {
        fs::write(&file, kept.join("\n") + "\n").unwrap();
        assert_eq!(lost(), (file.clone(), "it does not have all entries that were not removed yet".to_owned()));
    }
    // What is gone need not be in it.
    fs::write(&file, lines[3..].join("\n") + "\n").unwrap();
    assert!(matches!(InterruptedPrune::find(&dir), Ok(Some(InterruptedPrune::Unfinished(_)))));
    fs::remove_file(&file).unwrap();
    assert!(lost().1.contains("No such file"), "{:?}", lost());
    // The rest goes into the next file.
    drop(running);
    let next = PrunedDatabase::prune(&dir, Ms::new(9_500), &root.path().join("next")).unwrap();
    assert_eq!((next.entries, problems(&dir), InterruptedPrune::find(&dir)), (6, String::new(), Ok(None)));
}

/// It removed nothing, so what it left is of no use.
#[cfg(target_os = "linux")]
#[test]
fn a_prune_that_was_killed_while_it_wrote_leaves_nothing_behind() {
    let root = tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("file"));
    let running = store(&dir);
    let order = PruneOrder { before: Ms::new(9_500), last_entry: 9, last_position: 6 };
    PruneMarker::new(&file, order).write(&vipnode_files::OpenDir::open(&dir).unwrap()).unwrap();
    let part = root.path().join(format!("file.{}.part", u32::MAX));
    fs::write(&part, "half").unwrap();
    assert_eq!(InterruptedPrune::find(&dir), Ok(None));
    assert!(!part.exists() && !dir.join("pool.db.pruning").exists());
    drop(running);
    assert_eq!(PrunedDatabase::prune(&dir, Ms::new(9_500), &file).unwrap().entries, 9);
}

/// A kill leaves the journal after one of the steps; the file is there before the first row is removed.
#[test]
fn a_kill_in_the_middle_leaves_what_adds_up() {
    let root = tempdir().unwrap();
    let (dir, before, file) = (root.path().join("pool"), root.path().join("before"), root.path().join("file"));
    let mut store = store(&dir);
    copy(&dir, &before);
    let plan = PrunePlan::write_from(&store.connection, &dir, Ms::new(9_500), &file).unwrap();
    let pruned = PrunedDatabase::carry_out(&mut store, plan, 3).unwrap();
    assert_eq!((pruned.entries, pruned.periods, pruned.last_entry), (9, 5, 9));
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
    let cuts = (durable..whole.len()).step_by(4_099);
    let all: BTreeSet<usize> = cuts.enumerate().map(|(number, length)| left(number + 1, length)).collect();
    assert_eq!(all, BTreeSet::from([12, 9, 6, 3]), "three entries a step");
    assert_eq!(left(0, whole.len()), 3);
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().count(), 14);
}

/// A pool that runs writes between the steps, and a plan of another process is carried out by it. A step may end after any entry.
#[test]
fn a_running_pool_removes_step_by_step_what_a_plan_has_written() {
    let removed = |most: usize| {
        let root = tempdir().unwrap();
        let (dir, file) = (root.path().join("pool"), root.path().join("file"));
        let mut running = store(&dir);
        let PrunePlan { order, file: written } = PrunePlan::write(&dir, Ms::new(20_000), &file).unwrap();
        assert_eq!((order.last_entry, written), (11, Some(file.clone())));
        let closing = [PAYER, PAYEE].map(|account| statement(&dir, account).1);
        let (mut position, mut steps) = (0, Vec::new());
        loop {
            let step = crate::Store::prune(&mut running, order, position, most).unwrap();
            assert_eq!(problems(&dir), "", "{step:?}");
            assert_eq!([PAYER, PAYEE].map(|account| statement(&dir, account).1), closing);
            running.apply(&[Row::Clock(Ms::new(20_000))]).unwrap();
            steps.push((step.entries, step.periods));
            position = step.position;
            if step.is_done {
                break;
            }
        }
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 17);
        let nothing = PrunePlan::write(&dir, Ms::new(20_000), &root.path().join("more")).unwrap();
        assert_eq!((nothing.order.last_entry, nothing.file), (11, None));
        let entries = steps.iter().position(|(entries, _)| *entries == 0).unwrap();
        assert_eq!(steps.split_off(entries).iter().map(|(_, periods)| periods).sum::<u64>(), 1, "nobody pays for it");
        steps
    };
    assert_eq!(removed(2), [(2, 1), (2, 2), (2, 0), (2, 1), (2, 0), (1, 1)]);
    assert_eq!(removed(1).len(), 11);
}
