//! A few hundred seeds. `vipnode-sim seeds --count N` runs more.

use vipnode_sim::{AttackerKind, Family, Honesty, Scenario, SimRng, golden_line, replay, run_seed, run_seeds};

const SEEDS: u64 = 600;
const ATTACKER_SEEDS: u64 = 24;
/// What honest clients waited for in these: the pool restarts while silent hosts hold the offers of clients, which then got no
/// further hosts (33, 80); strangers' claims of slots had others of them hold those of honest hosts (36, 61, 78); a flood used
/// up the offers of new hosts (46, 54, 65); it asked at the moment when a slot became free (142, 146, 166), also of a host that
/// was still new (327, 581). After a restart, the pool took a client that had one of its two hosts for one that has all (678, 820,
/// 1060); no further hosts followed those that a client got instead of its first one (1089); and one offer of a host of
/// protocol 2 used up the share of an address block (1167).
///
/// In others, an honest client that returned before its host after each of many restarts was kept apart from it (202), and the
/// simulator itself woke the pool several times for one deadline, until a run had millions of events (642, 1100).
const FOUND: [u64; 23] =
    [33, 36, 46, 54, 61, 65, 78, 80, 142, 146, 166, 202, 327, 575, 581, 642, 678, 716, 820, 1060, 1089, 1100, 1167];
const CREDIT_SEEDS: u64 = 100;
/// What clients that pay met in these: a period that began before a price counted was billed at it (168); an honest pair was kept
/// apart for the time after its host had reported the client as gone, if another row began before the host returned (390, 449), and
/// for the pool's own downtime if the client had not reported the host before (376). In others, the simulator's own liar claimed over
/// protocol 2 that a peer was gone, and its agent, which knew nothing of that, kept dialing it (298, 425).
const FOUND_CREDIT: [u64; 6] = [168, 298, 376, 390, 425, 449];
const CLOCK_SEEDS: u64 = 40;
const THREADS: u64 = 2;
const GOLDEN: &str = include_str!("../../golden/effects.txt");

