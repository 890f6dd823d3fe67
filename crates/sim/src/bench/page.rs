//! `docs/benchmarks.md`, written whole by the command that measured.

use std::{fs, io, path::Path, process::Command, time::SystemTime};

use super::{
    BenchArgs,
    figure::{Figure, HEAD},
    machine,
};

/// Relative to this crate.
const PLACE: &str = "../../docs/benchmarks.md";

const WORDS: &str = "\
Written by `cargo run --release -p vipnode-sim -- bench all --write`; do not edit.

How it is measured:

- The load generator and the pool are processes of their own, each tied to one core. \"Per CPU-second\" counts the
  CPU time of all threads of the pool, the kernel's work for its sockets included, so that a neighbour on the same
  machine disturbs little. Still it swings with what else runs; ratios to a floor of the same run swing less.
- Every figure stands beside its floor: what the same machine does in the same minute without the pool around it.
- The pool is `vipnode_pool::PoolServer` on the memory store, with the limits raised that keep one agent from
  crowding out others: calls a second and burst of a socket and of an address block, sockets of an address, the time
  to say who one is.
  Everything else is as `vipnode pool` runs it.
- Sockets are real ones over loopback. `reports`, `updates`: 100 sockets, each with one call under way.
  Frames of `updates` are signed beforehand and have the form in which the original's agents send them.
- `core` is the pool's core alone, in one thread, with the ticks that are due; its commands are made as it runs.
- `idle` is what the pool's anonymous memory grew by, from its start, divided by the sockets: its own tables, the
  allocator's losses and all buffers included. The kernel's memory is told apart; both ends of each socket are in it.
- `fairness`: the flood is a process beside the agents on the generator's core, where they go before it by the
  scheduler's policies (`chrt`, as root): a low priority alone lets a flood keep the core for a slice of 4 ms.

What the original did on such a machine stands in the last section.
";

const ORIGINAL: &str = "\
## The original on such a machine

Go pool 33ade7f, one core, presigned calls, fresh data each run: 4,482 signed updates of 3 peers a second in memory at
100 nodes, 2,996 at 1,000, 1,368 at 10,000; on its persistent store 140, 32 and 3.8. An idle registered connection took
24-29 KB (35-46 KB on the persistent store). From asking to having its hosts 0.5-0.6 ms in memory, 17.5 ms on the
persistent store with 1,000 hosts. Of 1,000 clients at once on 10 hosts 81-89 % failed.
";

/// Writes the page.
pub(crate) fn write(args: &BenchArgs, figures: &[Figure]) -> io::Result<()> {
    let rows: Vec<String> = figures.iter().map(Figure::row).collect();
    let missed = figures.iter().filter(|figure| figure.reached == Some(false)).count();
    let verdict = match missed {
        0 => "Every target is reached.".to_owned(),
        missed => format!("Targets not reached: {missed}. They are marked in the table."),
    };
    let text = format!(
        "# Benchmarks\n\n{WORDS}\n## {} at {}\n\n{}, {} cores; each measurement {} s, the median of {}. {verdict}\n\n\
         {HEAD}\n{}\n\n{ORIGINAL}",
        humantime::format_rfc3339_seconds(SystemTime::now()),
        commit(),
        machine::processor(),
        machine::cores(),
        args.seconds,
        args.rounds,
        rows.join("\n"),
    );
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(place, text)
}

/// The commit that was measured, and whether something was changed since.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "an unknown commit".to_owned() };
    let changed = git(&["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"]);
    if changed.is_some_and(|changed| changed.is_empty()) { commit } else { format!("{commit} with changes") }
}
