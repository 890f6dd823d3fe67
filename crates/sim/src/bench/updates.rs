//! Signed protocol-2 updates over real sockets, compared with parsing and verifying the same frames in one thread.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use vipnode_rpc::{Connection, ConnectionEvent, RpcLimits};
use vipnode_types::protocol2::{SignedCall, Update, method, signed_params};

use super::{
    BenchArgs,
    load::{Load, LoadMessage, MeasuredRate, median, scaled},
    load_agent::{LoadAgent, now},
    machine,
    measured_process::{self, ServerProcess},
    measurement::Measurement,
    ws_client::{WsClient, call_text, frame},
};

/// What is measured: the peers of an update, the sockets, and how many of them have a call under way.
const CASES: [(u32, u32, u32); 3] = [(3, 100, 100), (25, 100, 100), (3, 1_000, 64)];
/// So many frames are echoed to measure what a frame costs without the pool.
const FLOOR_FRAMES: u32 = 6_000;
/// Frames signed in advance per second; more than the pool can take.
const A_SECOND: u64 = 45_000;

/// The presigned frames of one socket.
struct Presigned {
    agent: LoadAgent,
    frames: std::vec::IntoIter<Vec<u8>>,
}

impl LoadMessage for Presigned {
    fn next(&mut self) -> Option<Vec<u8>> {
        self.frames.next()
    }

