//! The pool core alone, without sockets: the cost of a report among few nodes and among many.

use std::{
    io::{self, Write},
    net::IpAddr,
};

use serde_json::{Value, json};
use vipnode_pool_core::{CallId, CallOutcome, Command, ConnectionId, Core, Effect, Identity, Limits, PoolCall, Reply};
use vipnode_types::{
    Account, AgentKey, AgentPublic, ChainSpec, Enode, LeaseId, LeaseSetHash, Ms, NodeId, PayoutOrder,
    signed::Signature,
    wire::{AskRequest, ClientCriteria, ConnectRequest, HostOffer, PROTOCOL, ReportRequest},
};

use super::{load::scaled, machine, measured_process, measurement::Measurement};

/// Leases of each client. Half of the nodes are clients, so there are twice as many leases as nodes.
const LEASES_A_CLIENT: u32 = 4;
/// The least number of measured reports; each agent sends the same number.
const REPORTS: u32 = 2_000_000;
/// The report interval, in ms.
const INTERVAL_MS: u64 = 60_000;
pub(crate) const START: Ms = Ms::new(1_700_000_000_000);
/// Seconds of the pool's time between the last lease and the first measured report: by then each node counts as proven, which
/// happens once.
pub(super) const SETTLE_SECONDS: u32 = 12 * 60;
const FEW: u32 = 10_000;
const MANY: u32 = 1_000_000;

/// Measures a small and a large pool.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    let (few, many) = (measured("core", FEW)?, measured("core", MANY)?);
    let of = |measured: &Value, name: &str| measured.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
    let report = of(&many, "report_ns");
    let size = format!("{MANY} nodes and {} leases", MANY * 2);
    figures.push(Measurement {
        bench: "core",
        what: format!("a protocol-3 report among {size}, ticks included"),
        figure: format!("{report} ns"),
        floor: format!("{} ns among {FEW} nodes", of(&few, "report_ns")),
        ratio: format!("{} %", scaled(report, 100, of(&few, "report_ns"))),
        target: "<= 2000 ns".to_owned(),
        reached: Some(report <= 2_000),
    });
    let (few_updates, many_updates) = (measured("core-updates", FEW)?, measured("core-updates", MANY)?);
    let update = of(&many_updates, "update_ns");
    figures.push(Measurement {
        bench: "core",
        what: format!("a protocol-2 update of 25 peers among {size}, ticks included"),
        figure: format!("{update} ns"),
        floor: format!("{} ns among {FEW} nodes", of(&few_updates, "update_ns")),
        ratio: format!("{} %", scaled(update, 100, of(&few_updates, "update_ns"))),
        target: "<= 5000 ns".to_owned(),
        reached: Some(update <= 5_000),
    });
    let rows = |few_or_many, of_updates| {
        let updates = of(of_updates, "rows_of_updates");
        (of(few_or_many, "rows_of_reports"), updates, of(few_or_many, "periods_of_a_thousand_leases"))
    };
    let (few_rows, many_rows) = (rows(&few, &few_updates), rows(&many, &many_updates));
    figures.push(Measurement {
        bench: "core",
        what: format!(
            "rows written by unchanged reports, by unchanged updates, and by 1000 leases from ask to both up, among \
             {size}"
        ),
        figure: format!("{many_rows:?}"),
        floor: format!("{few_rows:?} among {FEW} nodes"),
        ratio: String::new(),
        target: "equal".to_owned(),
        reached: Some(few_rows == many_rows),
    });
    for (what, name, target) in [("a connected node", "node_bytes", 512), ("a lease", "lease_bytes", 128)] {
        let bytes = of(&many, name);
        figures.push(Measurement {
            bench: "core",
            what: format!("memory of {what}, indexes included, among {size}"),
            figure: format!("{bytes} bytes"),
            floor: format!("{} bytes among {FEW} nodes", of(&few, name)),
            ratio: String::new(),
            target: format!("<= {target} bytes"),
            reached: Some(bytes <= target),
        });
    }
    Ok(())
}

pub(super) fn measured(what: &str, nodes: u32) -> io::Result<Value> {
    Ok(serde_json::from_str(&measured_process::ask(&[what, "--nodes", &nodes.to_string()])?)?)
}

