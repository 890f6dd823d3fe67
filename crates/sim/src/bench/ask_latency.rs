//! Hosts that admit every client, and clients that ask: how long a client waits for its first host.

use std::{io, rc::Rc, time::Duration};

use tokio::{
    sync::Barrier,
    task::{AbortHandle, JoinSet, spawn_local},
    time::{Instant, timeout},
};
use vipnode_types::wire::method;

use super::{
    load::{median, percentile, scaled},
    load_agent::LoadAgent,
    measured_process::{ServerKind, ServerProcess},
    measurement::Measurement,
    ws_client::WsClient,
};

const HOSTS: u32 = 1_000;
const ASKS: u32 = 500;
const CLIENTS: u32 = 1_000;
const FEW_HOSTS: u32 = 10;
const FEW_HOSTS_PLACES: u32 = 400;
/// The time after which a client without a host counts as not served; the pool's own limit for an ask is 5 s.
const PATIENCE: Duration = Duration::from_secs(10);
const FULL_REPORT: &str = r#"[{"seq":1,"full":[],"hash":"0000000000000000"}]"#;
const ASK: &str = r#"[{"want":1}]"#;
/// The number of the first client.
const FIRST_CLIENT: u32 = 100_000;

/// Hosts that admit every client; they disconnect when this is dropped.
struct Hosts(Vec<AbortHandle>);

impl Drop for Hosts {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn hosts(pool: &ServerProcess, count: u32, slots: u32) -> io::Result<Hosts> {
    let mut hosts = Hosts(Vec::new());
    for number in 0..count {
        let mut wire = LoadAgent::new(number)?.connect(pool.address, Some(slots)).await?;
        wire.call(method::REPORT, FULL_REPORT).await?;
        hosts.0.push(spawn_local(admit_all(wire)).abort_handle());
    }
    Ok(hosts)
}

async fn admit_all(mut wire: WsClient) -> io::Result<()> {
    loop {
        let call: serde_json::Value = serde_json::from_str(wire.next().await?)?;
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": call.get("id"), "result": {}}).to_string();
        wire.send(&answer).await?;
    }
}

/// Asks, and waits for the first host.
async fn ask(wire: &mut WsClient) -> io::Result<Duration> {
    let asked = Instant::now();
    let answer = timeout(PATIENCE, wire.call(method::ASK, ASK)).await??;
    if answer.contains("enode://") { Ok(asked.elapsed()) } else { Err(io::Error::other(format!("no host: {answer}"))) }
}

/// Measures one client after the other.
pub(crate) async fn one_by_one(figures: &mut Vec<Measurement>) -> io::Result<()> {
    let pool = ServerProcess::start(ServerKind::Pool)?;
    let _hosts = hosts(&pool, HOSTS, 10).await?;
    let mut us = Vec::new();
    for number in FIRST_CLIENT..FIRST_CLIENT + ASKS {
        let mut client = LoadAgent::new(number)?.connect(pool.address, None).await?;
        us.push(micros(ask(&mut client).await?));
    }
    let (p50, p99) = (median(us.clone()), percentile(us, 99));
    let echo = ServerProcess::start(ServerKind::Echo)?;
    let mut wire = WsClient::open(echo.address, LoadAgent::new(0)?.address()).await?;
    let mut floor = Vec::new();
    for _ in 0..ASKS {
        let sent = Instant::now();
        wire.send(ASK).await?;
        wire.next().await?;
        floor.push(micros(sent.elapsed()));
    }
    let floor = median(floor).saturating_mul(2);
    figures.push(Measurement {
        bench: "ask",
        what: format!("from ask to first host admitted, {HOSTS} hosts connected, {ASKS} clients, one after another"),
        figure: format!("p50 {p50} µs, p99 {p99} µs"),
        floor: format!("{floor} µs, p50 of two echoes: to the pool, and on to the host"),
        ratio: format!("{} %", scaled(p50, 100, floor)),
        target: "p50 <= 400 µs".to_owned(),
        reached: Some(p50 <= 400),
    });
    Ok(())
}

/// Measures all clients at once: already connected, and including opening the socket.
pub(crate) async fn at_once(figures: &mut Vec<Measurement>) -> io::Result<()> {
    for connected in [true, false] {
        let pool = ServerProcess::start(ServerKind::Pool)?;
        let _hosts = hosts(&pool, FEW_HOSTS, FEW_HOSTS_PLACES).await?;
        let clients: Vec<io::Result<Duration>> = burst(&pool, connected).await?;
        let us: Vec<u64> = clients.iter().flatten().map(|wait| micros(*wait)).collect();
        let served = us.len();
        let (p50, p99) = (median(us.clone()), percentile(us, 99));
        let from = if connected { "from the ask" } else { "from the opening of the socket, signed connect included" };
        figures.push(Measurement {
            bench: "burst",
            what: format!(
                "{CLIENTS} clients at once on {FEW_HOSTS} hosts with {FEW_HOSTS_PLACES} slots each, to the first host, \
                 {from}"
            ),
            figure: format!("{served} served, p50 {} ms, p99 {} ms", p50 / 1_000, p99 / 1_000),
            floor: "the original: 81-89 % fail after 5 s".to_owned(),
            ratio: String::new(),
            target: "all served, p99 <= 300 ms".to_owned(),
            reached: Some(served == CLIENTS as usize && p99 <= 300_000),
        });
    }
    Ok(())
}

async fn burst(pool: &ServerProcess, connected: bool) -> io::Result<Vec<io::Result<Duration>>> {
    let start = Rc::new(Barrier::new(CLIENTS as usize));
    let address = pool.address;
    let mut clients = JoinSet::new();
    for number in FIRST_CLIENT..FIRST_CLIENT + CLIENTS {
        let start = Rc::clone(&start);
        let agent = LoadAgent::new(number)?;
        let mut wire = if connected { Some(agent.connect(address, None).await?) } else { None };
        clients.spawn_local(async move {
            start.wait().await;
            let began = Instant::now();
            let mut wire = match wire.take() {
                Some(wire) => wire,
                None => agent.connect(address, None).await?,
            };
            ask(&mut wire).await?;
            // The socket stays open while the others wait.
            Ok((began.elapsed(), wire))
        });
    }
    let ended = clients.join_all().await;
    Ok(ended.into_iter().map(|client| client.map(|(wait, _socket)| wait)).collect())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
