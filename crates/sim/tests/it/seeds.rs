//! A few hundred seeds. `vipnode-sim seeds --count N` plays more.

use std::thread;

use vipnode_sim::{replay, run_seed};

const SEEDS: u64 = 600;
const THREADS: u64 = 2;

#[test]
fn every_seed_keeps_the_promises() {
    let play = |thread: u64| (0..SEEDS).filter(move |seed| seed % THREADS == thread).map(run_seed);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || play(thread).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut failures = Vec::new();
    let (mut metered, mut billed_ms, mut billed2_ms) = (0, 0, 0);
    for outcome in outcomes {
        match outcome {
            Ok(stats) => {
                metered += stats.metered;
                billed_ms += stats.billed_ms;
                billed2_ms += stats.billed2_ms;
            }
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{} seeds failed\n\n{}", failures.len(), failures.join("\n\n"));
    // A simulator in which nobody ever meets would pass everything else.
    assert!(metered > 10 * SEEDS && billed_ms > SEEDS * 30 * 60_000, "{metered} rows, {billed_ms} ms");
    assert!(billed2_ms > SEEDS * 10 * 60_000, "{billed2_ms} ms over protocol 2");
}

#[test]
fn a_seed_always_plays_the_same() {
    for seed in 0..5 {
        assert_eq!(run_seed(seed).unwrap(), replay(seed).0.unwrap(), "seed {seed}");
    }
    assert_ne!(run_seed(0).unwrap().digest, run_seed(1).unwrap().digest);
}
