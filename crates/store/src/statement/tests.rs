use proptest::{collection::vec, prelude::*};
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, HostPayout, LedgerAccount, LedgerEntry, LinkRow, OperatorOrder, Row,
    Transaction,
};
use vipnode_types::{
    Account, Amount, LeaseId, Ms, NodeId, PoolKey, SignedAmount, UtcDay,
    wire::{
        DailyStatementRequest, Statement, StatementBalances, StatementCursor, StatementKind, StatementRange,
        StatementSide,
    },
};

use super::*;
use crate::{
    MemoryStore, ReadLimits, Store as _, StoreError, StoreReader,
    conformance::{metered, node, node_id},
};

fn account(byte: u8) -> Account {
    Account::new([byte; 20])
}

fn any_transaction() -> impl Strategy<Value = Transaction> {
    let order = || OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
    (0..10u8, 0..2u8, 0..2u8, 0..1_000_000u128, 0..1_000u64).prop_map(move |(kind, payer, payee, amount, number)| {
        let (payer, payee, order) = (account(payer), account(payee), order());
        let (fee, collected, amount) = (Amount::new(amount / 20), Amount::new(amount / 2), Amount::new(amount));
        match kind {
            0 => Transaction::Credit { payer, amount, order },
            1 => Transaction::Debit { payer, amount, order },
            2 => Transaction::Limit { payer, limit: amount, order },
            3 => Transaction::Collected { payer, payee, entry: number, amount, fee },
            4 => Transaction::Period { period: number, order },
            5 => Transaction::Paid { payout: number, payee, amount, order },
            6 => Transaction::Bounced { payout: number, payee, amount, order },
            7 => Transaction::WriteOff { payer, payee, entry: number, amount, order },
            8 => Transaction::Correction { payee, amount, takes: number % 2 == 0, order },
            _ => {
                let (lease, from) = (LeaseId::new(number), Amount::ZERO);
                Transaction::Lease { payer, payee, lease, row: 0, from, cost: amount, collected, fee }
            }
        }
    })
}

