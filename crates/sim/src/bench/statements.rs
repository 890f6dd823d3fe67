//! A statement of an account, read from a database.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use vipnode_pool_core::{LeaseRow, LedgerEntry, MergedPeriods, MeteredPeriod, OperatorOrder, Row, Transaction};
use vipnode_store::{ReadLimits, SqliteStore, Store, StoreReader, account_statement};
use vipnode_types::{Account, Amount, LeaseId, Ms, NodeId, Price, meter::Seen, wire::StatementRange};

use super::{machine, measurement::Measurement};

/// Billing periods of each account.
const PERIODS: u64 = 10_000;
/// Accounts whose periods are in the ledger, in turn.
const ACCOUNTS: u64 = 16;
/// Entries of the ledger.
pub(super) const ENTRIES: u64 = PERIODS * ACCOUNTS;
/// Entries of a page.
const PAGE: usize = 1_000;
/// Entries in a commit.
const BATCH: u64 = 1_000;

/// Measures in a directory of the system's temporary directory.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    measure(machine::temporary_dir()?.path(), figures)
}

fn measure(dir: &Path, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    fill(&mut store)?;
    let reader = store.reader(ReadLimits::default()).map_err(io::Error::other)?;
    // The first round opens the connection.
    read(&*reader)?;
    let (lines, first, all) = read(&*reader)?;
    let row = |what: String, took: Duration, most: u64| Measurement {
        bench: "store",
        what,
        figure: format!("{}.{:02} ms", took.as_millis(), took.subsec_micros() % 1_000 / 10),
        floor: String::new(),
        ratio: String::new(),
        target: format!("<= {most} ms"),
        reached: Some(took <= Duration::from_millis(most)),
    };
    let of = format!("of a statement, in a ledger of {ACCOUNTS} × {PERIODS} billing periods");
    figures.push(row(format!("first {PAGE} lines {of}"), first, 20));
    figures.push(row(format!("all {lines} lines {of}"), all, 100));
    Ok(())
}

/// Posts the periods of all accounts.
pub(super) fn fill(store: &mut impl Store) -> io::Result<()> {
    for first in (0..ENTRIES).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
        let rows: Vec<Row> = (first..first + BATCH).flat_map(rows).collect();
        store.apply(&rows).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Reads the whole statement of an account. Returns its lines, and the time until the first page and until the last.
pub(super) fn read(reader: &dyn StoreReader) -> io::Result<(usize, Duration, Duration)> {
    let (began, mut range) = (Instant::now(), StatementRange::default());
    let (mut lines, mut first) = (0, None);
    loop {
        let mut snapshot = reader.read(0).map_err(io::Error::other)?;
        let page = account_statement(&mut *snapshot, account(0), range, PAGE).map_err(io::Error::other)?;
        lines += page.lines.len();
        first.get_or_insert_with(|| began.elapsed());
        range.after = page.next;
        if page.next.is_none() {
            return Ok((lines, first.unwrap_or_default(), began.elapsed()));
        }
    }
}

/// A billing period, and the entry that bills it.
fn rows(number: u64) -> [Row; 2] {
    let (payer, payee) = (account(number % ACCOUNTS), account(ACCOUNTS));
    let ended = Ms::new(1_700_086_400_000 + number);
    let seen = Some(Seen { up: Ms::new(1_700_000_000_000 + number), end: ended });
    let price = Price::per_minute(60_000);
    let cost = price.cost(86_400_000).unwrap_or_default();
    let lease = LeaseRow {
        id: LeaseId::new(number),
        row: 0,
        client: id(number),
        host: id(number + 1),
        payee: Some(payee),
        payer: Some(payer),
        price,
        fee_bps: 0,
        trial: false,
        carry: 0,
        offered: Ms::new(1_700_000_000_000),
        client_seen: None,
        host_seen: None,
    };
    let (client, host, earlier) = (seen, seen, MergedPeriods::default());
    let period = MeteredPeriod { lease, client, host, billed_ms: 86_400_000, cost, ended, earlier, folded: 0 };
    let from = Amount::new(cost.get() * u128::from(number / ACCOUNTS));
    let (lease, fee) = (LeaseId::new(number), Amount::ZERO);
    let transaction = if number < ACCOUNTS {
        let order = OperatorOrder { by: Some(0), reason: "bank transfer".to_owned(), key: None };
        Transaction::Credit { payer, amount: Amount::new(1 << 90), order }
    } else {
        Transaction::Lease { payer, payee, lease, row: 0, from, cost, collected: cost, fee }
    };
    [Row::Metered(Box::new(period)), Row::Entry(Box::new(LedgerEntry { number: number + 1, at: ended, transaction }))]
}

pub(super) fn account(number: u64) -> Account {
    Account::new([u8::try_from(number).unwrap_or_default(); 20])
}

fn id(number: u64) -> NodeId {
    let mut bytes = [0; 64];
    let scattered = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    bytes.iter_mut().zip(scattered.iter().cycle()).for_each(|(byte, part)| *byte = *part);
    NodeId::new(bytes)
}
