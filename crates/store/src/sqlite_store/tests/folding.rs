//! Billing periods of one lease and day that become one.

use std::{collections::BTreeMap, fs};

use proptest::prelude::*;
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, HostPayout, LedgerAccount, LedgerEntry, OperatorOrder, PayoutRow,
    PayoutState, SettlementPeriodRow, Transaction, UnpaidRow,
};
use vipnode_types::{
    Account, Amount, LeaseId, MeterId, Ms, PoolKey, Price, SignedAmount, UtcDay,
    meter::{Seen, billed_ms},
    wire::{DailyStatementRequest, Statement, StatementBalances, StatementRange},
};

use super::{crashes::copy, *};
use crate::{
    DailyRead, FoldStep, RestoreChoice, StoreReader as _, account_statement, conformance::metered, daily_statement,
};

const FEE_BPS: u16 = 250;
const HOUR: u64 = 60 * 60 * 1_000;
/// Payers and payees, two of each.
const ACCOUNTS: [u8; 4] = [1, 2, 8, 9];

fn account(number: u8) -> Account {
    Account::new([number; 20])
}

/// What a pool writes when periods end, as rows of a store.
#[derive(Default)]
struct Book {
    number: u64,
    at: u64,
    sheet: BalanceSheet,
    rows: Vec<Row>,
    /// The next row of each lease, what its cost leaves of the smallest unit, and when it ended last.
    leases: BTreeMap<u64, (u32, u32, u64)>,
    unpaid: Vec<UnpaidRow>,
    settled: u64,
    payouts: u64,
}

impl Book {
    fn post(&mut self, transaction: Transaction) {
        self.number += 1;
        self.sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        let entry = LedgerEntry { number: self.number, at: Ms::new(self.at), transaction };
        self.rows.push(Row::Entry(Box::new(entry)));
    }

    fn credit(&mut self, payer: u8) {
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        self.post(Transaction::Credit { payer: account(payer), amount: Amount::new(1 << 60), order });
    }

    fn debit(&mut self, payer: Account, amount: Amount) {
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        self.post(Transaction::Debit { payer, amount, order });
    }

    /// A period of a lease of the payer `1 + lease % 2`, whose host is `10 + lease` and has the payout account `8 + lease / 2 % 2`. A
    /// third of one that is not secured can be paid.
    fn bill(&mut self, lease: u64, ms: u64, is_secured: bool) {
        let short = |number: u64| u8::try_from(number).unwrap();
        let (payer, payee) = (account(short(1 + lease % 2)), account(short(8 + lease / 2 % 2)));
        let (row, carry, last) = self.leases.get(&lease).copied().unwrap_or_default();
        let up = last.max(self.at.saturating_sub(ms));
        let mut period = metered(lease, row, 0);
        (period.lease.payer, period.lease.payee, period.lease.fee_bps) = (Some(payer), Some(payee), FEE_BPS);
        (period.lease.host, period.lease.price, period.lease.carry) =
            (node_id(short(10 + lease)), Price::per_minute(7_001), carry);
        period.client = Some(Seen { up: Ms::new(up), end: Ms::new(self.at) });
        period.host = Some(Seen { up: Ms::new(up), end: Ms::new(self.at + 3) });
        period.billed_ms = billed_ms(period.client, period.host);
        let (cost, rest) = period.lease.price.cost_from(period.billed_ms, carry).unwrap();
        (period.cost, period.ended) = (cost, Ms::new(self.at));
        self.leases.insert(lease, (row + 1, rest, self.at));
        self.rows.push(Row::Metered(Box::new(period)));
        let left = |book: &Self| {
            let figures = book.sheet.figures(LedgerAccount::Payer(payer));
            figures.secured().checked_sub(figures.metered).unwrap_or_default()
        };
        if !is_secured && let Some(rest) = left(self).checked_sub(Amount::new(cost.get() / 3)) {
            self.debit(payer, rest);
        }
        let is_first = self.unpaid.iter().all(|row| row.payer != payer);
        let collected = if is_first { left(self).min(cost) } else { Amount::ZERO };
        let from = self.sheet.figures(LedgerAccount::Payer(payer)).metered;
        let unpaid = UnpaidRow { entry: self.number + 1, payer, payee, fee_bps: FEE_BPS, cost, collected };
        let (lease, fee) = (LeaseId::new(lease), unpaid.fee());
        self.post(Transaction::Lease { payer, payee, lease, row, from, cost, collected, fee });
        if collected < cost {
            self.unpaid.push(unpaid);
        }
    }

