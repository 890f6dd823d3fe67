//! The page `docs/benchmarks.md`.

use std::{fs, io, path::Path, process::Command, time::SystemTime};

use super::{
    BenchArgs, machine,
    measurement::{Measurement, TABLE_HEAD},
};

/// The path of the page, relative to this crate.
const PAGE_PATH: &str = "../../docs/benchmarks.md";

const INTRO: &str = "\
Written by `cargo run --profile dist -p vipnode-sim -- bench all --write`; do not edit.

How it is measured:

- The load generator and the pool are separate processes, each pinned to one CPU core. \"Per CPU-second\" counts the CPU
  time of all threads of the pool, including the kernel's work for its sockets, so that other load on the machine has
  little effect. Some remains; ratios to a floor of the same run vary less.
- Each figure is compared with its floor: what the same machine does in the same minute without the pool around it.
- The pool is `vipnode_pool::PoolServer`, for `reports` and `updates` with its database, otherwise with the memory store.
  Limits that keep one agent from crowding out others are raised: rate and burst of a socket and of an address block,
  sockets per address, pending offers, the time to authenticate. Everything else is as `vipnode pool` runs it.
- Sockets are real, over loopback. `reports`, `updates`: 100 sockets, each with one call in flight, and for updates of
  3 peers also 1,000 sockets, of which the 64 that waited longest have one in flight. Frames of `updates` are signed in
  advance and have the form in which agents of the original vipnode send them.
- `core` is the pool core alone, in one thread, with the ticks that are due; its commands are generated as it runs.
- `restart`, and `store` while statements are read and backups are made: all CPU cores may be used, as by `vipnode pool`.
  Nothing else runs meanwhile.
- `idle` is the growth of the pool's anonymous memory since its start, divided by the number of sockets: it includes the
  pool's tables, allocator overhead, and all buffers. Kernel memory is listed separately and covers both ends of each
  socket.
- `fairness`: the flood is a separate process on the CPU core of the load generator, where scheduling policies (`chrt`,
  as root) give the agents priority. If the flood merely had a lower priority, it would keep the core for slices of
  4 ms. The ratio is to the mean of the p99 right before and right after the flood.
- `hostile`: the same for attacks in which every call is within the limits. The memory is the pool's anonymous memory.
  For a second flood, it is that of the core alone, without sockets: an ID connects every 3 ms, and the second flood
  begins three hours after the first one, when the pool has forgotten all of its IDs.

The last section contains figures for the original vipnode on the same kind of machine.
";

/// Measured by hand, because the benchmarks start no execution client.
const RESTARTS: &str = "\
## Restarts of a client on real geth nodes

From the start of a client's agent to its connected host, geth 1.17.5, debug profile, 2 cores. Each row is 20 restarts by
Ctrl-C, measured by `cargo nextest run -p vipnode --run-ignored only --no-capture -E 'test(twenty_restarts)'` in a network
namespace (`.config/isolated`) on 2026-11-30, all four rows at once, while the machine also compiled.

| hosts | time between starts | p50 | p95 | max |
|---|---|---|---|---|
| 1 | none (started as soon as the previous one has stopped) | 229 ms | 33.7 s | 33.7 s |
| 1 | 18 s | 56 ms | 76 ms | 80 ms |
| 2 | none (started as soon as the previous one has stopped) | 150 ms | 32.6 s | 32.8 s |
| 2 | 9 s | 55 ms | 128 ms | 144 ms |

geth does not dial a node twice within 35 s, so a client and a host can connect at most twice in that time, each side
dialing once. The target of 3 s at p95 is reached if the starts are far enough apart. If each start follows immediately,
the client shows how long the nodes will wait: for the 15 starts that took more than 3 s, the time shown was accurate to
within 27 ms.
";

/// Measured by hand, because the benchmarks start no execution client.
const FIRST_PEER: &str = "\
## Time to the first peer

On real geth 1.17.5 nodes, debug profile, 2 cores that also compiled, 2026-11-30: from a client's start to the host in
the peer list of its node, next to how long geth itself takes to dial the same host (`admin_addPeer`). Five rounds, each
with new nodes, measured by `crates/cli/examples/first_peer.rs` in a network namespace.

| | p50 | max |
|---|---|---|
| geth alone, from the call | 16 ms | 20 ms |
| `vipnode client`, from the start of the program | 72 ms | 139 ms |
";

/// Measured by hand, because it takes ten minutes.
const FULL_DISK: &str = "\
## A full disk

10,000 agents with 9,000 leases, each reporting every 10 s, and a RAM disk that is full for 10 minutes: 599,958 reports
answered, 1,663 newcomers answered \"busy\", no socket closed, no lease ended. The pool served newcomers 4.7 s after
there was space again (target: 10 s). Debug profile, 2 cores, 2026-11-30, measured by `vipnode-sim full-disk` as root.
";

const CRASHES: &str = "\
## Kills and power cuts

300 kills (`kill -9`) of a pool that charges, each 20 to 400 ms after its start, with 4 hosts, 12 clients, and an
operator: 12,523 leases, 15,668 changes of who pays, 18,701 entries in the ledger. Everything that was acknowledged was
present exactly once, all sums added up, and nothing was billed that only one side saw. 282 s, measured by
`vipnode-sim kill --count 300 --seed 1`.

10,000 power cuts of databases that are written, pruned, closed, and opened, 4,684 of them with the batches of a
simulated pool that charges: everything that was acknowledged was present, a batch that was being written was present
completely or not at all (7,611 times not at all), and the ledger added up. 32 s, measured by
`vipnode-sim power-cuts --seed 1`.

Debug profile, 2 cores, 2026-11-30.
";

const ORIGINAL: &str = "\
## The original vipnode on the same kind of machine

Go pool 33ade7f, one CPU core, calls signed in advance, fresh data for each run. Signed updates of 3 peers per second:
4,482 in memory with 100 nodes, 2,996 with 1,000, 1,368 with 10,000; and on its persistent store, 140, 32, and 3.8. An
idle registered connection took 24-29 KB (35-46 KB on the persistent store). A client waited 0.5-0.6 ms for its hosts
with the in-memory store, and 17.5 ms with the persistent store and 1,000 hosts. Of 1,000 clients at once on 10 hosts,
81-89 % failed.
";

/// Writes the whole page.
pub(crate) fn write(args: &BenchArgs, figures: &[Measurement]) -> io::Result<()> {
    let rows: Vec<String> = figures.iter().map(Measurement::row).collect();
    let missed = figures.iter().filter(|figure| figure.reached == Some(false)).count();
    let verdict = match missed {
        0 => "All targets are reached.".to_owned(),
        missed => format!("{missed} targets are not reached; the table marks them."),
    };
    let text = format!(
        "# Benchmarks\n\n{INTRO}\n## {} at {}\n\n{}, {} cores; each measurement {} s, the median of {}. {verdict}\n\n\
         {TABLE_HEAD}\n{}\n\n{FIRST_PEER}\n{RESTARTS}\n{FULL_DISK}\n{CRASHES}\n{ORIGINAL}",
        humantime::format_rfc3339_seconds(SystemTime::now()),
        commit(),
        machine::processor(),
        machine::cores(),
        args.seconds,
        args.rounds,
        rows.join("\n"),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE_PATH);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// The measured commit, and whether the working tree has changes.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "unknown commit".to_owned() };
    let changed = git(&["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"]);
    if changed.is_some_and(|changed| changed.is_empty()) { commit } else { format!("{commit} with changes") }
}
