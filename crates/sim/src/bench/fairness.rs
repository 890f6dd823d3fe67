//! The latency of well-behaved agents while others flood the pool, compared with the time right before and right after the flood: on a
//! machine whose speed drifts, either alone would decide.
//!
//! The agents have priority over the flood on the CPU core they share, so that what they wait for is the pool.

use std::{io, net::SocketAddr, rc::Rc, time::Duration};

use clap::ValueEnum as _;
use tokio::{
    task::spawn_local,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use vipnode_types::wire::method;

use super::{
    BenchArgs,
    flood::Attack,
    load::{median, percentile, scaled},
    load_agent::LoadAgent,
    machine::{self, SchedulingPolicy},
    measured_process::{Attacker, ServerKind, ServerProcess},
    measurement::Measurement,
    ws_client::WsClient,
};

/// Well-behaved agents, each in an address block of its own.
const AGENTS: u32 = 50;
/// The time between two reports of an agent, which is within its rate limit.
const EVERY: Duration = Duration::from_millis(100);
/// The attacks by calls that are all allowed.
const HOSTILE: [Attack; 6] =
    [Attack::Asks, Attack::Ids, Attack::SilentHosts, Attack::Liars, Attack::FreeRiders, Attack::FalseHosts];
/// The rest after a flood, so that its cleanup does not count as time without a flood.
const SETTLED: Duration = Duration::from_millis(500);

/// The latency of each answer, in µs.
type Latencies = Vec<u64>;

/// The latencies before, during, and after the floods of all rounds.
#[derive(Default)]
struct FloodPhases {
    before: Latencies,
    during: Latencies,
    after: Latencies,
}

/// Measures the attacks on the pool's sockets.
pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<()> {
    let attacks = Attack::value_variants().iter().copied().filter(|attack| !HOSTILE.contains(attack));
    run_with_priority(args, "fairness", attacks.collect(), figures).await
}

/// Measures the attacks on the pool's core, by calls that are all allowed.
pub(crate) async fn run_hostile(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<()> {
    run_with_priority(args, "hostile", HOSTILE.to_vec(), figures).await
}

async fn run_with_priority(
    args: &BenchArgs,
    bench: &'static str,
    attacks: Vec<Attack>,
    figures: &mut Vec<Measurement>,
) -> io::Result<()> {
    // Time that agents wait for the CPU core they share with the flood must not count.
    SchedulingPolicy::RealTime.apply()?;
    let ended = run_all(args, bench, attacks, figures).await;
    SchedulingPolicy::Normal.apply()?;
    ended
}

async fn run_all(
    args: &BenchArgs,
    bench: &'static str,
    attacks: Vec<Attack>,
    figures: &mut Vec<Measurement>,
) -> io::Result<()> {
    for attack in attacks {
        let pool = ServerProcess::start(ServerKind::Shipped)?;
        let mut agents = Vec::new();
        for number in 0..AGENTS {
            let mut wire = LoadAgent::new(number)?.connect(pool.address, Some(10)).await?;
            wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
            agents.push((wire, 1));
        }
        let mut phases = FloodPhases::default();
        let before_bytes = machine::user_bytes(pool.pid())?;
        let mut after_bytes = before_bytes;
        let time = Duration::from_secs(args.seconds);
        for _ in 0..args.rounds {
            sleep(SETTLED).await;
            agents = measure(agents, time, &mut phases.before).await?;
            let flood = Attacker::start(attack, pool.address)?;
            agents = measure(agents, attack.opens_in(), &mut Latencies::new()).await?;
            agents = measure(agents, time, &mut phases.during).await?;
            drop(flood);
            after_bytes = machine::user_bytes(pool.pid())?;
            sleep(SETTLED).await;
            agents = measure(agents, time, &mut phases.after).await?;
        }
        figures.push(figure(bench, attack, &phases, [before_bytes, after_bytes]));
    }
    Ok(())
}

fn figure(bench: &'static str, attack: Attack, phases: &FloodPhases, bytes: [u64; 2]) -> Measurement {
    let [memory_before, memory_after] = bytes.map(|bytes| bytes >> 10);
    let answers = phases.during.len();
    let p99 = |latencies: &Latencies| percentile(latencies.clone(), 99);
    let p50 = |latencies: &Latencies| median(latencies.clone());
    let (before, during, after) = (p99(&phases.before), p99(&phases.during), p99(&phases.after));
    let without = before.saturating_add(after);
    // In hundredths, of the mean. Rounded, so it does not decide whether the target is reached.
    let ratio = scaled(during, 200, without);
    Measurement {
        bench,
        what: format!("reports from {AGENTS} other agents during {}, default limits", attack.description()),
        figure: format!(
            "p99 {during} µs, p50 {} µs, {answers} answers; memory {memory_after} KiB afterward",
            p50(&phases.during)
        ),
        floor: format!(
            "p99 {before} µs before and {after} µs after, p50 {} µs and {} µs; memory {memory_before} KiB before",
            p50(&phases.before),
            p50(&phases.after)
        ),
        ratio: format!("{}.{:02} times", ratio / 100, ratio % 100),
        target: "p99 <= 2 times".to_owned(),
        reached: Some(during <= without),
    }
}

/// Has all agents report for a while; returns them.
async fn measure(
    agents: Vec<(WsClient, u32)>,
    time: Duration,
    latencies: &mut Latencies,
) -> io::Result<Vec<(WsClient, u32)>> {
    let count = u32::try_from(agents.len()).unwrap_or(u32::MAX).max(1);
    let began = Instant::now();
    let tasks: Vec<_> = agents
        .into_iter()
        .zip(0..count)
        .map(|((wire, seq), index)| spawn_local(report(wire, seq, began + EVERY * index / count, began + time)))
        .collect();
    let mut agents = Vec::new();
    for task in tasks {
        let (wire, seq, taken) = task.await.map_err(io::Error::other)??;
        latencies.extend(taken);
        agents.push((wire, seq));
    }
    Ok(agents)
}

async fn report(
    mut wire: WsClient,
    mut seq: u32,
    from: Instant,
    until: Instant,
) -> io::Result<(WsClient, u32, Latencies)> {
    let mut tick = interval_at(from, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut latencies = Latencies::new();
    while tick.tick().await < until {
        seq = seq.saturating_add(1);
        let sent = Instant::now();
        wire.call(method::REPORT, &format!(r#"[{{"seq":{seq}}}]"#)).await?;
        latencies.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok((wire, seq, latencies))
}

/// Floods a pool until this process is killed.
pub(crate) async fn attack(attack: Attack, pool: SocketAddr) -> io::Result<()> {
    machine::pin(machine::GENERATOR)?;
    SchedulingPolicy::Idle.apply()?;
    machine::raise_open_files()?;
    let flood = Rc::new(attack.prepare(pool)?);
    let tasks: Vec<_> = (0..attack.sockets()).map(|number| spawn_local(Rc::clone(&flood).run_socket(number))).collect();
    for task in tasks {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounded to tenths, 511 µs would be 2.0 times 250 µs.
    #[test]
    fn the_target_is_compared_exactly() {
        let of = |during, [before, after]: [u64; 2]| {
            let phases = FloodPhases { before: vec![before], during: vec![during], after: vec![after] };
            let figure = figure("fairness", Attack::Ids, &phases, [0, 0]);
            (figure.ratio, figure.reached)
        };
        assert_eq!(of(511, [250, 250]), ("2.04 times".to_owned(), Some(false)));
        assert_eq!(of(501, [250, 250]), ("2.00 times".to_owned(), Some(false)));
        assert_eq!(of(501, [200, 301]), ("2.00 times".to_owned(), Some(true)));
        assert_eq!(of(95, [191, 190]), ("0.49 times".to_owned(), Some(true)));
    }
}