    /// Secures the oldest unpaid cost.
    fn secure(&mut self) {
        let Some(row) = (!self.unpaid.is_empty()).then(|| self.unpaid.remove(0)) else { return };
        let UnpaidRow { entry, payer, payee, cost, collected, .. } = row;
        self.credit(payer.as_bytes()[0]);
        let amount = cost.checked_sub(collected).unwrap();
        let fee = UnpaidRow { collected: cost, ..row }.fee().checked_sub(row.fee()).unwrap();
        self.post(Transaction::Collected { payer, payee, entry, amount, fee });
    }

    /// The entry 2 billed time that did not pass.
    fn overbill(&mut self) {
        let (payer, payee, amount) = (account(1), account(8), Amount::new(1));
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        self.post(Transaction::Overbilled { payer, payee, entry: 2, amount, order });
    }

    /// Closes a settlement period: what is payable now is due.
    fn settle(&mut self) {
        self.settled += 1;
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        self.post(Transaction::Period { period: self.settled, order });
        for payee in [8, 9].map(account) {
            let amount = self.sheet.figures(LedgerAccount::Payee(payee)).payable();
            self.payouts += 1;
            let row = PayoutRow { number: self.payouts, period: self.settled, payee, amount, state: PayoutState::Due };
            self.rows.push(Row::Payout(row));
        }
        self.rows.push(Row::Period(SettlementPeriodRow { number: self.settled, closed: Ms::new(self.at) }));
    }

