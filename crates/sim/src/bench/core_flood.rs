//! Floods of free ids against the pool core alone: the memory that a second flood adds, after the pool forgot the first one.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv6Addr},
};

use serde_json::{Value, json};
use vipnode_pool_core::{CallId, CallOutcome, Command, Core, Effect, Identity, Limits, PoolCall, Reply};
use vipnode_types::{
    AgentKey, AgentPublic, ChainSpec, Enode, LeaseId, LeaseSetHash, Ms,
    wire::{AskRequest, ClientCriteria, ConnectRequest, HostOffer, LeaveReason, LeaveRequest, PROTOCOL, ReportRequest},
};

use super::{
    core_reports::{START, node, peer, report},
    load::scaled,
    machine, measured_process,
    measurement::Measurement,
};

/// The ids of a flood, each in a /48 of one /32.
const IDS: u32 = 100_000;
/// The time between two of them, in ms: a pool accepts so many connects of one /32.
const EVERY_MS: u64 = 3;
/// The seconds between two floods. The pool forgets an id that was never paired within 20 minutes, and limits the billing periods
/// of a /32 in each hour; others wait for the next one.
const FORGOTTEN_SECONDS: u64 = 3 * 60 * 60;
/// The attackers' own host.
const HOST: u32 = 0;

/// Measures a flood of ids that connect and leave, and one of ids that were each connected with a host of the same owner.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    for (args, what) in [
        (&["core-flood"][..], "connect and leave"),
        (&["core-flood", "--paired"][..], "are each connected with a host in the same /32 for a moment, and leave"),
    ] {
        let measured: Value = serde_json::from_str(&measured_process::ask(args)?)?;
        let kib = |name: &str| measured.get(name).and_then(Value::as_u64).map_or(u64::MAX, |bytes| bytes >> 10);
        let [before, first, second] = [kib("before"), kib("first"), kib("second")];
        let added = first.saturating_sub(before);
        // In tenths of a percent of what the first flood added.
        let more = scaled(second.saturating_sub(first), 1_000, added);
        figures.push(Measurement {
            bench: "hostile",
            what: format!("memory of the core after a second flood of {IDS} ids of one /32 that {what}"),
            figure: format!("{second} KiB after the second flood"),
            floor: format!("{before} KiB before, {first} KiB after the first"),
            ratio: format!("{}.{} % more", more / 10, more % 10),
            target: "< 10 % of what the first added".to_owned(),
            reached: Some(more < 100),
        });
    }
    Ok(())
}

/// Measures in this process, which has nothing else in its memory, and prints the numbers as JSON.
pub(crate) fn serve(paired: bool, out: &mut impl Write) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    let mut flood = IdFlood::new(paired)?;
    let before = machine::user_bytes(std::process::id())?;
    let mut after = Vec::new();
    for _ in 0..2 {
        let known = flood.ids();
        after.push(machine::user_bytes(std::process::id())?);
        flood.pass();
        if known < u64::from(IDS) * 9 / 10 || flood.core.gauges().nodes > 0 {
            return Err(io::Error::other("the core does not remember the ids, or does not forget them"));
        }
        // Beyond the billing periods that they may end in an hour, the others get no host.
        let pairs = std::mem::take(&mut flood.pairs);
        if paired && pairs < IDS / 2 {
            return Err(io::Error::other(format!("only {pairs} ids were connected with their host")));
        }
    }
    writeln!(out, "{}", json!({ "before": before, "first": after.first(), "second": after.get(1) }))?;
    out.flush()
}

/// A core and ids that connect to it one after the other.
struct IdFlood {
    core: Core,
    key: AgentPublic,
    now: Ms,
    paired: bool,
    next: u32,
    /// The last report of the attackers' host, and what it reported.
    host: (u32, LeaseSetHash),
    calls: Vec<CallId>,
    granted: Option<LeaseId>,
    /// Ids of this flood that were connected with the host.
    pairs: u32,
}

impl IdFlood {
    fn new(paired: bool) -> io::Result<Self> {
        let mut core = Core::new(Limits::default(), [7; 32], START);
        core.settle_payment(START, &mut Vec::new());
        Ok(Self {
            core,
            key: AgentKey::from_random([9; 32]).map_err(io::Error::other)?.public(),
            now: START,
            paired,
            next: HOST + 1,
            host: (0, LeaseSetHash::default()),
            calls: Vec::new(),
            granted: None,
            pairs: 0,
        })
    }

