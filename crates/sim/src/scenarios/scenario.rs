use std::net::{IpAddr, Ipv4Addr};

use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, PeerPolicy, Protocol2Config};
use vipnode_pool_core::Limits;
use vipnode_types::{AgentKey, AgentPublic, Capability, NodeId, Price, Wei};

use crate::Dice;

/// What one seed plays: who is there, and how rough it gets.
#[derive(Debug)]
pub struct Scenario {
    /// Every agent with its node.
    pub agents: Vec<AgentPlan>,
    /// The pool's limits.
    pub limits: Limits,
    /// How long things go wrong.
    pub safety_ms: u64,
    /// Between two faults, on average.
    pub fault_every_ms: u64,
    /// Faults of these kinds alone; empty for none.
    pub faults: Vec<Fault>,
}

/// One agent and the node beside it.
#[derive(Debug, Clone)]
pub struct AgentPlan {
    /// The node.
    pub id: NodeId,
    /// The agent's key.
    pub key: AgentPublic,
    /// Where both are seen from.
    pub ip: IpAddr,
    /// Whether the node can be dialled.
    pub listens: bool,
    /// The node's `--maxpeers`.
    pub max_peers: u32,
    /// Own peers that dialled the node.
    pub own_in: u32,
    /// Own peers that the node dialled.
    pub own_out: u32,
    /// Whether the node tells of peers that go (`peerEvents`).
    pub peer_events: bool,
    /// Whether the node serves snap beside eth.
    pub snap: bool,
    /// Whether its agent speaks protocol 2, in this run or by turns: it cannot tell a pool what its node serves.
    pub protocol2: bool,
    /// What the agent wants.
    pub config: AgentConfig,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A socket dies; each end notices when it does.
    CutSocket,
    /// An agent cannot reach the pool for a while.
    PartitionAgent,
    /// kill -9 of an agent; it is started again later.
    CrashAgent,
    /// Ctrl-C at an agent; it is started again later.
    StopAgent,
    /// A node goes and comes back without its memory.
    RestartNode,
    /// Two nodes cannot reach each other for a while.
    SeverNodes,
    /// A connection between two nodes breaks.
    BreakLink,
    /// kill -9 of the pool.
    CrashPool,
    /// The pool's machine sleeps.
    PausePool,
    /// Commits take seconds.
    SlowCommits,
    /// A commit fails.
    FailCommit,
    /// The wall clock of an agent's machine jumps.
    JumpClock,
    /// Frames of an agent come seconds late.
    LateFrames,
    /// Frames of an agent come twice.
    DoubleFrames,
    /// A node follows no blocks for a while.
    StickHead,
    /// A node answers calls with errors, whether it did them or not.
    FlakyNode,
    /// An agent is stopped and comes back with the other protocol.
    OtherProtocol,
    /// An agent reports each lease that it has as up and never down. One lies in a run: two that lie
    /// together pay themselves.
    Lie,
}

const FAULTS: [Fault; 18] = [
    Fault::CutSocket,
    Fault::PartitionAgent,
    Fault::CrashAgent,
    Fault::StopAgent,
    Fault::RestartNode,
    Fault::SeverNodes,
    Fault::BreakLink,
    Fault::CrashPool,
    Fault::PausePool,
    Fault::SlowCommits,
    Fault::FailCommit,
    Fault::JumpClock,
    Fault::LateFrames,
    Fault::DoubleFrames,
    Fault::StickHead,
    Fault::FlakyNode,
    Fault::OtherProtocol,
    Fault::Lie,
];

impl AgentPlan {
    /// Whether the agent wants hosts that serve snap.
    #[must_use]
    pub fn needs_snap(&self) -> bool {
        !self.config.policy.rules.need.is_empty()
    }

    /// How it speaks protocol 2, where it does.
    pub(crate) const fn protocol2_config(&self) -> Protocol2Config {
        let update_interval_ms = if self.own_in.is_multiple_of(3) { MINUTE_MS / 2 } else { MINUTE_MS };
        Protocol2Config { update_interval_ms }
    }
}

/// Capabilities by their names.
pub(crate) fn capabilities(names: &[&str]) -> Vec<Capability> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

const MINUTE_MS: u64 = 60_000;