    fn store(mut self, dir: &Path, clock: u64) -> SqliteStore {
        let mut store = open(dir);
        self.credit(1);
        let mut rows = vec![Row::NextLease(100), Row::Clock(Ms::new(clock))];
        rows.append(&mut self.rows);
        rows.extend(self.sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
        rows.extend(self.unpaid.into_iter().map(Row::Unpaid));
        store.apply(&rows).unwrap();
        store
    }
}

fn problems(dir: &Path) -> String {
    reader(dir).unwrap().check().unwrap().problems.join("\n")
}

fn statement(dir: &Path, account: Account, range: StatementRange) -> Result<Statement, StoreError> {
    let reader = reader(dir).unwrap();
    let mut snapshot = reader.read(0).unwrap();
    account_statement(&mut *snapshot, account, range, 1_000)
}

/// The sums of a statement: what it changes, its fees, what it secures, and the billed time and the cost of each lease.
type Sums = (SignedAmount, u128, u128, BTreeMap<LeaseId, (u64, u128)>);
type Totals = Vec<(Option<StatementBalances>, Option<StatementBalances>, Sums)>;

/// What every statement of whole days adds up to, and what was billed.
fn totals(dir: &Path, days: u64) -> (Totals, u128, Amount) {
    let whole = StatementRange::default();
    let ranges: Vec<StatementRange> = (0..days)
        .map(|day| UtcDay::of(Ms::new(day * UtcDay::MS)))
        .map(|day| StatementRange { from_ms: Some(day.start()), to_ms: Some(day.end()), ..whole })
        .chain([whole])
        .collect();
    let mut all = Totals::new();
    for (number, range) in ACCOUNTS.iter().flat_map(|number| ranges.iter().map(move |range| (*number, *range))) {
        let statement = statement(dir, account(number), range).unwrap();
        let mut sums = Sums::default();
        for line in &statement.lines {
            sums.0 = sums.0.checked_add(line.change).unwrap();
            sums.1 += line.fee.get();
            sums.2 += line.secured.get();
            if let Some(period) = &line.lease {
                let lease = sums.3.entry(period.lease).or_default();
                *lease = (lease.0 + period.billed_ms, lease.1 + period.cost.get());
            }
        }
        all.push((statement.opening, statement.closing, sums));
    }
    let check = reader(dir).unwrap().check().unwrap();
    (all, check.billed_ms, check.cost)
}

/// Folds everything, with a check after each step. Returns the number of folded periods.
fn fold(store: &mut SqliteStore, dir: &Path, before: u64, most: usize) -> u64 {
    let (mut after, mut sum) = (0, 0);
    loop {
        let FoldStep { folded, position, is_done } = crate::Store::fold(store, Ms::new(before), after, most).unwrap();
        assert_eq!(problems(dir), "", "after entry {position}");
        (after, sum) = (position, sum + folded);
        if is_done {
            return sum;
        }
    }
}

#[derive(Debug, Clone)]
enum Event {
    Bill { lease: u64, minutes: u64, is_secured: bool },
    Again { ms: u64 },
    Credit,
    Secure,
    Settle,
}

fn event() -> impl Strategy<Value = Event> {
    let bill = (0u64..4, 1u64..300, prop::bool::weighted(0.9));
    prop_oneof![
        6 => bill.prop_map(|(lease, minutes, is_secured)| Event::Bill { lease, minutes, is_secured }),
        12 => (1u64..9_000_000).prop_map(|ms| Event::Again { ms }),
        1 => Just(Event::Credit),
        1 => Just(Event::Secure),
        1 => Just(Event::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn no_total_changes(events in prop::collection::vec((event(), 1_000u64..6_000_000), 20..60), most in 1usize..9) {
        let root = tempdir().unwrap();
        let (dir, mut book, mut last) = (root.path().join("pool"), Book::default(), 0);
        (1..=2).for_each(|payer| book.credit(payer));
        for (event, pause) in events {
            book.at += pause;
            match event {
                Event::Bill { lease, minutes, is_secured } => {
                    last = lease;
                    book.bill(lease, minutes * 60_000, is_secured);
                }
                Event::Again { ms } => book.bill(last, ms, true),
                Event::Credit => book.credit(2),
                Event::Secure => book.secure(),
                Event::Settle => book.settle(),
            }
        }
        let days = book.at / UtcDay::MS + 1;
        let mut store = book.store(&dir, days * UtcDay::MS);
        let (before, state) = (totals(&dir, days), rows(&mut store));
        prop_assert_eq!(problems(&dir), "");
        let periods = reader(&dir).unwrap().check().unwrap().periods;
        let folded = fold(&mut store, &dir, u64::MAX, most);
        prop_assert_eq!(&totals(&dir, days), &before);
        prop_assert_eq!(rows(&mut store), state, "the pool starts from the same state");
        prop_assert_eq!(reader(&dir).unwrap().check().unwrap().periods, periods - folded);
        prop_assert_eq!(fold(&mut store, &dir, u64::MAX, 100), 0, "once is enough");
        drop(store);
        // What was folded can be pruned, in steps that end anywhere.
        PrunedDatabase::prune(&dir, Ms::new(UtcDay::MS), &root.path().join("file")).unwrap();
        let mut store = open(&dir);
        let order = PruneOrder { before: Ms::NEVER, last_entry: u64::MAX, last_position: 0 };
        while !crate::Store::prune(&mut store, order, 0, most).unwrap().is_done {
            prop_assert_eq!(problems(&dir), "");
        }
    }
}

/// Two days: the lease 0 has three periods on the first one and one on the second, and the lease 2 of the same payer follows.
fn two_days() -> Book {
    let mut book = Book { at: HOUR, ..Book::default() };
    book.credit(1);
    for at in [3 * HOUR, 4 * HOUR, 6 * HOUR, UtcDay::MS + HOUR] {
        book.at = at;
        book.bill(0, HOUR / 2, true);
    }
    book.bill(2, HOUR, true);
    book
}

#[test]
fn the_periods_of_a_lease_and_day_become_one_line() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = two_days().store(&dir, UtcDay::MS);
    let lines = |dir: &Path| statement(dir, account(1), StatementRange::default()).unwrap().lines;
    let before = lines(&dir);
    assert_eq!(fold(&mut store, &dir, u64::MAX, 100), 2, "only the first day is over");
    let after = lines(&dir);
    assert_eq!(after.iter().map(|line| line.entry).collect::<Vec<_>>(), [1, 4, 5, 6, 7]);
    let (day, rest) = (&after[1], &after[2..]);
    assert_eq!(rest, &before[4..]);
    let [first, .., last] = [1, 2, 3].map(|line| before[line].lease.clone().unwrap());
    let folded = day.lease.clone().unwrap();
    assert_eq!(
        (folded.lease, folded.row, folded.node, folded.counterpart),
        (last.lease, last.row, last.node, last.counterpart)
    );
    assert_eq!((folded.first_ms, folded.last_ms), (first.first_ms, last.last_ms));
    assert_eq!((folded.billed_ms, folded.merged, folded.price), (3 * HOUR / 2, 2, last.price));
    assert_eq!(folded.interval, [first.interval[0], last.interval[1]]);
    assert_eq!(folded.interval[1].checked_sub(folded.interval[0]), Some(folded.cost));
    // The second day is over.
    store.apply(&[Row::Clock(Ms::new(3 * UtcDay::MS))]).unwrap();
    assert_eq!(fold(&mut store, &dir, UtcDay::MS * 3 / 2, 100), 0, "it ended later than that");
    assert_eq!(fold(&mut store, &dir, u64::MAX, 100), 0, "its periods are of two leases");
}

#[test]
fn what_would_change_a_total_is_not_folded() {
    let folded = |change: &dyn Fn(&mut Book)| {
        let root = tempdir().unwrap();
        let (dir, mut book) = (root.path().join("pool"), Book { at: HOUR, ..Book::default() });
        book.credit(1);
        book.bill(0, HOUR / 2, true);
        book.at = 2 * HOUR;
        change(&mut book);
        book.at = 3 * HOUR;
        book.bill(0, HOUR / 2, true);
        let mut store = book.store(&dir, UtcDay::MS);
        assert_eq!(problems(&dir), "");
        fold(&mut store, &dir, u64::MAX, 100)
    };
    assert_eq!(folded(&|_| {}), 1);
    assert_eq!(folded(&|book| book.credit(1)), 1);
    assert_eq!(folded(&|book| book.bill(1, HOUR, true)), 1, "another payer");
    assert_eq!(folded(&|book| book.bill(2, HOUR, true)), 0, "between both on the meter of the payer");
    assert_eq!(folded(&Book::settle), 0, "what was payable is no longer known");
    assert_eq!(folded(&|book| book.bill(0, HOUR / 4, false)), 0, "a cost that is secured later");
    assert_eq!(folded(&Book::overbill), 0, "what a later entry is about");
    let another_carry = |book: &mut Book| {
        let (row, carry, _) = book.leases.get_mut(&0).unwrap();
        // The period in between was removed.
        (*row, *carry) = (*row + 1, *carry + 1);
    };
    assert_eq!(folded(&another_carry), 0, "another carry");
}

/// The pool signed its statement of the day before; another one would contradict it.
#[test]
fn a_day_with_folded_periods_is_not_stated_again() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = two_days().store(&dir, 2 * UtcDay::MS);
    let hosts = [(10, 8), (12, 9)].map(|(host, payee)| {
        let mut row = node(host);
        row.payout = Some(HostPayout { account: account(payee), counter: Ms::ZERO, changed: Ms::ZERO, next: None });
        Row::Node(Box::new(row))
    });
    store.apply(&hosts).unwrap();
    let read = |host: u8, day: u64| {
        let request = DailyStatementRequest { day: UtcDay::of(Ms::new(day * UtcDay::MS)), page: 1 };
        let pool = PoolKey::from_random([1; 32]).unwrap().id();
        let reader = reader(&dir).unwrap();
        let mut snapshot = reader.read(0).unwrap();
        daily_statement(&mut *snapshot, (pool, &node_id(host)), request, 10, &mut |_| MeterId::default()).unwrap()
    };
    let stated = [read(10, 1), read(12, 0), read(12, 1)];
    assert!(matches!(read(10, 0), DailyRead::Page(_)));
    assert_eq!(fold(&mut store, &dir, u64::MAX, 100), 2);
    assert_eq!(read(10, 0), DailyRead::Pruned);
    assert_eq!([read(10, 1), read(12, 0), read(12, 1)], stated);
}

/// Otherwise the operator would enter credits again that the backup has.
#[test]
fn a_restore_of_a_backup_from_before_a_fold_does_not_take_folded_periods_for_lost_ones() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let mut store = two_days().store(&dir, 2 * UtcDay::MS);
    reader(&dir).unwrap().back_up(&backup).unwrap();
    assert_eq!(fold(&mut store, &dir, u64::MAX, 100), 2);
    drop(store);
    let force = RestoreChoice { force: true, ..RestoreChoice::default() };
    let lost = RestoredDatabase::restore(&dir, &backup, &force).unwrap().former.unwrap().entries.unwrap();
    assert_eq!((lost.count, lost.pruned), (0, 0), "{lost:?}");
}