/// Measures in this process, which has nothing else in its memory, and prints the numbers as JSON.
pub(crate) fn serve(nodes: u32, out: &mut impl Write) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    let mut fleet = ReportFleet::new(nodes, benchmark_limits())?;
    let bytes = |before: u64, count: u32| -> io::Result<u64> {
        Ok(scaled(machine::user_bytes(std::process::id())?.saturating_sub(before), 1, u64::from(count)))
    };
    let before = machine::user_bytes(std::process::id())?;
    fleet.connect_all();
    let node_bytes = bytes(before, nodes)?;
    let before = machine::user_bytes(std::process::id())?;
    let leases = fleet.lease_all()?;
    let lease_bytes = bytes(before, leases)?;
    let report_ns = fleet.report_all()?;
    let measured = json!({
        "node_bytes": node_bytes,
        "lease_bytes": lease_bytes,
        "periods_of_a_thousand_leases": scaled(fleet.lease_rows, 1_000, u64::from(leases)),
        "rows_of_reports": fleet.report_rows,
        "report_ns": report_ns,
    });
    writeln!(out, "{measured}")?;
    out.flush()
}

/// Without the limits that keep one agent from crowding out others.
pub(super) fn benchmark_limits() -> Limits {
    Limits { offers_minimum: u32::MAX, never_paired_nodes: u32::MAX, ..Limits::default() }
}

/// A core and its agents, known by their numbers. The even ones are hosts.
pub(super) struct ReportFleet {
    core: Core,
    key: AgentPublic,
    pub(super) nodes: u32,
    /// The payout account of the hosts.
    payout: Option<PayoutOrder>,
    said: Vec<(u32, LeaseSetHash)>,
    now: Ms,
    turn: u32,
    resyncs: u64,
    report_rows: u64,
    lease_rows: u64,
    calls: Vec<(ConnectionId, CallId, LeaseId)>,
    granted: Vec<LeaseId>,
    out: Vec<Effect>,
}

impl ReportFleet {
    pub(super) fn new(nodes: u32, limits: Limits) -> io::Result<Self> {
        let payout = (!limits.price.is_free()).then(|| {
            // The core takes orders whose signature was verified.
            PayoutOrder { account: Account::new([5; 20]), counter: START, signature: Signature::new([0; 64]) }
        });
        let mut core = Core::new(limits, [7; 32], START);
        core.settle_payment(START, &mut Vec::new());
        Ok(Self {
            core,
            payout,
            key: AgentKey::from_random([9; 32]).map_err(io::Error::other)?.public(),
            nodes,
            said: vec![(1, LeaseSetHash::default()); nodes as usize],
            now: START,
            turn: 0,
            resyncs: 0,
            report_rows: 0,
            lease_rows: 0,
            calls: Vec::new(),
            granted: Vec::new(),
            out: Vec::with_capacity(64),
        })
    }

    /// Handles a command and returns how many rows it wrote.
    pub(super) fn handle(&mut self, command: Command) -> u64 {
        let mut written = 0;
        self.core.handle(self.now, command, &mut self.out);
        for effect in self.out.drain(..) {
            match effect {
                Effect::Persist(rows) => written += rows.len() as u64,
                Effect::Call { connection: peer, call, message: PoolCall::Admit(admit), .. } => {
                    self.calls.push((peer, call, admit.lease));
                }
                Effect::Reply { reply: Ok(Reply::Ask(reply)), .. } => {
                    self.granted.extend(reply.hosts.iter().map(|leased| leased.lease));
                }
                Effect::Reply { reply: Ok(Reply::Report(reply)), .. } => self.resyncs += u64::from(reply.resync),
                Effect::Reply { .. } | Effect::Call { .. } | Effect::Close { .. } | Effect::Chain(_) => {}
            }
        }
        written
    }

    pub(super) fn connect_all(&mut self) {
        for agent in 0..self.nodes {
            let host = agent.is_multiple_of(2);
            let hello = ConnectRequest {
                protocol: PROTOCOL,
                agent_version: "vipnode/0.1.0".to_owned(),
                client_version: "Geth/v1.17.5".to_owned(),
                capabilities: Vec::new(),
                min_versions: Vec::new(),
                chain: ChainSpec { chain_id: 1, genesis: Default::default() },
                enode: Some(Enode::at(node(agent), address(agent), 30_303)),
                host: host.then_some(HostOffer {
                    slots: 2 * LEASES_A_CLIENT,
                    payout: self.payout.clone(),
                    no_trials: false,
                }),
                client: (!host).then(ClientCriteria::default),
                join: None,
                allow_protocol2: false,
            };
            let identity = Identity { node: node(agent), agent: self.key, issued: START };
            let (peer, address) = (peer(agent), address(agent));
            self.handle(Command::Connect {
                connection: peer,
                request: 0,
                identity,
                address,
                callable: true,
                hello: Box::new(hello),
            });
            let full = ReportRequest { full: Some(Vec::new()), hash: Some(LeaseSetHash::default()), ..report(1) };
            self.handle(Command::Report { connection: peer, request: 0, report: Box::new(full) });
        }
    }