/// A store with these transactions, one every second, and the sums that follow from them.
fn ledger(transactions: &[Transaction]) -> MemoryStore {
    let (mut store, mut sheet) = (MemoryStore::new(), BalanceSheet::default());
    let mut rows = Vec::new();
    for (transaction, number) in transactions.iter().zip(1..) {
        sheet.apply(transaction, |_| AccountFigures::default()).unwrap();
        let entry = LedgerEntry { number, at: Ms::new(number * 1_000), transaction: transaction.clone() };
        rows.push(Row::Entry(Box::new(entry)));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    store.apply(&rows).unwrap();
    store
}

fn pages(reader: &dyn StoreReader, range: StatementRange, most: usize) -> Vec<Statement> {
    let (mut pages, mut range) = (Vec::new(), range);
    loop {
        let mut snapshot = reader.read(0).unwrap();
        let page = account_statement(&mut *snapshot, account(0), range, most).unwrap();
        range.after = page.next;
        pages.push(page);
        if range.after.is_none() {
            return pages;
        }
    }
}

fn added(before: SignedAmount, pages: &[Statement], side: StatementSide) -> SignedAmount {
    let lines = pages.iter().flat_map(|page| &page.lines).filter(|line| line.side == side);
    lines.fold(before, |sum, line| sum.checked_add(line.change).unwrap())
}

proptest! {
    /// Whatever the range and the size of the pages, the lines lead from one balance to the other, and the last one is what the
    /// account has.
    #[test]
    fn the_lines_of_a_statement_add_up(
        transactions in vec(any_transaction(), 0..40), from in 0u64..45_000, to in 0u64..45_000, most in 1usize..7,
    ) {
        let store = ledger(&transactions);
        let reader = store.reader(ReadLimits::default()).unwrap();
        let whole = pages(&*reader, StatementRange::default(), most);
        let now = |account| {
            let figures = reader.read(0).unwrap().figures(account).unwrap();
            SignedAmount::difference(figures.received, figures.sent)
        };
        let (payer, host) = (now(LedgerAccount::Payer(account(0))), now(LedgerAccount::Payee(account(0))));
        let balances = StatementBalances { payer, host };
        prop_assert_eq!(whole.last().unwrap().closing, Some(balances));
        let range = StatementRange { from_ms: Some(Ms::new(from)), to_ms: Some(Ms::new(to)), ..StatementRange::default() };
        for (range, pages) in [(StatementRange::default(), whole.clone()), (range, pages(&*reader, range, most))] {
            let (opening, closing) = (pages[0].opening.unwrap(), pages.last().unwrap().closing.unwrap());
            prop_assert_eq!(added(opening.payer, &pages, StatementSide::Payer), closing.payer);
            prop_assert_eq!(added(opening.host, &pages, StatementSide::Host), closing.host);
            for two in pages.windows(2) {
                prop_assert_eq!(two[0].closing, two[1].opening);
            }
            let meant = |at: Ms| range.from_ms.is_none_or(|from| at >= from) && range.to_ms.is_none_or(|to| at < to);
            let expected: Vec<_> = whole.iter().flat_map(|page| &page.lines).filter(|line| meant(line.at_ms)).collect();
            prop_assert_eq!(pages.iter().flat_map(|page| &page.lines).collect::<Vec<_>>(), expected);
        }
    }
}

/// A line of each kind; the period of a lease is shown with both nodes and its interval.
#[test]
fn a_line_shows_what_was_posted() {
    let order = OperatorOrder { by: Some(0), reason: "bank transfer 7".to_owned(), key: None };
    let amount = |units: u128| Amount::new(units);
    let lease = LeaseId::new(1);
    let (payer, payee) = (account(0), account(1));
    let (from, cost) = (amount(5), amount(60_000));
    let mut store = ledger(&[
        Transaction::Credit { payer, amount: amount(10_000), order: order.clone() },
        Transaction::Lease { payer, payee, lease, row: 0, from, cost, collected: amount(10_000), fee: amount(1_000) },
        Transaction::Collected { payer, payee, entry: 2, amount: amount(50_000), fee: amount(5_000) },
        Transaction::Paid { payout: 3, payee, amount: amount(54_000), order },
    ]);
    let mut period = metered(1, 0, 60_000);
    (period.lease.client, period.lease.host) = (node_id(1), node_id(2));
    store.apply(&[Row::Metered(Box::new(period.clone()))]).unwrap();
    let reader = store.reader(ReadLimits::default()).unwrap();
    let mut snapshot = reader.read(0).unwrap();
    let page = account_statement(&mut *snapshot, payer, StatementRange::default(), 10).unwrap();
    let shown = |page: &Statement| -> Vec<_> {
        page.lines.iter().map(|line| (line.kind, line.change.to_string(), line.fee.get(), line.secured.get())).collect()
    };
    let credit = (StatementKind::Credit, "10000".to_owned(), 0, 0);
    let leased = (StatementKind::Lease, "-60000".to_owned(), 0, 10_000);
    assert_eq!(shown(&page), [credit, leased, (StatementKind::Secured, "0".to_owned(), 0, 50_000)]);
    assert_eq!(page.lines[0].reason.as_deref(), Some("bank transfer 7"));
    let line = page.lines[1].lease.clone().unwrap();
    assert_eq!((line.node, line.counterpart), (node_id(1).short(), node_id(2).short()));
    assert_eq!((line.billed_ms, line.cost, line.interval), (period.billed_ms, period.cost, [from, amount(60_005)]));
    let page = account_statement(&mut *snapshot, payee, StatementRange::default(), 10).unwrap();
    let leased = (StatementKind::Lease, "59000".to_owned(), 1_000, 10_000);
    let paid = (StatementKind::Paid, "-54000".to_owned(), 0, 0);
    assert_eq!(shown(&page), [leased, (StatementKind::Secured, "-5000".to_owned(), 5_000, 50_000), paid]);
    assert_eq!(page.lines[0].lease.as_ref().map(|lease| lease.node.clone()), Some(node_id(2).short()));
    assert_eq!(page.closing.map(|balances| balances.host.to_string()).as_deref(), Some("0"));
}

/// A node reads its own billing periods only, also where its account pays for other nodes.
#[test]
fn a_node_reads_its_own_periods() {
    let (payer, payee) = (account(0), account(1));
    let lease = |lease: u64| {
        let (zero, cost) = (Amount::ZERO, Amount::new(60_000));
        Transaction::Lease {
            payer,
            payee,
            lease: LeaseId::new(lease),
            row: 0,
            from: zero,
            cost,
            collected: zero,
            fee: zero,
        }
    };
    let mut store = ledger(&[lease(1), lease(2), lease(3)]);
    let of = |lease, client, host| {
        let mut period = metered(lease, 0, 60_000);
        (period.lease.client, period.lease.host) = (node_id(client), node_id(host));
        Row::Metered(Box::new(period))
    };
    let (mut host, mut stranger) = (node(9), node(7));
    let payout = HostPayout { account: payee, counter: Ms::ZERO, changed: Ms::ZERO, next: None };
    (host.payout, stranger.payout) = (Some(payout), Some(payout));
    let rows = [of(1, 1, 9), of(2, 2, 9), of(3, 1, 8), Row::Node(Box::new(host)), Row::Node(Box::new(stranger))];
    store.apply(&rows).unwrap();
    store.apply(&[Row::Link(LinkRow { node: node_id(1), account: payer })]).unwrap();
    let reader = store.reader(ReadLimits::default()).unwrap();
    let read = |node: NodeId, most| {
        let mut range = StatementRange::default();
        let (mut lines, mut pages) = (Vec::new(), 0);
        loop {
            let page = node_statement(&mut *reader.read(0).unwrap(), &node, range, most).unwrap();
            assert_eq!((page.opening, page.closing), (None, None), "a node has no balance of its own");
            lines.extend(page.lines.iter().map(|line| (line.entry, line.side)));
            (range.after, pages) = (page.next, pages + 1);
            if range.after.is_none() {
                return (lines, pages);
            }
        }
    };
    let (payer, host) = (StatementSide::Payer, StatementSide::Host);
    assert_eq!(read(node_id(1), 10), (vec![(1, payer), (3, payer)], 1));
    assert_eq!(read(node_id(1), 1), (vec![(1, payer), (3, payer)], 3), "pages can be empty");
    assert_eq!(read(node_id(9), 10), (vec![(1, host), (2, host)], 1));
    assert_eq!(read(node_id(2), 10).0, [], "it has no account now");
    for (stranger, account) in [(node_id(2), "no account"), (node_id(7), "the account of another")] {
        assert_eq!(read(stranger, 1), (vec![], 3), "with {account}, its pages end where all do");
    }
}

/// The balances after the page before come from the caller: without them, each page would sum up the history of the account.
#[test]
fn a_later_page_of_an_account_begins_with_the_balances_of_the_page_before() {
    let order = OperatorOrder { by: None, reason: String::new(), key: None };
    let store = ledger(&[Transaction::Credit { payer: account(0), amount: Amount::new(7), order }]);
    let reader = store.reader(ReadLimits::default()).unwrap();
    let read = |balances| {
        let after = Some(StatementCursor { entry: 1, balances, folds: 0 });
        let range = StatementRange { after, ..StatementRange::default() };
        account_statement(&mut *reader.read(0).unwrap(), account(0), range, 10)
    };
    assert_eq!(read(None).unwrap_err(), StoreError::CursorBalances);
    let balances = Some(StatementBalances::default());
    assert_eq!(read(balances).unwrap().opening, balances);
}

const DAY: UtcDay = UtcDay::EPOCH;

/// A store with billing periods of hosts 8 and 9 at these times, for the payout accounts 1 and 2, as of pool time `clock`.
fn billed(periods: &[(u8, Ms, u8)], clock: Ms) -> MemoryStore {
    let (mut store, zero) = (MemoryStore::new(), Amount::ZERO);
    let mut rows = vec![Row::Clock(clock)];
    for ((host, at, payee), number) in periods.iter().zip(1..) {
        let (from, cost) = (Amount::new(u128::from(number) * 60_000), Amount::new(60_000));
        let (lease, payer, payee) = (LeaseId::new(number), account(0), account(*payee));
        let (collected, fee) = (Amount::new(10_000), Amount::new(100));
        let transaction = Transaction::Lease { payer, payee, lease, row: 0, from, cost, collected, fee };
        let mut period = metered(number, 0, 60_000);
        (period.lease.client, period.lease.host) = (node_id(1), node_id(*host));
        rows.push(Row::Metered(Box::new(period)));
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at: *at, transaction })));
    }
    let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
    let (number, last) = (1 + u64::try_from(periods.len()).unwrap(), periods.last().map_or(Ms::ZERO, |last| last.1));
    let transaction = Transaction::Credit { payer: account(1), amount: zero, order };
    rows.push(Row::Entry(Box::new(LedgerEntry { number, at: last, transaction })));
    store.apply(&rows).unwrap();
    store
}

