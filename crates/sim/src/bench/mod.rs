//! Benchmarks of a real pool: the generator and what is measured each on a core of its own, each figure
//! beside its floor of the same run.

mod agent;
mod certificate;
mod child;
mod core_reports;
mod core_updates;
mod fairness;
mod figure;
mod flood;
mod idle;
mod load;
mod machine;
mod market;
mod page;
mod reports;
mod updates;
mod wire;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use clap::ValueEnum;
use tokio::{runtime, task::LocalSet};

use child::Kind;
use figure::{Figure, HEAD};

/// Which benchmark, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Which.
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Measurements of each kind; the one in the middle counts.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Write the results to docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    /// Sockets of the idle agents.
    #[arg(long, default_value_t = 8_000)]
    sockets: u32,
}

/// What a benchmark runs in a process of its own.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Measured {
    /// A pool.
    Pool {
        /// With the certificate in this folder.
        #[arg(long)]
        tls: Option<PathBuf>,
    },
    /// A pool with the limits as shipped.
    Shipped,
    /// A flood.
    Attack {
        /// Which.
        #[arg(value_enum)]
        attack: flood::Attack,
        /// On which pool.
        pool: SocketAddr,
    },
    /// An echo.
    Echo,
    /// What limits signed updates: parsing and verifying, in one thread.
    Signature {
        /// Peers of an update.
        #[arg(long)]
        peers: u32,
    },
    /// The pool's core alone.
    Core {
        /// Nodes; there are twice as many leases.
        #[arg(long)]
        nodes: u32,
    },
    /// The same with agents of the original.
    CoreUpdates {
        /// Nodes; there are twice as many leases.
        #[arg(long)]
        nodes: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// All of them.
    All,
    /// The pool's core alone.
    Core,
    /// Reports of protocol 3 over real sockets.
    Reports,
    /// Signed updates of protocol 2 over real sockets.
    Updates,
    /// Memory of idle agents.
    Idle,
    /// From ask to host.
    Ask,
    /// A thousand clients at once.
    Burst,
    /// Others, while one socket, one address block or a storm of connects floods the pool.
    Fairness,
}

/// Runs benchmarks; true where every target was reached.
pub(crate) fn run(args: &BenchArgs, out: &mut impl Write) -> io::Result<bool> {
    machine::pin(machine::GENERATOR)?;
    machine::raise_open_files()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Vec::new();
    LocalSet::new().block_on(&runtime, all(args, &mut figures))?;
    writeln!(out, "{HEAD}")?;
    for figure in &figures {
        writeln!(out, "{}", figure.row())?;
    }
    if args.write {
        page::write(args, &figures)?;
    }
    Ok(figures.iter().all(|figure| figure.reached != Some(false)))
}

async fn all(args: &BenchArgs, figures: &mut Vec<Figure>) -> io::Result<()> {
    let wanted = |what| args.what == What::All || args.what == what;
    if wanted(What::Core) {
        core_reports::run(figures)?;
    }
    if wanted(What::Idle) {
        idle::run(args, figures).await?;
    }
    if wanted(What::Ask) {
        market::one_by_one(figures).await?;
    }
    if wanted(What::Burst) {
        market::at_once(figures).await?;
    }
    if wanted(What::Fairness) {
        fairness::run(args, figures).await?;
    }
    let reports = if wanted(What::Reports) { Some(reports::run(args, figures).await?) } else { None };
    let updates = if wanted(What::Updates) { updates::run(args, figures).await? } else { Vec::new() };
    for (peers, updates) in updates {
        if let Some(reports) = reports {
            figures.push(times(reports, peers, updates));
        }
    }
    Ok(())
}

fn times(reports: u64, peers: u32, updates: u64) -> Figure {
    let ratio = load::scaled(reports, 10, updates);
    Figure {
        bench: "reports",
        what: format!("protocol-3 reports beside signed protocol-2 updates of {peers} peers"),
        figure: format!("{reports} per CPU-second"),
        floor: format!("{updates} per CPU-second"),
        ratio: format!("{}.{} times", ratio / 10, ratio % 10),
        target: ">= 5 times".to_owned(),
        reached: Some(ratio >= 50),
    }
}

/// Is what a benchmark measures.
pub(crate) fn measured(what: &Measured, out: &mut impl Write) -> io::Result<()> {
    match what {
        Measured::Pool { tls } => child::serve(Kind::Pool, tls.as_deref(), out),
        Measured::Shipped => child::serve(Kind::Shipped, None, out),
        Measured::Attack { attack, pool } => {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            LocalSet::new().block_on(&runtime, fairness::attack(*attack, *pool))
        }
        Measured::Echo => child::serve(Kind::Echo, None, out),
        Measured::Signature { peers } => updates::serve_floor(*peers, out),
        Measured::CoreUpdates { nodes } => core_updates::serve(*nodes, out),
        Measured::Core { nodes } => core_reports::serve(*nodes, out),
    }
}
