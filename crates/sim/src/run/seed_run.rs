use std::{
    fmt,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use vipnode_pool_core::Row;

use super::{
    Simulation,
    simulation::{Stats, Trace},
};
use crate::checks::{Promise, Violation};

/// A family of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Faults happen.
    Faults,
    /// Attackers do what they can.
    Attackers,
    /// Faults happen, and clients pay.
    Credit,
    /// Faults happen, clients pay, and the clock of the pool's machine is ahead for some time.
    Clock,
}

/// A seed whose run broke a promise.
#[derive(Debug, Clone)]
pub struct SeedFailure {
    /// The family of scenarios that the seed is drawn from.
    pub family: Family,
    /// The seed of all randomness in the run.
    pub seed: u64,
    /// The promise, and how it was broken.
    pub violation: Violation,
    /// The last events before.
    pub last: Vec<String>,
}

impl fmt::Display for SeedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.last {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}: {}", self.seed, self.violation)?;
        let family = match self.family {
            Family::Faults => "",
            Family::Attackers => " --attackers",
            Family::Credit => " --credit",
            Family::Clock => " --clock",
        };
        write!(f, "replay it: cargo run -p vipnode-sim -- replay --seed {}{family} -v", self.seed)
    }
}

/// Runs one seed without a trace; a seed that fails runs again with one.
///
/// # Errors
/// The first promise that is broken, with the last events before.
pub fn run_seed(family: Family, seed: u64) -> Result<Stats, Box<SeedFailure>> {
    let (outcome, _) = play(family, seed, Trace::Off);
    outcome.map_err(|violation| {
        let (again, last) = play(family, seed, Trace::Last(std::collections::VecDeque::new()));
        let violation = match again {
            Err(again) if again == violation => violation,
            again => Promise::Determinism
                .violation(format!("the first run broke a promise ({violation}), the second did not: {again:?}")),
        };
        Box::new(SeedFailure { family, seed, violation, last })
    })
}

/// Runs these seeds on `threads` threads; the outcomes are in the order of the seeds.
pub fn run_seeds(family: Family, seeds: Range<u64>, threads: u64) -> Vec<(u64, Result<Stats, Box<SeedFailure>>)> {
    let play = |thread: u64| {
        let seeds = seeds.clone().filter(move |seed| seed % threads == thread);
        seeds.map(|seed| (seed, run_seed(family, seed))).collect::<Vec<_>>()
    };
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || play(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    outcomes.sort_by_key(|(seed, _)| *seed);
    outcomes
}

/// A line of `golden/effects.txt`: the seed, the digest over all effects of both cores, and how many there were.
#[must_use]
pub fn golden_line(seed: u64, stats: &Stats) -> String {
    format!("{seed} {:016x} {}", stats.digest, stats.effects)
}

/// Runs one seed and returns the golden encoding of every effect of both cores, one line each: the time in ms, 0 for
/// the pool or the index of the agent plus 1, then the encoding.
pub fn effects(seed: u64) -> (Result<Stats, Violation>, Vec<String>) {
    play(Family::Faults, seed, Trace::Effects)
}

/// Runs a seed in which clients pay, and returns each batch that the pool wrote. No backup is restored: the batches before would not be
/// those of the same database.
pub(crate) fn pool_batches(seed: u64) -> Result<Vec<Vec<Row>>, Violation> {
    let mut simulation = Simulation::new(Family::Credit, seed, Trace::Off);
    simulation.scenario.credit.restores = false;
    simulation.pool.batches = Some(Vec::new());
    simulation.run()?;
    Ok(simulation.pool.batches.take().unwrap_or_default())
}

/// Runs one seed and returns its outcome and every event.
pub fn replay(family: Family, seed: u64) -> (Result<Stats, Violation>, Vec<String>) {
    play(family, seed, Trace::All(Vec::new()))
}

/// A panic of a core is a broken promise like any other.
fn play(family: Family, seed: u64, trace: Trace) -> (Result<Stats, Violation>, Vec<String>) {
    let mut simulation = Simulation::new(family, seed, trace);
    let outcome = catch_unwind(AssertUnwindSafe(|| simulation.run()));
    let outcome = outcome.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
        Promise::NoPanic.broken(text.unwrap_or("a panic without a message"))
    });
    (outcome, simulation.take_trace())
}
