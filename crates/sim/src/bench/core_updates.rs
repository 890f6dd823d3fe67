//! The pool core alone: the cost of a protocol-2 update, which lists all peers of a node each time.

use std::io::{self, Write};

use serde_json::json;
use vipnode_pool_core::{CallId, CallOutcome, Command, ConnectionId, Core, Effect, Limits, PoolCall};
use vipnode_types::{
    Ms, NodeId,
    protocol2::{Call, Kind, NodeInfo, PeerRequest, Protocol2ConnectRequest, Update},
};

use super::{
    core_reports::{SETTLE_SECONDS, START, address, agent_number, node, peer},
    load::scaled,
    machine,
};

/// Peers in an update.
const PEERS: usize = 25;
/// Hosts that each client asks for. Half of the nodes are clients, so there are twice as many leases as nodes.
const LEASES_A_CLIENT: u32 = 4;
/// How often clients ask at most.
const ROUNDS: usize = 10;
/// The least number of measured updates.
const UPDATES: u32 = 1_000_000;
/// The number of the first peer that is not in the pool.
const OTHER_NODES: u32 = 1 << 31;

/// Measures in this process and prints the numbers as JSON.
pub(crate) fn serve(nodes: u32, out: &mut impl Write) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    let mut fleet = UpdateFleet::new(nodes);
    fleet.connect_all();
    let leases = fleet.lease_all()?;
    let seconds = UPDATES.div_ceil(nodes.div_ceil(60)).max(60);
    fleet.rows = 0;
    let before = machine::cpu_ns(std::process::id())?;
    for _ in 0..seconds {
        fleet.second();
    }
    let spent = machine::cpu_ns(std::process::id())?.saturating_sub(before);
    if fleet.core.gauges().running != u64::from(leases) {
        return Err(io::Error::other("leases ended"));
    }
    let update_ns = scaled(spent, 1, u64::from(seconds) * u64::from(nodes.div_ceil(60)));
    writeln!(out, "{}", json!({"update_ns": update_ns, "rows_of_updates": fleet.rows}))?;
    out.flush()
}

struct UpdateFleet {
    core: Core,
    nodes: u32,
    /// Peers that are not in the pool.
    other_nodes: Vec<NodeId>,
    /// The nodes that each node has a lease with, and their number.
    peers: Vec<([u32; PEERS], usize)>,
    now: Ms,
    calls: u64,
    turn: u32,
    rows: u64,
    /// Calls that hosts have yet to answer: the host, the call, and the client.
    whitelists: Vec<(ConnectionId, CallId, NodeId)>,
    out: Vec<Effect>,
}

impl UpdateFleet {
    fn new(nodes: u32) -> Self {
        let limits = Limits { offers_minimum: u32::MAX, never_paired_nodes: u32::MAX, ..Limits::default() };
        Self {
            core: Core::new(limits, [7; 32], START),
            nodes,
            other_nodes: (OTHER_NODES..).take(PEERS).map(node).collect(),
            peers: vec![([0; PEERS], 0); nodes as usize],
            now: START,
            calls: 0,
            turn: 0,
            rows: 0,
            whitelists: Vec::new(),
            out: Vec::with_capacity(64),
        }
    }

    fn handle(&mut self, command: Command) -> u64 {
        let mut written = 0;
        self.core.handle(self.now, command, &mut self.out);
        for effect in self.out.drain(..) {
            match effect {
                Effect::Persist(rows) => written += rows.len() as u64,
                Effect::Call { connection: peer, call, message: PoolCall::Whitelist(client), .. } => {
                    self.whitelists.push((peer, call, client));
                }
                Effect::Call { .. } | Effect::Reply { .. } | Effect::Close { .. } | Effect::Chain(_) => {}
            }
        }
        written
    }

