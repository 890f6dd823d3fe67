//! Commits of a pool's database while a statement is read from it and a backup is made, again and again, and old entries are
//! pruned.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use vipnode_pool_core::{
    AccountFigures, AccountRow, LastReport, LedgerAccount, LedgerEntry, OperatorOrder, PoolLimits, Row, Transaction,
};
use vipnode_store::{PruneOrder, ReadLimits, SqliteReader, SqliteStore, Store, StoreError, StoreReader};
use vipnode_types::{Amount, Ms};

use super::{
    load::{median, percentile},
    machine, measured_process,
    measurement::Measurement,
    statements::{self, account},
    store_commits::{id, node},
};

/// How long it is measured.
const TIME: Duration = Duration::from_secs(10);
/// Every millisecond brings one operation on an account.
const OPERATION_MS: u128 = 1;
/// Reports that come with each.
const REPORTS: u64 = 10;
/// Appends of the floor, one each millisecond.
const APPENDS: u64 = 5_000;
/// Nodes that report, in turn.
const NODES: u64 = 10_000;

/// Measures in directories of the system's temporary directory, a new one each round: the ledger is pruned in each.
pub(crate) fn run(rounds: u64, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let measured: Vec<Round> =
        (0..rounds).map(|_| round(machine::temporary_dir()?.path())).collect::<io::Result<_>>()?;
    let of = |figure: fn(&Round) -> u64| median(measured.iter().map(figure).collect());
    let (p99, floor) = (of(|round| round.p99), of(|round| round.floor));
    let (statements, backups, pruned) =
        (of(|round| round.statements), of(|round| round.backups), of(|round| round.pruned));
    figures.push(Measurement {
        bench: "store",
        what: format!(
            "p99 until one of 1000 operations on accounts per second is durable, with {} reports per second, while {statements} \
             statements are read, {backups} backups are made, and {pruned} old entries are pruned",
            REPORTS * 1_000
        ),
        figure: format!("{p99} µs"),
        floor: format!("{floor} µs to append and sync 4 KiB beside the same statements and backups"),
        ratio: String::new(),
        target: "<= 2 × floor + 2 ms".to_owned(),
        reached: Some(p99 <= floor * 2 + 2_000),
    });
    Ok(())
}

/// What one round measured; times in µs.
struct Round {
    p99: u64,
    floor: u64,
    statements: u64,
    backups: u64,
    pruned: u64,
}

fn round(dir: &Path) -> io::Result<Round> {
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    statements::fill(&mut store)?;
    let nodes: Vec<Row> = (0..NODES).map(|number| Row::Node(Box::new(node(number)))).collect();
    store.apply(&nodes).map_err(io::Error::other)?;
    drop(store);
    let printed = measured_process::ask(&["commits", &dir.display().to_string()])?;
    let mut numbers = printed.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().ok_or_else(|| io::Error::other(format!("expected numbers, got {printed:?}")));
    Ok(Round { p99: next()?, floor: next()?, statements: next()?, backups: next()?, pruned: next()? })
}

/// Prints the p99 of the operations and of an append, in µs, and how many statements were read, backups were made, and entries
/// were pruned during the operations.
pub(crate) fn serve(dir: &Path, out: &mut impl Write) -> io::Result<()> {
    // As a pool, whose readers and backups have threads of their own.
    machine::unpin()?;
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    let reader = store.reader(ReadLimits::default()).map_err(io::Error::other)?;
    let (floor, ..) = beside_reads(dir, &*reader, || appends_p99(dir))?;
    let ((p99, pruned), statements, backups) = beside_reads(dir, &*reader, || operations_p99(&mut store))?;
    writeln!(out, "{p99} {floor} {statements} {backups} {pruned}")?;
    out.flush()
}