/// One run of each seed for both: the promises of the checker, and the golden effects of both cores.
#[test]
fn every_seed_keeps_the_promises_and_its_golden_effects() {
    let mut failures = Vec::new();
    let (mut metered, mut billed_ms, mut billed2_ms) = (0, 0, 0);
    let mut lines = Vec::new();
    for (seed, outcome) in run_seeds(Family::Faults, 0..SEEDS, THREADS) {
        match outcome {
            Ok(stats) => {
                metered += stats.metered;
                billed_ms += stats.billed_ms;
                billed2_ms += stats.billed2_ms;
                lines.push(golden_line(seed, &stats));
            }
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{} seeds failed\n\n{}", failures.len(), failures.join("\n\n"));
    // A simulator in which no pair ever connects would pass everything else.
    assert!(metered > 10 * SEEDS && billed_ms > SEEDS * 30 * 60_000, "{metered} rows, {billed_ms} ms");
    assert!(billed2_ms > SEEDS * 10 * 60_000, "{billed2_ms} ms over protocol 2");
    assert_golden(&lines);
}

/// Fails with the first seed that differs, how to see the difference, and what to do if it is intended.
fn assert_golden(lines: &[String]) {
    let golden: Vec<&str> = GOLDEN.lines().collect();
    assert_eq!(golden.len(), lines.len(), "golden/effects.txt has another number of seeds");
    let differ: Vec<usize> = (0..lines.len()).filter(|&seed| golden[seed] != lines[seed]).collect();
    let Some(&seed) = differ.first() else { return };
    panic!(
        "the effects of {} seeds differ from golden/effects.txt, the first is seed {seed}:\n\
         golden: {}\n   now: {}\n\
         To see the first effect that differs, run this here and on the commit before, and compare with diff:\n  \
         cargo run -q -p vipnode-sim -- effects --seed {seed} >effects-of-this-commit.txt\n\
         If the change of behavior is intended, write the file again and say so in the commit:\n  \
         cargo run -q -p vipnode-sim -- golden >effects.txt && mv effects.txt crates/sim/golden/effects.txt",
        differ.len(),
        golden[seed],
        lines[seed],
    );
}

#[test]
fn a_seed_always_plays_the_same() {
    for seed in 0..5 {
        assert_eq!(run_seed(Family::Faults, seed).unwrap(), replay(Family::Faults, seed).0.unwrap(), "seed {seed}");
    }
    assert_ne!(run_seed(Family::Faults, 0).unwrap().digest, run_seed(Family::Faults, 1).unwrap().digest);
}

/// Free ids, silent hosts, refusing hosts, hosts that the pool knows, with proven clients of theirs, liars, floods of searches and of
/// billing periods, free riders, and hosts that harm by their word, in a few /24s or in many /48s, with restarts of the pool, agents of protocol 2, clients of two hosts, and too few slots. As many seeds as half a minute allows on a slow machine; `vipnode-sim seeds --attackers --count N` runs more.
#[test]
fn attackers_keep_within_their_bounds() {
    let runs = run_seeds(Family::Attackers, 0..ATTACKER_SEEDS, THREADS);
    let failures: Vec<String> = runs.iter().filter_map(|(_, run)| Some(run.as_ref().err()?.to_string())).collect();
    assert!(failures.is_empty(), "{} seeds failed\n\n{}", failures.len(), failures.join("\n\n"));
    let billed_ms: u64 = runs.iter().filter_map(|(_, run)| Some(run.as_ref().ok()?.billed_ms)).sum();
    assert!(billed_ms > ATTACKER_SEEDS * 4 * 60_000, "{billed_ms} ms: honest pairs are connected and billed");
    let waits = runs.iter().filter_map(|(_, run)| Some(run.as_ref().ok()?.waits));
    let (all, late) = waits.fold((0, 0), |(all, late), waits| (all + waits.all, late + waits.late));
    // Runs with too few slots count none. Few waits are late: in seed 255, a client waits until its node may dial hosts of protocol 2
    // again, which it was connected with before, and which do not dial.
    assert!(all >= ATTACKER_SEEDS / 2 && late * 100 <= all, "{late} of {all} waits for a host took more than 3 s");
    // The flood of rows reaches the hourly limit.
    let rows = runs.iter().filter_map(|(_, run)| Some(run.as_ref().ok()?.attackers_rows));
    assert!(rows.max().is_some_and(|rows| rows >= 100));
    let drawn = || (0..100).map(|seed| Scenario::draw_hostile(&mut SimRng::new(seed)));
    let known = |scenario: &Scenario| scenario.attackers.iter().any(|plan| plan.kind == AttackerKind::KnownHosts);
    let in_ipv6 = |scenario: &Scenario| {
        scenario.agents.iter().any(|plan| plan.honesty == Honesty::FreeRider && plan.ip.is_ipv6())
    };
    assert!(drawn().filter(known).count() >= 10 && drawn().any(|scenario| in_ipv6(&scenario)));
    for seed in FOUND {
        let stats = run_seed(Family::Attackers, seed).unwrap();
        assert_eq!(stats.waits.late, 0, "seed {seed}");
    }
}

/// Clients pay while faults happen, price and payment mode change, backups are restored, and agents lie alone or in league: no
/// money is created or lost, each metered period is billed once and at a price of the pool, nobody owes what was metered without
/// payments, what the operator was acknowledged is there, honest pairs are billed what they used, a lone liar is served for no
/// longer without being billed than it may and locks nobody out, and funded clients are served again. `vipnode-sim seeds --credit --count N` runs more.
#[test]
fn a_ledger_keeps_its_books_through_faults() {
    let runs = run_seeds(Family::Credit, 0..CREDIT_SEEDS, THREADS);
    let failures: Vec<String> = runs.iter().filter_map(|(_, run)| Some(run.as_ref().err()?.to_string())).collect();
    assert!(failures.is_empty(), "{} seeds failed\n\n{}", failures.len(), failures.join("\n\n"));
    let billed_ms: u64 = runs.iter().filter_map(|(_, run)| Some(run.as_ref().ok()?.billed_ms)).sum();
    assert!(billed_ms > CREDIT_SEEDS * 5 * 60_000, "{billed_ms} ms: funded pairs are connected and billed");
    let drawn = (0..CREDIT_SEEDS).map(|seed| Scenario::draw_credit(&mut SimRng::new(seed)));
    let liars: Vec<Honesty> = drawn.flat_map(|scenario| scenario.agents).map(|plan| plan.honesty).collect();
    for lies in [Honesty::FreeRider, Honesty::FalseHost] {
        assert!(liars.iter().filter(|honesty| **honesty == lies).count() >= 5, "{lies:?}");
    }
    for seed in FOUND_CREDIT {
        run_seed(Family::Credit, seed).unwrap();
    }
}

/// The clock of the pool's machine is ahead for days while the pool is killed again and again, and the operator accepts it once it is
/// right: exactly the periods with time that did not pass are overbilled, each once and with the right amount, and nothing else
/// breaks. `vipnode-sim seeds --clock --count N` runs more.
#[test]
fn a_clock_that_was_ahead_is_corrected() {
    let runs = run_seeds(Family::Clock, 0..CLOCK_SEEDS, THREADS);
    let failures: Vec<String> = runs.iter().filter_map(|(_, run)| Some(run.as_ref().err()?.to_string())).collect();
    assert!(failures.is_empty(), "{} seeds failed\n\n{}", failures.len(), failures.join("\n\n"));
    let corrected = runs.iter().filter(|(_, run)| run.as_ref().is_ok_and(|stats| stats.overbilled > 0)).count();
    assert!(corrected >= 10, "in {corrected} runs, a period is overbilled");
}
