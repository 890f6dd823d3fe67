//! Runs seeds of the simulator, and the benchmarks.

#[cfg(feature = "bench")]
mod bench;
#[cfg(feature = "bench")]
mod outages;

use std::{
    io::{self, Write},
    ops::Range,
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use vipnode_sim::{Family, effects, golden_line, power_cuts, replay, run_seeds};

/// Threads that run seeds.
const THREADS: u64 = 2;

/// Run both cores through faults, and benchmarks of a real pool.
#[derive(Debug, Parser)]
#[command(version)]
enum Cli {
    /// Run many seeds; print each failure and a summary.
    Seeds {
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many seeds.
        #[arg(long, default_value_t = 100)]
        count: u64,
        /// Run the seeds with attackers instead of those with faults.
        #[arg(long)]
        attackers: bool,
        /// Run the seeds in which clients pay.
        #[arg(long, conflicts_with = "attackers")]
        credit: bool,
        /// Run the seeds in which the clock of the pool's machine moves.
        #[arg(long, conflicts_with_all = ["attackers", "credit"])]
        clock: bool,
    },
    /// Replay one seed.
    Replay {
        /// The seed to replay.
        #[arg(long)]
        seed: u64,
        /// Print every event, not only the last 50.
        #[arg(short, long)]
        verbose: bool,
        /// Replay the seed with attackers.
        #[arg(long)]
        attackers: bool,
        /// Replay the seed in which clients pay.
        #[arg(long, conflicts_with = "attackers")]
        credit: bool,
        /// Replay the seed in which the clock of the pool's machine moves.
        #[arg(long, conflicts_with_all = ["attackers", "credit"])]
        clock: bool,
    },
    /// Print every effect of one seed as numbers, to compare two commits.
    ///
    /// One effect a line: the time in ms, 0 for the pool or the index of the agent plus 1, then the golden encoding.
    Effects {
        /// The seed to replay.
        #[arg(long)]
        seed: u64,
    },
    /// Print the digests of golden/effects.txt.
    Golden {
        /// How many seeds.
        #[arg(long, default_value_t = 600)]
        count: u64,
    },
    /// Cut the power while a real database is written, in a temporary directory.
    PowerCuts {
        /// Draws the batches and what is written of them from this seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// How many cuts.
        #[arg(long, default_value_t = 10_000)]
        count: u64,
    },
    /// Kill a real pool at random moments under load, and compare its database with what its agents know.
    #[cfg(feature = "bench")]
    Kill(outages::KillArgs),
    /// Fill the disk of a real pool with many agents for a while; requires root, to mount a small disk in memory.
    #[cfg(feature = "bench")]
    FullDisk(outages::FullDiskArgs),
    /// Benchmark a real pool against the floors of this machine.
    #[cfg(feature = "bench")]
    Bench(bench::BenchArgs),
    /// Serve a benchmark in a process of its own.
    #[cfg(feature = "bench")]
    #[command(hide = true, subcommand)]
    Measured(bench::MeasuredProcess),
}

fn main() -> io::Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let good = match Cli::parse() {
        #[cfg(feature = "bench")]
        Cli::Bench(args) => bench::run(&args, &mut out)?,
        #[cfg(feature = "bench")]
        Cli::Kill(args) => outages::kills(&args, &mut out)?,
        #[cfg(feature = "bench")]
        Cli::FullDisk(args) => outages::full_disk(&args, &mut out)?,
        #[cfg(feature = "bench")]
        Cli::Measured(what) => {
            bench::measured(&what, &mut out)?;
            true
        }
        Cli::Seeds { from, count, attackers, credit, clock } => {
            seeds(&mut out, family(attackers, credit, clock), from..from.saturating_add(count))?
        }
        Cli::Effects { seed } => {
            let (outcome, lines) = effects(seed);
            for line in lines {
                writeln!(out, "{line}")?;
            }
            outcome.is_ok()
        }
        Cli::PowerCuts { seed, count } => match power_cuts(seed, count, &[]) {
            Ok(done) => {
                writeln!(out, "every acknowledged change is there: {done:?}")?;
                true
            }
            Err(what) => {
                writeln!(out, "{what}")?;
                false
            }
        },
        Cli::Golden { count } => golden(&mut out, count)?,
        Cli::Replay { seed, verbose, attackers, credit, clock } => {
            let (outcome, trace) = replay(family(attackers, credit, clock), seed);
            let skip = if verbose { 0 } else { trace.len().saturating_sub(50) };
            for line in trace.iter().skip(skip) {
                writeln!(out, "{line}")?;
            }
            match &outcome {
                Ok(stats) => writeln!(out, "seed {seed}: all promises kept, {stats:?}")?,
                Err(what) => writeln!(out, "seed {seed}: {what}")?,
            }
            outcome.is_ok()
        }
    };
    out.flush()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const fn family(attackers: bool, credit: bool, clock: bool) -> Family {
    match (attackers, credit, clock) {
        (true, ..) => Family::Attackers,
        (false, true, _) => Family::Credit,
        (false, false, true) => Family::Clock,
        (false, false, false) => Family::Faults,
    }
}

/// Runs these seeds, prints each failure and the sums, and returns whether all promises were kept.
fn seeds(out: &mut impl Write, family: Family, range: Range<u64>) -> io::Result<bool> {
    let (mut failed, mut events, mut metered, mut recovery_ms) = (0_u64, 0, 0, 0);
    let (mut waits, mut late) = (0_u64, 0_u64);
    let began = Instant::now();
    for (seed, outcome) in run_seeds(family, range.clone(), THREADS) {
        match outcome {
            Ok(stats) => {
                events += stats.events;
                metered += stats.metered;
                recovery_ms = stats.recovery_ms.max(recovery_ms);
                waits += stats.waits.all;
                late += stats.waits.late;
                if stats.waits.late > 0 {
                    writeln!(out, "seed {seed}: {} waits for a host were longer than 3 s", stats.waits.late)?;
                }
            }
            Err(failure) => {
                failed += 1;
                writeln!(out, "{failure}\n")?;
            }
        }
    }
    let count = range.end.saturating_sub(range.start);
    let tenths = u128::from(count) * 10_000 / began.elapsed().as_millis().max(1);
    let rate = format!("{}.{}", tenths / 10, tenths % 10);
    writeln!(
        out,
        "{count} seeds, {failed} failed; {events} events, {metered} metered rows, everything connected again \
         within {recovery_ms} ms; {rate} seeds/s on {THREADS} threads"
    )?;
    if family == Family::Attackers {
        writeln!(out, "{waits} waits of honest clients for a host, {late} of them longer than 3 s")?;
    }
    Ok(failed == 0)
}

/// Prints the digest of the effects of each of the first `count` seeds, and returns whether all promises were kept.
fn golden(out: &mut impl Write, count: u64) -> io::Result<bool> {
    let mut good = true;
    for (seed, outcome) in run_seeds(Family::Faults, 0..count, THREADS) {
        match outcome {
            Ok(stats) => writeln!(out, "{}", golden_line(seed, &stats))?,
            Err(failure) => {
                writeln!(io::stderr(), "{failure}\n")?;
                good = false;
            }
        }
    }
    Ok(good)
}
