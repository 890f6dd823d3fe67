//! Commits of a pool's database while a statement is read from it and a backup is made, again and again.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use vipnode_pool_core::{
    AccountFigures, AccountRow, LastReport, LedgerAccount, LedgerEntry, OperatorOrder, Row, Transaction,
};
use vipnode_store::{ReadLimits, SqliteReader, SqliteStore, Store, StoreError, StoreReader};
use vipnode_types::{Amount, Ms};

use super::{
    load::percentile,
    machine, measured_process,
    measurement::Measurement,
    statements::{self, account},
    store_commits::{append_p99, id, node},
};

/// How long it is measured.
const TIME: Duration = Duration::from_secs(10);
/// Every millisecond brings one operation on an account.
const OPERATION_MS: u128 = 1;
/// Reports that come with each.
const REPORTS: u64 = 10;
/// Nodes that report, in turn.
const NODES: u64 = 10_000;

/// Measures in a directory of the system's temporary directory.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    measure(machine::temporary_dir()?.path(), figures)
}

fn measure(dir: &Path, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    statements::fill(&mut store)?;
    let nodes: Vec<Row> = (0..NODES).map(|number| Row::Node(Box::new(node(number)))).collect();
    store.apply(&nodes).map_err(io::Error::other)?;
    drop(store);
    let printed = measured_process::ask(&["commits", &dir.display().to_string()])?;
    let mut numbers = printed.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().ok_or_else(|| io::Error::other(format!("expected numbers, got {printed:?}")));
    let (p99, floor, statements, backups) = (next()?, next()?, next()?, next()?);
    figures.push(Measurement {
        bench: "store",
        what: format!(
            "p99 until one of 1000 operations on accounts per second is durable, with {} reports per second, while {statements} \
             statements are read and {backups} backups are made",
            REPORTS * 1_000
        ),
        figure: format!("{p99} µs"),
        floor: format!("{floor} µs to append and sync 4 KiB"),
        ratio: String::new(),
        target: "<= 2 × floor + 2 ms".to_owned(),
        reached: Some(p99 <= floor * 2 + 2_000),
    });
    Ok(())
}

/// Prints the p99 of the operations and of an append, in µs, and how many statements were read and backups were made.
pub(crate) fn serve(dir: &Path, out: &mut impl Write) -> io::Result<()> {
    // As a pool, whose readers and backups have threads of their own.
    machine::unpin()?;
    let floor = append_p99(dir)?.as_micros();
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    let reader = store.reader(ReadLimits::default()).map_err(io::Error::other)?;
    let done = AtomicBool::new(false);
    let (p99, statements, backups) = thread::scope(|threads| {
        let statements = threads.spawn(|| count_until(&done, || read_statement(&*reader)));
        let backups = threads.spawn(|| count_until(&done, || back_up(dir)));
        let p99 = operations_p99(&mut store);
        done.store(true, Ordering::Relaxed);
        let ended = |_| io::Error::other("a thread panicked");
        Ok::<_, io::Error>((p99?, statements.join().map_err(ended)??, backups.join().map_err(ended)??))
    })?;
    writeln!(out, "{p99} {floor} {statements} {backups}")?;
    out.flush()
}

/// How often the work succeeded until it is no longer wanted.
fn count_until(done: &AtomicBool, mut work: impl FnMut() -> io::Result<bool>) -> io::Result<u32> {
    let mut count = 0;
    while !done.load(Ordering::Relaxed) {
        count += u32::from(work()?);
    }
    Ok(count)
}

/// Returns false if the read was canceled: the log had become too large.
fn read_statement(reader: &dyn StoreReader) -> io::Result<bool> {
    let Err(error) = statements::read(reader) else { return Ok(true) };
    let why = error.get_ref().and_then(|error| error.downcast_ref());
    if why == Some(&StoreError::ReadCanceled) { Ok(false) } else { Err(error) }
}

/// As `vipnode pool backup` does.
fn back_up(dir: &Path) -> io::Result<bool> {
    let file = dir.join("backup.db");
    let reader = SqliteReader::open(dir, ReadLimits::default()).map_err(io::Error::other)?;
    reader.back_up(&file).map_err(io::Error::other)?;
    fs::remove_file(file).map(|()| true)
}

/// The p99 from when an operation is due until it is durable, in µs. As in the pool, whatever came during a commit is in the
/// next one, and the log is copied once the operations are answered.
fn operations_p99(store: &mut impl Store) -> io::Result<u64> {
    let (began, mut done, mut times) = (Instant::now(), 0, Vec::new());
    while began.elapsed() < TIME {
        let due = u64::try_from(began.elapsed().as_millis() / OPERATION_MS).map_err(io::Error::other)?;
        if due == done {
            thread::sleep(Duration::from_micros(50));
            continue;
        }
        let rows: Vec<Row> = (done..due).flat_map(operation).collect();
        store.apply(&rows).map_err(io::Error::other)?;
        let now = began.elapsed();
        times.extend((done..due).map(|number| {
            let since = now.saturating_sub(Duration::from_millis(number));
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        }));
        done = due;
        store.tidy();
    }
    Ok(percentile(times, 99))
}

/// What the pool writes for a credit, and for the reports that come at the same time.
fn operation(number: u64) -> [Row; 3] {
    let (payer, amount) = (account(0), Amount::new(1));
    let received = Amount::new(u128::from(number) + 1);
    let figures = AccountFigures { received, ..AccountFigures::default() };
    let order = OperatorOrder { by: Some(0), reason: "bank transfer".to_owned(), key: Some(format!("{number}")) };
    let transaction = Transaction::Credit { payer, amount, order };
    let at = Ms::new(1_800_000_000_000 + number);
    let entry = LedgerEntry { number: statements::ENTRIES + number + 1, at, transaction };
    let reports = (0..REPORTS).map(|report| {
        let id = id((number * REPORTS + report) % NODES);
        LastReport { id, seen: at, nonce: number }
    });
    [
        Row::Entry(Box::new(entry)),
        Row::Account(AccountRow { account: LedgerAccount::Payer(payer), figures }),
        Row::LastReport(reports.collect()),
    ]
}