impl Scenario {
    /// Draws a scenario.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        let hosts = dice.count(1, 4);
        let clients = dice.count(1, 6);
        let both = if dice.chance(400) { dice.count(1, 3) } else { 0 };
        let abundant = dice.chance(600);
        let mut agents = Vec::new();
        for number in 0..hosts + clients + both {
            let sells = number < hosts || number >= hosts + clients;
            let seeks = number >= hosts;
            let places = if abundant { clients + both } else { dice.count(1, 4) };
            let wanted = dice.count(1, hosts.min(3));
            agents.push(draw_agent(dice, &agents, number, sells.then_some(places), if seeks { wanted } else { 0 }));
        }
        if dice.chance(450) {
            speak_protocol2(dice, &mut agents);
        }
        let calm = dice.chance(120);
        let kinds = if dice.chance(500) { 1_000 } else { 350 };
        let faults = FAULTS.into_iter().filter(|_| !calm && dice.chance(kinds)).collect();
        Self {
            agents,
            limits: draw_limits(dice),
            safety_ms: dice.range(10, 50) * MINUTE_MS,
            fault_every_ms: dice.range(5_000, 90_000),
            faults,
        }
    }
}

/// Some of the agents speak protocol 2.
fn speak_protocol2(dice: &mut Dice, agents: &mut [AgentPlan]) {
    let per_mille = if dice.chance(250) { 1_000 } else { 500 };
    for plan in agents {
        // Nobody of protocol 2 dials a client, so here everybody dials by itself.
        plan.own_out = plan.own_out.min(5);
        if dice.chance(per_mille) {
            plan.protocol2 = true;
            // It would find out by itself only, from one unsuitable host after the other.
            plan.config.policy = PeerPolicy::default();
            plan.config.allow_protocol2 = true;
            plan.config.protocol2 = Some(plan.protocol2_config());
        }
    }
}

fn draw_limits(dice: &mut Dice) -> Limits {
    let mut limits = Limits::default();
    if dice.chance(400) {
        limits.price = Price::per_minute(Wei::new(u128::from(dice.range(1, 1_000_000_000))));
        // Used-up budgets would forbid what the end of a run asks for; half of the priced runs keep them.
        if dice.chance(500) {
            limits.unpaired_ms_a_day = 24 * 60 * MINUTE_MS;
        }
    }
    if dice.chance(300) {
        limits.rollover_ms = dice.range(5, 15) * MINUTE_MS;
    }
    if dice.chance(300) {
        limits.expiries_a_handle = dice.count(1, 3);
    }
    limits
}

fn draw_agent(dice: &mut Dice, others: &[AgentPlan], number: u32, places: Option<u32>, min_peers: u32) -> AgentPlan {
    let [a, b, c, d] = (number + 1).to_be_bytes();
    let mut id = [0; 64];
    id[..4].copy_from_slice(&[d, c, b, a]);
    id[63] = 1;
    // Some share a public address, as behind one router.
    let neighbour = if dice.chance(150) { others.last().map(|other| other.ip) } else { None };
    let ip = neighbour.unwrap_or(IpAddr::V4(Ipv4Addr::new(11, c, d, 1)));
    let max_peers = 50;
    let full = places.is_some() && dice.chance(700);
    let listens = places.is_some() || dice.chance(600);
    let key = loop {
        // All but a few values of 2^256 are keys.
        if let Ok(key) = AgentKey::from_random(dice.seed()) {
            break key.public();
        }
    };
    let snap = dice.chance(800);
    let mut policy = PeerPolicy::default();
    if min_peers > 0 && dice.chance(250) {
        policy.rules.need.extend(capabilities(&["snap/1"]));
    }
    let no_slot_to_dial = places.is_none() && listens && neighbour.is_none() && dice.chance(150);
    AgentPlan {
        id: NodeId::new(id),
        key,
        ip,
        listens,
        max_peers,
        own_in: if full { max_peers - max_peers / 3 } else { dice.count(0, 5) },
        own_out: if no_slot_to_dial { max_peers / 3 } else { dice.count(0, 5) },
        peer_events: dice.chance(600),
        snap,
        protocol2: false,
        config: AgentConfig {
            agent_version: "vipnode/sim".to_owned(),
            pool: true,
            direct: DirectConfig::default(),
            min_peers,
            max_price: None,
            strict: false,
            policy,
            host: places.map(|slots| HostConfig {
                slots,
                reserve: 16,
                node_max_peers: max_peers,
                payout: None,
                max_head_age_s: Some(600),
            }),
            advertise: Advertise::Node,
            protocol2: None,
            allow_protocol2: false,
            seed: dice.seed(),
        },
    }
}