    fn handle(&mut self, command: Command) {
        let mut effects = Vec::new();
        self.core.handle(self.now, command, &mut effects);
        for effect in effects {
            match effect {
                Effect::Call { call, message: PoolCall::Admit(_) | PoolCall::Evict(_), .. } => self.calls.push(call),
                Effect::Reply { reply: Ok(Reply::Ask(reply)), .. } => {
                    self.granted = reply.hosts.first().map(|host| host.lease).or(self.granted);
                }
                _ => {}
            }
        }
    }

    /// A flood. Returns how many nodes the pool remembers at its end.
    fn ids(&mut self) -> u64 {
        if self.paired {
            self.connect(HOST);
            self.host = (1, LeaseSetHash::default());
        }
        for _ in 0..IDS {
            let id = self.next;
            self.next += 1;
            self.connect(id);
            // The last ones may be refused: an address block has a share of the nodes that are remembered.
            if self.paired && self.core.node_at(peer(id)).is_some() {
                self.pair(id);
            }
            self.handle(Command::Disconnected { connection: peer(id) });
            self.wait(EVERY_MS);
        }
        self.handle(Command::Disconnected { connection: peer(HOST) });
        self.core.gauges().nodes
    }

    fn connect(&mut self, agent: u32) {
        let host = agent == HOST;
        let hello = ConnectRequest {
            protocol: PROTOCOL,
            agent_version: "vipnode/0.1.0".to_owned(),
            client_version: "Geth/v1.17.5".to_owned(),
            capabilities: Vec::new(),
            min_versions: Vec::new(),
            chain: ChainSpec { chain_id: 1, genesis: Default::default() },
            enode: Some(Enode::at(node(agent), address(agent), 30_303)),
            host: host.then_some(HostOffer { slots: 1_000, payout: None, no_trials: false }),
            client: (!host).then(ClientCriteria::default),
            join: None,
            allow_protocol2: false,
        };
        let identity = Identity { node: node(agent), agent: self.key, issued: START };
        let (connection, address, hello) = (peer(agent), address(agent), Box::new(hello));
        self.handle(Command::Connect { connection, request: 0, identity, address, callable: true, hello });
        let full = ReportRequest { full: Some(Vec::new()), hash: Some(LeaseSetHash::default()), ..report(1) };
        self.handle(Command::Report { connection, request: 0, report: Box::new(full) });
    }

    /// An id is connected with the attackers' host for a moment.
    fn pair(&mut self, id: u32) {
        self.wants(id, 1);
        self.answer_calls();
        let Some(lease) = self.granted.take() else { return };
        self.pairs += 1;
        self.host_reports(lease, true);
        let hash = Some(LeaseSetHash::of([lease]));
        let up = ReportRequest { up: vec![lease], hash, ..report(2) };
        self.handle(Command::Report { connection: peer(id), request: 0, report: Box::new(up) });
        self.wait(1);
        self.wants(id, 0);
        let leave = LeaveRequest { leases: vec![lease], reason: LeaveReason::Surplus, fault: None };
        self.handle(Command::Leave { connection: peer(id), request: 0, leave: Box::new(leave) });
        self.answer_calls();
        self.host_reports(lease, false);
    }

    fn wants(&mut self, id: u32, want: u32) {
        let ask = Box::new(AskRequest { want, avoid: Vec::new() });
        self.handle(Command::Ask { connection: peer(id), request: 0, ask });
    }

    fn answer_calls(&mut self) {
        for call in std::mem::take(&mut self.calls) {
            self.handle(Command::CallDone { call, outcome: CallOutcome::Done });
        }
    }

    fn host_reports(&mut self, lease: LeaseId, is_up: bool) {
        let (seq, hash) = (self.host.0 + 1, self.host.1.toggled(lease));
        self.host = (seq, hash);
        let list = |is: bool| if is { vec![lease] } else { Vec::new() };
        let delta = ReportRequest { up: list(is_up), down: list(!is_up), hash: Some(hash), ..report(seq) };
        self.handle(Command::Report { connection: peer(HOST), request: 0, report: Box::new(delta) });
    }

    /// Lets time pass, with the ticks that are due.
    fn wait(&mut self, ms: u64) {
        let second = self.now.get() / 1_000;
        self.now = self.now.plus(ms);
        if self.now.get() / 1_000 > second {
            self.handle(Command::Tick);
            while self.core.next_wake().is_some_and(|wake| wake <= self.now) {
                self.handle(Command::Tick);
            }
        }
    }

    fn pass(&mut self) {
        for _ in 0..FORGOTTEN_SECONDS {
            self.wait(1_000);
        }
    }
}

/// The address of an agent; up to 65,536 of them are each in another /48.
fn address(agent: u32) -> IpAddr {
    let [a, b, high, low] = agent.to_be_bytes();
    let part = |high, low| u16::from_be_bytes([high, low]);
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, part(high, low), 0, 0, 0, part(a, b), 1))
}
