//! What agents feel while somebody else floods the pool, beside the same minute without.
//!
//! The agents go before the flood on the core that they share: what they wait for is the pool's doing.

use std::{io, net::SocketAddr, rc::Rc, time::Duration};

use clap::ValueEnum as _;
use tokio::{
    task::spawn_local,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use vipnode_types::wire::method;

use super::{
    BenchArgs,
    agent::Agent,
    child::{Attacker, Kind, Server},
    figure::Figure,
    flood::Attack,
    load::{median, percentile, scaled},
    machine::{self, Urgency},
    wire::Wire,
};

/// Agents that behave, each in an address block of its own.
const AGENTS: u32 = 50;
/// Each reports this often, within its rate.
const EVERY: Duration = Duration::from_millis(100);
/// After a flood the pool is left alone for so long, else what it clears away would count as calm.
const SETTLED: Duration = Duration::from_millis(500);

/// How long each answer took, in microseconds.
type Waits = Vec<u64>;

pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Figure>) -> io::Result<()> {
    // What agents wait for a core that they share with the flood is not the pool's doing.
    Urgency::First.take()?;
    let ended = run_all(args, figures).await;
    Urgency::Ordinary.take()?;
    ended
}

async fn run_all(args: &BenchArgs, figures: &mut Vec<Figure>) -> io::Result<()> {
    for attack in Attack::value_variants() {
        let pool = Server::start(Kind::Shipped)?;
        let mut agents = Vec::new();
        for number in 0..AGENTS {
            let mut wire = Agent::new(number)?.connect(pool.address, Some(10)).await?;
            wire.call(method::REPORT, r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#).await?;
            agents.push((wire, 1));
        }
        let (mut calm, mut flooded) = (Waits::new(), Waits::new());
        let time = Duration::from_secs(args.seconds);
        for _ in 0..args.rounds {
            sleep(SETTLED).await;
            agents = measure(agents, time, &mut calm).await?;
            let flood = Attacker::start(*attack, pool.address)?;
            agents = measure(agents, time, &mut flooded).await?;
            drop(flood);
        }
        figures.push(figure(*attack, calm, flooded));
    }
    Ok(())
}

fn figure(attack: Attack, calm: Waits, flooded: Waits) -> Figure {
    let answers = flooded.len();
    let (before, during) = (percentile(calm.clone(), 99), percentile(flooded.clone(), 99));
    let ratio = scaled(during, 10, before);
    Figure {
        bench: "fairness",
        what: format!("a report of {AGENTS} others during {}, limits as shipped", attack.words()),
        figure: format!("p99 {during} µs, p50 {} µs, {answers} answers", median(flooded)),
        floor: format!("p99 {before} µs, p50 {} µs without it", median(calm)),
        ratio: format!("{}.{} times", ratio / 10, ratio % 10),
        target: "p99 <= 2 times".to_owned(),
        reached: Some(ratio <= 20),
    }
}

/// All agents report for a while; they come back.
async fn measure(agents: Vec<(Wire, u32)>, time: Duration, waits: &mut Waits) -> io::Result<Vec<(Wire, u32)>> {
    let count = u32::try_from(agents.len()).unwrap_or(u32::MAX).max(1);
    let began = Instant::now();
    let tasks: Vec<_> = agents
        .into_iter()
        .zip(0..count)
        .map(|((wire, seq), place)| spawn_local(report(wire, seq, began + EVERY * place / count, began + time)))
        .collect();
    let mut agents = Vec::new();
    for task in tasks {
        let (wire, seq, taken) = task.await.map_err(io::Error::other)??;
        waits.extend(taken);
        agents.push((wire, seq));
    }
    Ok(agents)
}

async fn report(mut wire: Wire, mut seq: u32, from: Instant, until: Instant) -> io::Result<(Wire, u32, Waits)> {
    let mut tick = interval_at(from, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waits = Waits::new();
    while tick.tick().await < until {
        seq = seq.saturating_add(1);
        let sent = Instant::now();
        wire.call(method::REPORT, &format!(r#"[{{"seq":{seq}}}]"#)).await?;
        waits.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok((wire, seq, waits))
}

/// Floods a pool until this process is ended.
pub(crate) async fn attack(attack: Attack, pool: SocketAddr) -> io::Result<()> {
    machine::pin(machine::GENERATOR)?;
    Urgency::Last.take()?;
    machine::raise_open_files()?;
    let flood = Rc::new(attack.prepare(pool)?);
    let tasks: Vec<_> = (0..attack.sockets()).map(|number| spawn_local(Rc::clone(&flood).go_on(number))).collect();
    for task in tasks {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}
