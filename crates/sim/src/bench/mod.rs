//! Benchmarks of a real pool. The load generator and the measured process each have a CPU core of their own, and each
//! figure is compared with a floor from the same run: what the machine does without the pool.
//!
//! May use the pool, the RPC crate and tokio, which nothing else in this crate does.

mod ask_latency;
mod attackers;
mod benchmarks_page;
mod busy_commits;
mod certificate;
mod core_flood;
mod core_priced;
mod core_reports;
mod core_updates;
mod fairness;
mod flood;
mod idle;
mod load;
mod load_agent;
mod machine;
mod measured_process;
mod measurement;
mod reports;
mod restart;
mod rollovers;
mod statements;
mod store_commits;
mod updates;
mod ws_client;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use clap::ValueEnum;
use tokio::{runtime, task::LocalSet};

use measured_process::ServerKind;
use measurement::{Measurement, TABLE_HEAD};

pub(crate) use self::{
    load_agent::{LoadAgent, now},
    machine::raise_open_files,
    measured_process::{CHARGED_A_MS, ServerProcess},
    ws_client::WsClient,
};

/// The options of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// The benchmark to run.
    #[arg(value_enum, default_value_t = Benchmark::All)]
    what: Benchmark,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Measurements of each kind; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Write the results to docs/benchmarks.md. Requires all benchmarks, because the page is replaced.
    #[arg(long)]
    write: bool,
    /// Idle agents, each with a socket.
    #[arg(long, default_value_t = 8_000)]
    sockets: u32,
}

/// A process that a benchmark measures, or runs apart from the load generator.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MeasuredProcess {
    /// A pool, which prints its address.
    Pool {
        /// The folder of its certificate, for TLS.
        #[arg(long)]
        tls: Option<PathBuf>,
        /// Where it keeps its state; in memory without this.
        #[arg(long)]
        datadir: Option<PathBuf>,
    },
    /// A pool that charges, which prints its address.
    Charging {
        /// Where it keeps its state.
        #[arg(long)]
        datadir: PathBuf,
    },
    /// A pool with the default limits.
    Shipped,
    /// An attack on a pool.
    Attack {
        /// The kind of attack.
        #[arg(value_enum)]
        attack: flood::Attack,
        /// The address of the pool.
        pool: SocketAddr,
    },
    /// An echo server.
    Echo,
    /// Fills a database, and ends as if it was killed.
    Fill {
        /// Nodes. There are twice as many leases.
        #[arg(long)]
        nodes: u32,
        /// The directory of the database.
        dir: PathBuf,
    },
    /// Starts a pool, and prints how long it took, and its memory.
    Start {
        /// The data directory.
        dir: PathBuf,
    },
    /// Commits of a database that is read meanwhile.
    Commits {
        /// The directory of the database.
        dir: PathBuf,
    },
    /// The floor of signed updates: parsing and verifying them in one thread.
    Signature {
        /// Peers in an update.
        #[arg(long)]
        peers: u32,
    },
    /// The pool core alone, with reports.
    Core {
        /// Nodes. There are twice as many leases.
        #[arg(long)]
        nodes: u32,
    },
    /// The memory of the pool core alone, with clients that pay.
    CorePriced {
        /// Nodes. There are twice as many leases.
        #[arg(long)]
        nodes: u32,
    },
    /// The memory of the pool core alone, with two floods of ids.
    CoreFlood {
        /// Whether each id is connected with a host of the flood's owner for a moment.
        #[arg(long)]
        paired: bool,
    },
    /// The pool core alone, with protocol-2 updates.
    CoreUpdates {
        /// Nodes. There are twice as many leases.
        #[arg(long)]
        nodes: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// All benchmarks.
    All,
    /// The pool core alone.
    Core,
    /// The database alone.
    Store,
    /// What running leases write to the disk.
    Rollovers,
    /// Protocol-3 reports over real sockets.
    Reports,
    /// Signed protocol-2 updates over real sockets.
    Updates,
    /// The start of a killed pool with a large database, as root.
    Restart,
    /// Memory of idle agents.
    Idle,
    /// The time from an ask to the first host.
    Ask,
    /// The same with a thousand clients at once.
    Burst,
    /// The latency of other agents while the pool is flooded.
    Fairness,
    /// The latency of other agents, and the pool's memory, while attackers do what the protocol allows.
    Hostile,
}

