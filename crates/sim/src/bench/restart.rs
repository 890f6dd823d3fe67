//! The start of a pool that was killed, with a large database.

use std::{
    fs,
    io::{self, Write},
    mem::ManuallyDrop,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use tokio::runtime;
use vipnode_pool::{DataDir, PoolConfig, PoolServer};
use vipnode_pool_core::{AddressBlock, Credentials, LeaseRow, NodeRow, Proven, Row, Signer};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{ChainSpec, Enode, LeaseId, Ms, NodeId, Price, protocol2::Kind};

use super::{
    core_reports::{address, node},
    load_agent::now,
    machine, measured_process,
    measurement::Measurement,
};

/// Nodes in the database. There are twice as many leases.
const NODES: u32 = 1_000_000;
/// Rows in a commit.
const BATCH: usize = 10_000;

/// Measures a start with what the system has in memory of the database, and one without.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    measure(machine::temporary_dir()?.path(), figures)
}

fn measure(dir: &Path, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let path = dir.display().to_string();
    // It ends as if it was killed.
    let mut fill = Command::new(std::env::current_exe()?);
    fill.args(["measured", "fill", "--nodes", &NODES.to_string(), &path]).stdin(Stdio::null()).status()?;
    let bytes = fs::metadata(dir.join("pool.db"))?.len();
    for (cold, target_ms) in [(false, 5_000), (true, 15_000)] {
        if cold {
            // Only root can have the system forget them.
            fs::write("/proc/sys/vm/drop_caches", "3")?;
        }
        let figure = measured_process::ask(&["start", &path])?;
        let mut numbers = figure.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
        let (Some(ms), Some(peak), Some(steady)) = (numbers.next(), numbers.next(), numbers.next()) else {
            return Err(io::Error::other(format!("expected three numbers, got {figure:?}")));
        };
        let percent = super::load::scaled(peak, 100, steady);
        let with = if cold { "nothing of it in the page cache" } else { "all of it in the page cache" };
        figures.push(Measurement {
            bench: "restart",
            what: format!(
                "start of a killed pool with {NODES} nodes and {} running leases, a database of {} MB, {with}",
                NODES * 2,
                bytes >> 20
            ),
            figure: format!("{ms} ms; at most {} MB of memory", peak >> 20),
            floor: format!("{} MB of memory once it runs", steady >> 20),
            ratio: format!("{percent} % of the memory"),
            target: format!("<= {target_ms} ms, <= 130 %"),
            reached: Some(ms <= target_ms && percent <= 130),
        });
    }
    Ok(())
}

/// Fills a database and ends as if the process was killed: a part of it is in the log.
pub(crate) fn fill(dir: &Path, nodes: u32) -> io::Result<()> {
    // With the key of a pool.
    drop(DataDir::open(dir).map_err(io::Error::other)?);
    let mut store = SqliteStore::open(dir).map_err(io::Error::other)?;
    let began = now();
    let rows = (0..nodes).map(|number| Row::Node(Box::new(node_row(number, began))));
    let leases = (0..nodes.saturating_mul(2)).map(|number| Row::Lease(Box::new(lease_row(number, nodes, began))));
    let mut rows = rows.chain(leases).chain([Row::NextLease(u64::from(nodes) * 4), Row::Clock(began)]);
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            std::process::abort();
        }
        store.apply(&batch).map_err(io::Error::other)?;
    }
}

/// Starts a pool, and prints how long it took, in ms, and its memory in bytes, at most and then.
pub(crate) fn start(dir: &Path, out: &mut impl Write) -> io::Result<()> {
    // As a pool does: nothing else is measured meanwhile.
    machine::unpin()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    let pool = runtime.block_on(async {
        let dir = DataDir::open(dir).map_err(io::Error::other)?;
        let config = PoolConfig::new((std::net::Ipv4Addr::LOCALHOST, 0).into())?;
        PoolServer::spawn_in(config, dir).await.map_err(io::Error::other)
    })?;
    let ms = began.elapsed().as_millis();
    writeln!(out, "{ms} {} {}", machine::peak_bytes(std::process::id())?, machine::user_bytes(std::process::id())?)?;
    out.flush()?;
    // The next start is again that of a killed pool.
    let _ends_with_the_process = (ManuallyDrop::new(pool), ManuallyDrop::new(runtime));
    Ok(())
}

fn node_row(number: u32, now: Ms) -> NodeRow {
    let id = id(number);
    NodeRow {
        id,
        credentials: Credentials::new(Signer::NodeKey { nonce: now.get(), kind: Kind::Geth, full: true }),
        seen: now,
        chain: ChainSpec::without_genesis(1),
        enode: Some(Enode::at(id, address(number), 30_303)),
        payout: None,
        host: number.is_multiple_of(2),
        client: !number.is_multiple_of(2),
        proven: Proven::Yes,
        replaced: false,
        block: Some(AddressBlock::of(address(number))),
        trial_used_ms: 0,
    }
}

fn lease_row(number: u32, nodes: u32, now: Ms) -> LeaseRow {
    let client = (number | 1) % nodes;
    let host = number.wrapping_mul(611_953) % (nodes / 2) * 2;
    LeaseRow {
        id: LeaseId::new(u64::from(number) + 1),
        row: 0,
        client: id(client),
        host: id(host),
        payee: None,
        payer: None,
        fee_bps: 0,
        trial: false,
        price: Price::per_minute(60_000),
        carry: 0,
        offered: now,
        client_seen: Some((now, None)),
        host_seen: Some((now, None)),
    }
}

/// IDs are public keys, in no order.
fn id(number: u32) -> NodeId {
    let mut bytes = *node(number).as_bytes();
    let scattered = (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    bytes.iter_mut().zip(scattered).for_each(|(byte, part)| *byte = part);
    bytes[8..12].copy_from_slice(&number.to_be_bytes());
    NodeId::new(bytes)
}