    fn accepts(&self, answer: &str) -> bool {
        answer.contains(r#""active_peers":"#)
    }
}

/// Measures updates of 3 and of 25 peers; returns updates per CPU-second of each where all sockets are under load.
pub(crate) async fn run(args: &BenchArgs, figures: &mut Vec<Measurement>) -> io::Result<Vec<(u32, u64)>> {
    let mut rates = Vec::new();
    for case in CASES {
        let measured = measure(machine::temporary_dir()?.path(), case, args, figures).await;
        let ((peers, sockets, under_way), rate) = (case, measured?);
        if sockets == under_way {
            rates.push((peers, rate));
        }
    }
    Ok(rates)
}

async fn measure(
    dir: &Path,
    (peers, sockets, under_way): (u32, u32, u32),
    args: &BenchArgs,
    figures: &mut Vec<Measurement>,
) -> io::Result<u64> {
    let bytes = update(&LoadAgent::new(0)?, peers, 0, 0).len();
    let (mut updates, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let pool = ServerProcess::start_in(dir)?;
    let mut wires = Vec::new();
    for number in 0..sockets {
        let agent = LoadAgent::new(number)?;
        wires.push((connect(&pool, &agent).await?, agent));
    }
    for round in 0..args.rounds {
        let floor = floor(peers)?;
        let load = Load { wires: presigned(wires, peers, round), under_way: under_way as usize };
        // The frames of a round last for the warm-up too, a quarter of its time.
        let (load, rate): (_, MeasuredRate) = load.run(pool.pid(), Duration::from_secs(1)).await?;
        wires = load.wires.into_iter().map(|(wire, done)| (wire, done.agent)).collect();
        ratios.push(scaled(rate.per_cpu_second(), 100, floor));
        updates.push(rate.per_cpu_second());
        floors.push(floor);
    }
    let (rate, floor, ratio) = (median(updates), median(floors), median(ratios));
    let idle =
        if under_way < sockets { format!(", {under_way} of which have a call in flight") } else { String::new() };
    figures.push(Measurement {
        bench: "updates",
        what: format!(
            "signed protocol-2 updates of {peers} peers ({bytes} bytes), {sockets} sockets{idle}, state in a database"
        ),
        figure: format!("{rate} per CPU-second"),
        floor: format!("{floor}: parse, keccak256 and libsecp256k1 alone, same frames, one thread"),
        ratio: format!("{ratio} %"),
        target: ">= 70 % of the floor".to_owned(),
        reached: Some(ratio >= 70),
    });
    Ok(rate)
}

async fn connect(pool: &ServerProcess, agent: &LoadAgent) -> io::Result<WsClient> {
    let mut wire = WsClient::open(pool.address, agent.address()).await?;
    let hello = json!({
        "vipnode_version": "v2.3.1",
        "node_info": {"version": "Geth/v1.10.26", "eth_protocol": "66", "kind": 1, "network": 1, "is_full_node": true},
        "node_uri": format!("enode://{}@{}:30303", agent.id(), agent.address()),
        "payout": "",
    });
    // After the start of the pool by any clock.
    let nonce = now().plus(1_000).get().saturating_mul(1_000_000);
    wire.call(method::CONNECT, &signed_params(agent.node(), method::CONNECT, nonce, &hello.to_string())).await?;
    Ok(wire)
}

fn presigned(wires: Vec<(WsClient, LoadAgent)>, peers: u32, round: u64) -> Vec<(WsClient, Presigned)> {
    let mut loaded = Vec::new();
    let sockets = u64::try_from(wires.len()).unwrap_or(u64::MAX);
    let each = A_SECOND / sockets * if peers > 10 { 1 } else { 2 } / 2;
    for (wire, agent) in wires {
        let frames: Vec<_> = (0..each).map(|step| update(&agent, peers, round, step)).collect();
        loaded.push((wire, Presigned { agent, frames: frames.into_iter() }));
    }
    loaded
}

/// A signed update in the form of the original vipnode's agents.
fn update(agent: &LoadAgent, peers: u32, round: u64, step: u64) -> Vec<u8> {
    frame(&update_text(agent, peers, round, step))
}

fn update_text(agent: &LoadAgent, peers: u32, round: u64, step: u64) -> String {
    let infos: Vec<String> = (0..peers).map(|peer| peer_info(agent.number, peer)).collect();
    let argument = format!(r#"{{"peers_info":[{}],"block_number":{}}}"#, infos.join(","), 21_000_000 + step);
    let nonce = now().plus(2_000).get().saturating_mul(1_000_000).saturating_add(step);
    call_text(
        round * 1_000_000 + step + 2,
        method::UPDATE,
        &signed_params(agent.node(), method::UPDATE, nonce, &argument),
    )
}

/// A peer as geth's `admin_peers` lists it and the original vipnode's agents pass it on.
fn peer_info(agent: u32, peer: u32) -> String {
    let number = agent * 1_000 + peer;
    let (id, key, head) = (format!("{number:064x}"), format!("{number:0128x}"), format!("{number:064x}"));
    let address = format!("203.0.{}.{}:30303", peer / 256, peer % 256);
    format!(
        r#"{{"id":"{id}","name":"Geth/v1.10.26-stable-e5eb32ac/linux-amd64/go1.18.5","caps":["eth/66","eth/67","eth/68","snap/1"],"protocols":{{"eth":{{"difficulty":58750003716598352816469,"head":"0x{head}","version":68}},"snap":{{"version":1}}}},"enode":"enode://{key}@{address}","network":{{"localAddress":"10.0.0.2:45678","remoteAddress":"{address}"}}}}"#
    )
}

fn floor(peers: u32) -> io::Result<u64> {
    let answer: Value = serde_json::from_str(&measured_process::ask(&["signature", "--peers", &peers.to_string()])?)?;
    Ok(answer.get("per_cpu_second").and_then(Value::as_u64).unwrap_or_default())
}

/// Parses and verifies updates in this process, and prints how long that took.
pub(crate) fn serve_floor(peers: u32, out: &mut impl Write) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    let agent = LoadAgent::new(1)?;
    let texts: Vec<String> = (0..u64::from(FLOOR_FRAMES)).map(|step| update_text(&agent, peers, 0, step)).collect();
    let before = machine::cpu_ns(std::process::id())?;
    let mut seen = 0;
    for text in &texts {
        let mut wire = Connection::<()>::new(&RpcLimits::default());
        for event in wire.read(text) {
            let ConnectionEvent::Request { method, params, .. } = event else {
                return Err(io::Error::other("no request"));
            };
            let call = SignedCall::read(&params).map_err(io::Error::other)?;
            call.verify_node(&method).map_err(io::Error::other)?;
            let argument = call.arguments.first().ok_or_else(|| io::Error::other("no argument"))?;
            seen += Update::read(argument)?.peers.len();
        }
    }
    let spent = machine::cpu_ns(std::process::id())?.saturating_sub(before);
    if seen != texts.len() * peers as usize {
        return Err(io::Error::other("peers were lost"));
    }
    writeln!(out, "{}", json!({"per_cpu_second": scaled(u64::from(FLOOR_FRAMES), 1_000_000_000, spent)}))?;
    out.flush()
}