/// The first page of a statement has a period that is now part of one on the second page.
#[test]
fn a_statement_is_read_again_if_periods_were_folded_between_its_pages() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = two_days().store(&dir, UtcDay::MS);
    let read = |range: StatementRange, most: usize| {
        let reader = reader(&dir).unwrap();
        let mut snapshot = reader.read(0).unwrap();
        account_statement(&mut *snapshot, account(1), range, most)
    };
    let after = |most: usize| StatementRange {
        after: read(StatementRange::default(), most).unwrap().next,
        ..StatementRange::default()
    };
    let (within, behind) = (after(2), after(4));
    let rest = read(behind, 10).unwrap();
    fold(&mut store, &dir, u64::MAX, 100);
    assert_eq!(read(within, 10), Err(StoreError::CursorPruned));
    assert_eq!(read(behind, 10).unwrap().lines, rest.lines, "nothing was folded after its first page");
    assert!(read(after(1), 10).is_ok(), "read again");
}

#[test]
fn a_check_finds_a_folded_period_that_does_not_add_up() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = two_days().store(&dir, UtcDay::MS);
    fold(&mut store, &dir, u64::MAX, 100);
    let with = |sql: &str, undo: &str| {
        assert_eq!(store.connection.execute(sql, []).unwrap(), 1, "{sql}");
        let found = problems(&dir);
        store.connection.execute(undo, []).unwrap();
        assert_eq!(problems(&dir), "");
        found
    };
    let folded = |set: &str| format!("UPDATE journal SET {set} WHERE lease = 0 AND row = 2");
    let longer = with(&folded("billed_ms = billed_ms + 60000"), &folded("billed_ms = billed_ms - 60000"));
    assert!(longer.contains("period 2 of lease 0 bills 5460000 ms"), "{longer}");
    let fewer = with(&folded("folded = 1"), &folded("folded = 2"));
    assert!(fewer.contains("entry 4 of the ledger does not contain the entries that were folded into it"), "{fewer}");
    let other = |number: u64| {
        let numbers: Vec<u8> = [2, number].into_iter().flat_map(u64::to_be_bytes).collect();
        format!("UPDATE entries SET folded = x'{}' WHERE number = 4", const_hex::encode(numbers))
    };
    let other = with(&other(5), &other(3));
    assert!(other.contains("does not contain the entries"), "{other}");
    assert!(other.contains("entry 3 of the ledger is missing"), "{other}");
}