fn set_payout(store: &mut MemoryStore, host: u8, payee: u8, changed: Ms) {
    let mut row = node(host);
    row.payout = Some(HostPayout { account: account(payee), counter: Ms::ZERO, changed, next: None });
    store.apply(&[Row::Node(Box::new(row))]).unwrap();
}

fn daily(store: &MemoryStore, host: u8, day: UtcDay, page: u32, most: usize) -> DailyRead {
    let key = PoolKey::from_random([1; 32]).unwrap();
    let reader = store.reader(ReadLimits::default()).unwrap();
    let request = DailyStatementRequest { day, page };
    let of = (key.id(), &node_id(host));
    daily_statement(&mut *reader.read(0).unwrap(), of, request, most, &mut |payer| key.meter_of(payer)).unwrap()
}

/// The entries of a page, and how many pages there are.
fn entries_of(read: DailyRead) -> (Vec<u64>, u32) {
    let DailyRead::Page(page) = read else { panic!("{read:?}") };
    assert_eq!(page.problem(), None);
    (page.lines.iter().map(|line| line.entry).collect(), page.pages)
}

#[test]
fn a_day_of_a_host_has_the_same_lines_however_it_is_cut_into_pages() {
    let at = |ms: u64| DAY.end().plus(ms);
    let (second, last) = (UtcDay::of(DAY.end()), UtcDay::MS - 1);
    let periods = [
        (9, DAY.start().plus(5), 1),
        (9, at(0), 1),
        (8, at(1), 1),
        (9, at(2), 1),
        (9, at(last), 1),
        (9, at(last + 1), 1),
    ];
    let mut store = billed(&periods, second.end());
    set_payout(&mut store, 9, 1, Ms::ZERO);
    set_payout(&mut store, 8, 1, Ms::ZERO);
    assert_eq!(entries_of(daily(&store, 9, DAY, 1, 10)), (vec![1], 1));
    assert_eq!(entries_of(daily(&store, 9, second, 1, 10)), (vec![2, 4, 5], 1));
    assert_eq!(entries_of(daily(&store, 9, second, 1, 2)), (vec![2, 4], 2));
    assert_eq!(entries_of(daily(&store, 9, second, 2, 2)), (vec![5], 2));
    assert_eq!(daily(&store, 9, second, 3, 2), DailyRead::NoPage { pages: 2 });
    assert_eq!(daily(&store, 9, second, 0, 2), DailyRead::NoPage { pages: 2 });
    assert_eq!(entries_of(daily(&store, 8, second, 1, 10)), (vec![3], 1), "the same payout account");
    assert_eq!(entries_of(daily(&store, 7, second, 1, 10)), (vec![], 1), "a host that earned nothing");
    assert_eq!(daily(&store, 9, UtcDay::of(second.end()), 1, 10), DailyRead::NotOver);

    let DailyRead::Page(page) = daily(&store, 9, second, 2, 2) else { panic!("a page") };
    let all = [3 * 60_000, 3 * 10_000, 3 * 100].map(Amount::new);
    let sums = page.day_sums;
    assert_eq!((sums.lines, [sums.cost, sums.secured, sums.fee]), (3, all), "of all pages");
    let line = &page.lines[0];
    assert_eq!((line.lease, line.row, line.counterpart.to_string()), (LeaseId::new(5), 0, node_id(1).short()));
    assert_eq!((line.billed_ms, line.interval), (60_000, [5 * 60_000, 6 * 60_000].map(Amount::new)));
    assert_eq!(line.meter, PoolKey::from_random([1; 32]).unwrap().meter_of(&account(0)));
}

