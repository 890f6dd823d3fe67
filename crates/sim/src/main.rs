//! Plays seeds of the simulator, and runs the benchmarks.

#[cfg(feature = "bench")]
mod bench;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser;
use vipnode_sim::{effects, golden_line, replay, run_seeds};

/// Threads that play seeds.
const THREADS: u64 = 2;

/// Plays both minds through faults, from seeds.
#[derive(Debug, Parser)]
#[command(version)]
enum Cli {
    /// Play many seeds; prints the failing ones, and a line at the end.
    Seeds {
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many.
        #[arg(long, default_value_t = 100)]
        count: u64,
    },
    /// Play one seed again.
    Replay {
        /// Which.
        #[arg(long)]
        seed: u64,
        /// Print everything that happens.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Print the golden encoding of every effect of both cores in one run: time in ms, 0 for the pool or an agent's
    /// index plus 1, then the encoding. Compare it with what another commit prints.
    Effects {
        /// Which seed.
        #[arg(long)]
        seed: u64,
    },
    /// Print the digests of the effects of many seeds, as golden/effects.txt has them.
    Golden {
        /// How many seeds.
        #[arg(long, default_value_t = 600)]
        count: u64,
    },
    /// Measure a real pool beside its floors.
    #[cfg(feature = "bench")]
    Bench(bench::BenchArgs),
    /// What a benchmark runs in a process of its own.
    #[cfg(feature = "bench")]
    #[command(hide = true, subcommand)]
    Measured(bench::Measured),
}

fn main() -> io::Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let good = match Cli::parse() {
        #[cfg(feature = "bench")]
        Cli::Bench(args) => bench::run(&args, &mut out)?,
        #[cfg(feature = "bench")]
        Cli::Measured(what) => {
            bench::measured(&what, &mut out)?;
            true
        }
        Cli::Seeds { from, count } => {
            let (mut failed, mut events, mut metered, mut healed_ms) = (0_u64, 0, 0, 0);
            for (_, outcome) in run_seeds(from..from.saturating_add(count), THREADS) {
                match outcome {
                    Ok(stats) => {
                        events += stats.events;
                        metered += stats.metered;
                        healed_ms = stats.healed_ms.max(healed_ms);
                    }
                    Err(failure) => {
                        failed += 1;
                        writeln!(out, "{failure}\n")?;
                    }
                }
            }
            writeln!(
                out,
                "{count} seeds, {failed} failed; {events} events, {metered} metered rows, all connected again after \
                 {healed_ms} ms at most"
            )?;
            failed == 0
        }
        Cli::Effects { seed } => {
            let (outcome, lines) = effects(seed);
            for line in lines {
                writeln!(out, "{line}")?;
            }
            outcome.is_ok()
        }
        Cli::Golden { count } => {
            let mut good = true;
            for (seed, outcome) in run_seeds(0..count, THREADS) {
                match outcome {
                    Ok(stats) => writeln!(out, "{}", golden_line(seed, &stats))?,
                    Err(failure) => {
                        writeln!(io::stderr(), "{failure}\n")?;
                        good = false;
                    }
                }
            }
            good
        }
        Cli::Replay { seed, verbose } => {
            let (outcome, tape) = replay(seed);
            let skip = if verbose { 0 } else { tape.len().saturating_sub(50) };
            for line in tape.iter().skip(skip) {
                writeln!(out, "{line}")?;
            }
            match &outcome {
                Ok(stats) => writeln!(out, "seed {seed}: good, {stats:?}")?,
                Err(what) => writeln!(out, "seed {seed}: {what}")?,
            }
            outcome.is_ok()
        }
    };
    out.flush()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