/// Does the work while one thread reads statements and another makes backups. Also returns how many statements and backups that
/// were.
fn beside_reads<T>(
    dir: &Path,
    reader: &dyn StoreReader,
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<(T, u32, u32)> {
    let (done, copies) = (AtomicBool::new(false), tempfile::tempdir_in(dir)?);
    thread::scope(|threads| {
        let statements = threads.spawn(|| count_until(&done, |_| read_statement(reader)));
        let backups = threads.spawn(|| count_until(&done, |number| back_up(dir, copies.path(), number)));
        let worked = work();
        done.store(true, Ordering::Relaxed);
        let ended = |_| io::Error::other("a thread panicked");
        Ok((worked?, statements.join().map_err(ended)??, backups.join().map_err(ended)??))
    })
}

/// How often the work succeeded until it is no longer wanted.
fn count_until(done: &AtomicBool, mut work: impl FnMut(u32) -> io::Result<bool>) -> io::Result<u32> {
    let mut count = 0;
    while !done.load(Ordering::Relaxed) {
        count += u32::from(work(count)?);
    }
    Ok(count)
}

/// Returns false if the read was canceled, because the log had become too large, or has to begin again, because entries after one
/// of its pages were pruned.
fn read_statement(reader: &dyn StoreReader) -> io::Result<bool> {
    let Err(error) = statements::read(reader) else { return Ok(true) };
    let why = error.get_ref().and_then(|error| error.downcast_ref());
    match why {
        Some(StoreError::ReadCanceled | StoreError::CursorPruned) => Ok(false),
        _ => Err(error),
    }
}

/// As `vipnode pool backup` does. The file stays until all is measured: to delete it would hold up commits, too, for as long as the
/// file system takes to free its blocks.
fn back_up(dir: &Path, copies: &Path, number: u32) -> io::Result<bool> {
    let file = copies.join(format!("{number}.db"));
    let reader = SqliteReader::open(dir, ReadLimits::default()).map_err(io::Error::other)?;
    reader.back_up(&file).map(|_| true).map_err(io::Error::other)
}

/// The p99 of an append of 4 KiB, one each millisecond, until it is durable, in µs.
fn appends_p99(dir: &Path) -> io::Result<u64> {
    let (mut file, mut times) = (File::create(dir.join("floor"))?, Vec::new());
    let began = Instant::now();
    for due in (0..APPENDS).map(Duration::from_millis) {
        while began.elapsed() < due {
            thread::sleep(Duration::from_micros(50));
        }
        let appended = Instant::now();
        file.write_all(&[1; 4_096]).and_then(|()| file.sync_data())?;
        times.push(u64::try_from(appended.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(percentile(times, 99))
}

/// The p99 from when an operation is due until it is durable, in µs, and how many entries were pruned. As in the pool, whatever
/// came during a commit is in the next one, and the log is copied once the operations are answered.
fn operations_p99(store: &mut impl Store) -> io::Result<(u64, u64)> {
    let (began, mut done, mut times) = (Instant::now(), 0, Vec::new());
    let mut pruning = Pruning { due: began, pruned: 0, is_done: false };
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
        pruning.step(store)?;
    }
    Ok((percentile(times, 99), pruning.pruned))
}

/// Prunes the ledger as it was before the operations. As `vipnode pool prune` does it, each step begins as long after the one
/// before as that one took.
struct Pruning {
    due: Instant,
    pruned: u64,
    is_done: bool,
}

impl Pruning {
    fn step(&mut self, store: &mut impl Store) -> io::Result<()> {
        let began = Instant::now();
        if self.is_done || began < self.due {
            return Ok(());
        }
        let order = PruneOrder { before: Ms::NEVER, last_entry: statements::ENTRIES, last_position: 0 };
        let step = store.prune(order, 0, PoolLimits::default().prune_rows).map_err(io::Error::other)?;
        store.tidy();
        self.pruned = self.pruned.saturating_add(step.entries);
        self.is_done = step.is_done;
        self.due = Instant::now() + began.elapsed();
        Ok(())
    }
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
