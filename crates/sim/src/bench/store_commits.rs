//! The database of a pool alone: what a last report costs, and a commit next to an append and a sync on the same disk.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use vipnode_pool_core::{Credentials, LastReport, NodeRow, Proven, Row, Signer};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{ChainSpec, Ms, NodeId, protocol2::Kind};

use super::{
    machine::{self, cpu_ns, written_bytes},
    measurement::Measurement,
};

/// Nodes in the database.
const NODES: u64 = 100_000;
/// How often each of them reports.
const REPORTS: u64 = 5;
/// Last reports in a commit, as many as the core writes at once.
const BATCH: u64 = 1_000;
/// Commits of one change each.
const COMMITS: u64 = 500;
/// A page of the database, in bytes: the least that a commit appends.
const PAGE: usize = 4_096;

/// Measures in a directory of the system's temporary directory.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    measure(machine::temporary_dir()?.path(), figures)
}

fn measure(dir: &Path, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    let mut apply = |rows: &[Row]| store.apply(rows).map(drop).map_err(io::Error::other);
    for first in (0..NODES).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
        let nodes: Vec<Row> = (first..first + BATCH).map(|number| Row::Node(Box::new(node(number)))).collect();
        apply(&nodes)?;
    }
    let written = written_bytes(std::process::id())?;
    let before = cpu_ns(std::process::id())?;
    for report in 1..=REPORTS {
        for first in (0..NODES).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
            let last_report = |number| LastReport { id: id(number), seen: Ms::new(report), nonce: report };
            apply(&[Row::LastReport((first..first + BATCH).map(last_report).collect()), Row::Clock(Ms::new(report))])?;
        }
    }
    let written = written_bytes(std::process::id())? - written;
    let each_ns = (cpu_ns(std::process::id())? - before) / (NODES * REPORTS);
    figures.push(Measurement {
        bench: "store",
        what: format!("last reports of {NODES} nodes, {BATCH} per commit; the pool writes one for every third report"),
        figure: format!("{}.{:02} µs of CPU time each", each_ns / 1_000, each_ns % 1_000 / 10),
        floor: String::new(),
        ratio: String::new(),
        target: "<= 6 µs".to_owned(),
        reached: Some(each_ns <= 6_000),
    });
    // A default agent reports each minute, and the pool writes when it last reported every three minutes.
    let a_report = written / (NODES * REPORTS * 3);
    figures.push(Measurement {
        bench: "store",
        what: "written to the disk for a report, of which the pool writes every third".to_owned(),
        figure: format!("{a_report} bytes"),
        floor: String::new(),
        ratio: String::new(),
        target: "<= 60 bytes".to_owned(),
        reached: Some(a_report <= 60),
    });
    let floor = append_p99(dir)?;
    let commit = p99(|number| apply(&[Row::NextLease(number)]))?;
    let most = floor * 2 + Duration::from_millis(2);
    figures.push(Measurement {
        bench: "store",
        what: "p99 of a commit of one change".to_owned(),
        figure: format!("{} µs", commit.as_micros()),
        floor: format!("{} µs to append and sync 4 KiB", floor.as_micros()),
        ratio: String::new(),
        target: "<= 2 × floor + 2 ms".to_owned(),
        reached: Some(commit <= most),
    });
    Ok(())
}

/// The p99 of an append of a page with a sync, to a file in a directory.
fn append_p99(dir: &Path) -> io::Result<Duration> {
    let mut file = File::create(dir.join("floor"))?;
    p99(|_| file.write_all(&[1; PAGE]).and_then(|()| file.sync_data()))
}

/// The 99th percentile of the time that it takes.
fn p99(mut work: impl FnMut(u64) -> io::Result<()>) -> io::Result<Duration> {
    let mut times = Vec::new();
    for number in 0..COMMITS {
        let began = Instant::now();
        work(number)?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() * 99 / 100).copied().unwrap_or_default())
}

pub(super) fn node(number: u64) -> NodeRow {
    NodeRow {
        id: id(number),
        credentials: Credentials::new(Signer::NodeKey { nonce: 0, kind: Kind::Geth, full: true }),
        seen: Ms::ZERO,
        chain: ChainSpec::without_genesis(1),
        enode: None,
        payout: None,
        host: true,
        client: false,
        proven: Proven::Yes,
        replaced: false,
        block: None,
        trial_used_ms: 0,
    }
}

/// IDs are public keys, in no order.
pub(super) fn id(number: u64) -> NodeId {
    let mut bytes = [0; 64];
    let scattered = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    bytes.iter_mut().zip(scattered.iter().cycle()).for_each(|(byte, part)| *byte = *part);
    NodeId::new(bytes)
}