    fn call(&mut self, agent: u32, call: Call) -> u64 {
        self.calls += 1;
        let nonce = self.now.get() * 1_000_000 + self.calls % 1_000_000;
        let (peer, address) = (peer(agent), address(agent));
        self.handle(Command::Protocol2 {
            connection: peer,
            request: 0,
            node: node(agent),
            nonce,
            address,
            callable: true,
            call,
        })
    }

    fn connect_all(&mut self) {
        for agent in 0..self.nodes {
            let hello = Protocol2ConnectRequest {
                vipnode_version: "v2.3.1".to_owned(),
                node_info: NodeInfo {
                    version: "Geth/v1.10.26".to_owned(),
                    eth_protocol: "66".to_owned(),
                    kind: Kind::Geth,
                    network: 1,
                    is_full_node: true,
                },
                ..Protocol2ConnectRequest::default()
            };
            self.now = self.now.plus(u64::from(agent.is_multiple_of(100)));
            self.call(agent, Call::Connect(Box::new(hello)));
            self.update(agent);
        }
    }

    /// Has every client ask for its hosts while all agents send updates; returns the number of running leases. A host that was
    /// never paired gets few clients at once, so clients ask again for what they miss.
    fn lease_all(&mut self) -> io::Result<u32> {
        let wanted = u64::from(self.nodes / 2 * LEASES_A_CLIENT);
        for _ in 0..ROUNDS {
            for client in (1..self.nodes).step_by(2) {
                if client % (self.nodes.div_ceil(120) | 1) == 0 {
                    self.second();
                }
                let missing = LEASES_A_CLIENT.saturating_sub(self.known(client));
                if missing > 0 {
                    let ask = PeerRequest { num: i64::from(missing), ..PeerRequest::default() };
                    self.call(client, Call::Peer(ask));
                    self.admit_all();
                }
            }
            if self.core.gauges().running >= wanted * 9 / 10 {
                break;
            }
        }
        for _ in 0..SETTLE_SECONDS {
            self.second();
            self.admit_all();
        }
        let running = self.core.gauges().running;
        if running < wanted * 9 / 10 {
            return Err(io::Error::other(format!("{running} of {wanted} leases run")));
        }
        u32::try_from(running).map_err(io::Error::other)
    }

    /// The number of nodes that an agent has a lease with.
    fn known(&self, agent: u32) -> u32 {
        let known = self.peers.get(agent as usize).map_or(0, |(_, known)| *known);
        u32::try_from(known).unwrap_or(u32::MAX)
    }

    /// Has all hosts admit their clients. A client whose offers are slow gets further hosts without asking.
    fn admit_all(&mut self) {
        while let Some((host, call, client)) = self.whitelists.pop() {
            self.handle(Command::CallDone { call, outcome: CallOutcome::Done });
            let client = agent_number(&client);
            self.see(host.connection, client);
            self.see(client, host.connection);
        }
    }

    fn see(&mut self, agent: u32, other: u32) {
        let Some((peers, known)) = self.peers.get_mut(agent as usize) else { return };
        if let Some(peer) = peers.get_mut(*known) {
            (*peer, *known) = (other, *known + 1);
        }
    }

    fn update(&mut self, agent: u32) -> u64 {
        let Some((known, count)) = self.peers.get(agent as usize) else { return 0 };
        let mut peers = self.other_nodes.clone();
        for (peer, other) in peers.iter_mut().zip(known.iter().take(*count)) {
            *peer = node(*other);
        }
        self.call(agent, Call::Update(Update { peers, block_number: 21_000_000 }))
    }

    /// One second of a pool: the updates that are due, in no particular order, and the ticks that are due.
    fn second(&mut self) {
        for _ in 0..self.nodes.div_ceil(60) {
            // A prime step reaches each agent once in a round.
            self.turn = (self.turn + 611_953) % self.nodes;
            self.rows += self.update(self.turn);
        }
        self.now = self.now.plus(1_000);
        self.handle(Command::Tick);
        while self.core.next_wake().is_some_and(|wake| wake <= self.now) {
            self.handle(Command::Tick);
        }
    }
}