/// A host that earned for one account and now earns for another still gets a statement of both.
#[test]
fn a_day_contains_what_was_earned_for_an_earlier_account() {
    let at = |ms: u64| DAY.end().plus(ms);
    let second = UtcDay::of(DAY.end());
    let mut store = billed(&[(9, at(1), 1), (8, at(2), 2), (9, at(3), 2)], second.end());
    set_payout(&mut store, 9, 2, at(2));
    assert_eq!(entries_of(daily(&store, 9, second, 1, 10)).0, [1, 3]);
    set_payout(&mut store, 9, 2, DAY.start().plus(1));
    assert_eq!(entries_of(daily(&store, 9, second, 1, 10)).0, [1, 3], "it changed within the day before");
    set_payout(&mut store, 9, 2, DAY.start());
    assert_eq!(entries_of(daily(&store, 9, second, 1, 10)).0, [3], "it changed earlier");
}

/// The entry that billed the period may be of an earlier day.
#[test]
fn what_is_collected_later_is_in_the_statement_of_that_day() {
    let (second, first) = (UtcDay::of(DAY.end()), DAY.start().plus(5));
    let mut store = billed(&[(9, first, 1), (8, first, 1), (9, DAY.end(), 1)], second.end());
    set_payout(&mut store, 9, 1, Ms::ZERO);
    set_payout(&mut store, 8, 1, Ms::ZERO);
    let collected = |number: u64, entry| {
        let (payer, payee) = (account(0), account(1));
        let (amount, fee) = (Amount::new(20_000), Amount::new(200));
        let transaction = Transaction::Collected { payer, payee, entry, amount, fee };
        Row::Entry(Box::new(LedgerEntry { number, at: DAY.end().plus(9), transaction }))
    };
    store.apply(&[collected(5, 1), collected(6, 2), collected(7, 3), collected(8, 1)]).unwrap();
    let of = |host, page, most| {
        let DailyRead::Page(page) = daily(&store, host, second, page, most) else { panic!("a page") };
        assert_eq!(page.problem(), None);
        let collected: Vec<_> =
            page.collected.iter().map(|one| (one.entry, one.period, one.lease.get(), one.row)).collect();
        let lines: Vec<u64> = page.lines.iter().map(|line| line.entry).collect();
        (lines, collected, page.day_collected.payments, page.pages)
    };
    assert_eq!(of(9, 1, 10), (vec![3], vec![(5, 1, 1, 0), (7, 3, 3, 0), (8, 1, 1, 0)], 3, 1));
    assert_eq!(of(9, 1, 2), (vec![3], vec![(5, 1, 1, 0)], 3, 2));
    assert_eq!(of(9, 2, 2), (vec![], vec![(7, 3, 3, 0), (8, 1, 1, 0)], 3, 2));
    assert_eq!(of(8, 1, 10), (vec![], vec![(6, 2, 2, 0)], 1, 1), "the same payout account");
    let DailyRead::Page(page) = daily(&store, 9, second, 1, 10) else { panic!("a page") };
    assert_eq!((page.day_collected.amount, page.day_collected.fee), (Amount::new(60_000), Amount::new(600)));
    assert_eq!(page.collected[0].meter, PoolKey::from_random([1; 32]).unwrap().meter_of(&account(0)));
    let DailyRead::Page(page) = daily(&store, 9, DAY, 1, 10) else { panic!("a page") };
    assert_eq!((page.lines.len(), page.collected.len()), (1, 0), "the day before does not change");
}

#[test]
fn balances_that_no_page_ended_with_are_an_error_of_the_caller() {
    let order = OperatorOrder { by: None, reason: String::new(), key: None };
    let store = ledger(&[Transaction::Credit { payer: account(0), amount: Amount::new(7), order }]);
    let reader = store.reader(ReadLimits::default()).unwrap();
    let payer = SignedAmount::difference(Amount::MAX, Amount::ZERO);
    let balances = Some(StatementBalances { payer, ..StatementBalances::default() });
    let range =
        StatementRange { after: Some(StatementCursor { entry: 0, balances, folds: 0 }), ..StatementRange::default() };
    let error = account_statement(&mut *reader.read(0).unwrap(), account(0), range, 10).unwrap_err();
    assert_eq!(error, StoreError::CursorBalances);
}