/// A kill leaves the journal after one of the steps.
#[test]
fn a_kill_in_the_middle_leaves_what_adds_up() {
    let root = tempdir().unwrap();
    let (dir, before) = (root.path().join("pool"), root.path().join("before"));
    let mut store = two_days().store(&dir, UtcDay::MS);
    copy(&dir, &before);
    assert_eq!(fold(&mut store, &dir, u64::MAX, 1), 2);
    let whole = fs::read(dir.join("pool.db-wal")).unwrap();
    let durable = fs::read(before.join("pool.db-wal")).unwrap().len();
    let mut periods = Vec::new();
    for (number, length) in (durable..whole.len()).step_by(4_099).chain([whole.len()]).enumerate() {
        let torn = root.path().join(format!("torn-{number}"));
        fs::create_dir(&torn).unwrap();
        for name in ["acknowledged", "pool.db"] {
            fs::copy(before.join(name), torn.join(name)).unwrap();
        }
        fs::write(torn.join("pool.db-wal"), &whole[..length]).unwrap();
        let check = reader(&torn).unwrap().check().unwrap();
        assert_eq!(check.problems, Vec::<String>::new(), "cut at {length}");
        periods.push(check.periods);
    }
    periods.dedup();
    assert_eq!(periods, [5, 4, 3], "one period a step");
}