    /// Has each client ask for its hosts and both sides connect to each other, while all agents report; returns the
    /// number of leases. State that only serves the beginning of a lease is gone by then.
    pub(super) fn lease_all(&mut self) -> io::Result<u32> {
        let mut leases = 0;
        // Slowly, so that what the core remembers of the last half minute's leases weighs little.
        let a_second = self.nodes.div_ceil(240);
        for want in 1..=LEASES_A_CLIENT {
            for client in (1..self.nodes).step_by(2) {
                if leases % a_second == 0 {
                    self.second();
                }
                let ask = Box::new(AskRequest { want, avoid: Vec::new() });
                self.lease_rows += self.handle(Command::Ask { connection: peer(client), request: 0, ask });
                let Some((host, call, lease)) = self.calls.pop() else {
                    return Err(io::Error::other("the core found no host"));
                };
                self.lease_rows += self.handle(Command::CallDone { call, outcome: CallOutcome::Done });
                if self.granted.pop() != Some(lease) {
                    return Err(io::Error::other("the core did not grant what the host admitted"));
                }
                self.lease_rows += self.up(host.connection, lease) + self.up(client, lease);
                leases += 1;
            }
        }
        for _ in 0..SETTLE_SECONDS {
            self.second();
        }
        if self.core.gauges().running != u64::from(leases) {
            return Err(io::Error::other("not all leases run"));
        }
        Ok(leases)
    }

    fn up(&mut self, agent: u32, lease: LeaseId) -> u64 {
        let Some((seq, hash)) = self.said.get_mut(agent as usize) else { return 0 };
        (*seq, *hash) = (*seq + 1, hash.toggled(lease));
        let report = ReportRequest { up: vec![lease], hash: Some(*hash), ..report(*seq) };
        self.handle(Command::Report { connection: peer(agent), request: 0, report: Box::new(report) })
    }

    /// One second of a pool: the reports that are due, in no particular order, and the ticks that are due.
    fn second(&mut self) {
        for _ in 0..self.nodes.div_ceil(60) {
            // A prime step reaches each agent once in a round.
            self.turn = (self.turn + 611_953) % self.nodes;
            let agent = self.turn;
            let Some((seq, _)) = self.said.get_mut(agent as usize) else { continue };
            *seq += 1;
            let report = Box::new(report(*seq));
            self.report_rows += self.handle(Command::Report { connection: peer(agent), request: 0, report });
        }
        self.now = self.now.plus(INTERVAL_MS / 60);
        self.handle(Command::Tick);
        while self.core.next_wake().is_some_and(|wake| wake <= self.now) {
            self.handle(Command::Tick);
        }
    }

    /// Sends unchanged reports; returns the CPU time of one, including its share of the ticks, in ns.
    fn report_all(&mut self) -> io::Result<u64> {
        let running = self.core.gauges().running;
        let seconds = REPORTS.div_ceil(self.nodes.div_ceil(60));
        let before = machine::cpu_ns(std::process::id())?;
        for _ in 0..seconds {
            self.second();
        }
        let spent = machine::cpu_ns(std::process::id())?.saturating_sub(before);
        if self.resyncs > 0 || self.core.gauges().running != running {
            return Err(io::Error::other("the core did not take all reports"));
        }
        Ok(scaled(spent, 1, u64::from(seconds) * u64::from(self.nodes.div_ceil(60))))
    }
}

pub(super) fn report(seq: u32) -> ReportRequest {
    ReportRequest { seq, ..ReportRequest::default() }
}

pub(crate) fn node(agent: u32) -> NodeId {
    let mut bytes = [1; 64];
    bytes[..4].copy_from_slice(&agent.to_be_bytes());
    NodeId::new(bytes)
}

/// The number of the agent of a node made by [`node`].
pub(crate) fn agent_number(node: &NodeId) -> u32 {
    let [a, b, c, d, ..] = *node.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

pub(crate) const fn peer(agent: u32) -> ConnectionId {
    ConnectionId { gateway: 0, connection: agent, generation: 0 }
}

/// The address of an agent; each has an address block of its own.
pub(crate) fn address(agent: u32) -> IpAddr {
    IpAddr::from((0x0b00_0001_u32.wrapping_add(agent.wrapping_mul(256))).to_be_bytes())
}