/// Runs benchmarks; returns whether every target was reached.
pub(crate) fn run(args: &BenchArgs, out: &mut impl Write) -> io::Result<bool> {
    if args.write && args.what != Benchmark::All {
        return Err(io::Error::other(
            "--write replaces the whole page, so it requires all benchmarks: bench all --write",
        ));
    }
    machine::pin(machine::GENERATOR)?;
    machine::raise_open_files()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Vec::new();
    LocalSet::new().block_on(&runtime, all(args, &mut figures))?;
    writeln!(out, "{TABLE_HEAD}")?;
    for figure in &figures {
        writeln!(out, "{}", figure.row())?;
    }
    if args.write {
        benchmarks_page::write(args, &figures)?;
    }
    Ok(figures.iter().all(|figure| figure.reached != Some(false)))
}

async fn all(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let wanted = |what| args.what == Benchmark::All || args.what == what;
    if wanted(Benchmark::Core) {
        core_reports::run(figures)?;
        core_priced::run(figures)?;
    }
    if args.what == Benchmark::Rollovers {
        rollovers::run(figures)?;
    }
    if wanted(Benchmark::Store) {
        store_commits::run(figures)?;
        rollovers::run(figures)?;
        statements::run(figures)?;
        busy_commits::run(args.rounds, figures)?;
    }
    if wanted(Benchmark::Restart) {
        restart::run(figures)?;
    }
    if wanted(Benchmark::Idle) {
        idle::run(args, figures).await?;
    }
    if wanted(Benchmark::Ask) {
        ask_latency::one_by_one(figures).await?;
    }
    if wanted(Benchmark::Burst) {
        ask_latency::at_once(figures).await?;
    }
    if wanted(Benchmark::Fairness) {
        fairness::run(args, figures).await?;
    }
    if wanted(Benchmark::Hostile) {
        fairness::run_hostile(args, figures).await?;
        core_flood::run(figures)?;
    }
    let reports = if wanted(Benchmark::Reports) { Some(reports::run(args, figures).await?) } else { None };
    let updates = if wanted(Benchmark::Updates) { updates::run(args, figures).await? } else { Vec::new() };
    for (peers, updates) in updates {
        if let Some(reports) = reports {
            figures.push(times(reports, peers, updates));
        }
    }
    Ok(())
}

fn times(reports: u64, peers: u32, updates: u64) -> Measurement {
    let ratio = load::scaled(reports, 10, updates);
    Measurement {
        bench: "reports",
        what: format!("protocol-3 reports compared with signed protocol-2 updates of {peers} peers"),
        figure: format!("{reports} per CPU-second"),
        floor: format!("{updates} per CPU-second"),
        ratio: format!("{}.{} times", ratio / 10, ratio % 10),
        target: ">= 5 times".to_owned(),
        reached: Some(ratio >= 50),
    }
}

/// Runs as the process that a benchmark measures.
pub(crate) fn measured(what: &MeasuredProcess, out: &mut impl Write) -> io::Result<()> {
    match what {
        MeasuredProcess::Pool { tls, datadir } => {
            measured_process::serve(ServerKind::Pool, (tls.as_deref(), datadir.as_deref()), out)
        }
        MeasuredProcess::Charging { datadir } => {
            measured_process::serve(ServerKind::Charging, (None, Some(datadir)), out)
        }
        MeasuredProcess::Shipped => measured_process::serve(ServerKind::Shipped, (None, None), out),
        MeasuredProcess::Attack { attack, pool } => {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            LocalSet::new().block_on(&runtime, fairness::attack(*attack, *pool))
        }
        MeasuredProcess::Echo => measured_process::serve(ServerKind::Echo, (None, None), out),
        MeasuredProcess::Fill { nodes, dir } => restart::fill(dir, *nodes),
        MeasuredProcess::Start { dir } => restart::start(dir, out),
        MeasuredProcess::Commits { dir } => busy_commits::serve(dir, out),
        MeasuredProcess::Signature { peers } => updates::serve_floor(*peers, out),
        MeasuredProcess::CoreUpdates { nodes } => core_updates::serve(*nodes, out),
        MeasuredProcess::CoreFlood { paired } => core_flood::serve(*paired, out),
        MeasuredProcess::CorePriced { nodes } => core_priced::serve(*nodes, out),
        MeasuredProcess::Core { nodes } => core_reports::serve(*nodes, out),
    }
}
