use std::{
    fmt,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use super::{
    World,
    world::{Stats, Tape},
};

/// A seed under which something broke.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which.
    pub seed: u64,
    /// What broke.
    pub what: String,
    /// The last that happened before.
    pub last: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.last {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        write!(f, "play it again: cargo run -p vipnode-sim -- replay --seed {} -v", self.seed)
    }
}

/// Plays one seed in silence; a seed that fails is played again with its last events written down.
///
/// # Errors
/// What broke.
pub fn run_seed(seed: u64) -> Result<Stats, Box<Failure>> {
    let (outcome, _) = play(seed, Tape::Off);
    outcome.map_err(|what| {
        let (again, last) = play(seed, Tape::Last(std::collections::VecDeque::new()));
        let what = match again {
            Err(again) if again == what => what,
            again => format!("{what}\nand not again when played again, so the run is not deterministic: {again:?}"),
        };
        Box::new(Failure { seed, what, last })
    })
}

/// Plays these seeds on that many threads; the outcomes are in the order of the seeds.
pub fn run_seeds(seeds: Range<u64>, threads: u64) -> Vec<(u64, Result<Stats, Box<Failure>>)> {
    let play = |thread: u64| {
        let seeds = seeds.clone().filter(move |seed| seed % threads == thread);
        seeds.map(|seed| (seed, run_seed(seed))).collect::<Vec<_>>()
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

/// Plays one seed and returns the golden encoding of every effect of both cores, one line each: the time in ms, 0 for
/// the pool or the index of the agent plus 1, then the encoding.
pub fn effects(seed: u64) -> (Result<Stats, String>, Vec<String>) {
    play(seed, Tape::Effects)
}

/// Plays one seed and tells everything that happened.
pub fn replay(seed: u64) -> (Result<Stats, String>, Vec<String>) {
    play(seed, Tape::All(Vec::new()))
}

/// A mind that panics is a failure as any other.
fn play(seed: u64, tape: Tape) -> (Result<Stats, String>, Vec<String>) {
    let mut world = World::new(seed, tape);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let outcome = outcome.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
        Err(format!("a panic: {}", text.unwrap_or("without words")))
    });
    (outcome, world.tape())
}
