use std::net::{IpAddr, Ipv4Addr};

use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, PeerPolicy};
use vipnode_pool_core::Limits;
use vipnode_types::{AgentKey, Capability, ChainSpec, NodeId, PaymentMode, Price};

use super::{
    AgentPlan, AttackerPlan, CreditShape, FaultKind, Honesty, HostileShape, credit_shape::account, fault::FAULTS,
};
use crate::SimRng;

pub(super) const MINUTE_MS: u64 = 60_000;

/// The setup of a run: its agents, and its faults.
#[derive(Debug)]
pub struct Scenario {
    /// Every agent, with its node.
    pub agents: Vec<AgentPlan>,
    /// The pool's limits.
    pub limits: Limits,
    /// How long faults happen, in ms.
    pub safety_ms: u64,
    /// The mean time between two faults, in ms.
    pub fault_every_ms: u64,
    /// The kinds of faults that happen; empty for none.
    pub faults: Vec<FaultKind>,
    /// Attackers; empty in the family of faults.
    pub attackers: Vec<AttackerPlan>,
    /// What else happens in the family in which clients pay.
    pub credit: CreditShape,
}

/// The chain of every agent with a node.
pub(crate) fn honest_chain() -> ChainSpec {
    ChainSpec { chain_id: 1_337, genesis: [7; 32].into() }
}

impl Scenario {
    /// Draws a scenario.
    #[must_use]
    pub fn draw(rng: &mut SimRng) -> Self {
        let hosts = rng.count(1, 4);
        let clients = rng.count(1, 6);
        let both = if rng.chance(400) { rng.count(1, 3) } else { 0 };
        let abundant = rng.chance(600);
        let mut agents = Vec::new();
        for number in 0..hosts + clients + both {
            let sells = number < hosts || number >= hosts + clients;
            let seeks = number >= hosts;
            let slots = if abundant { clients + both } else { rng.count(1, 4) };
            let wanted = rng.count(1, hosts.min(3));
            agents.push(draw_agent(rng, &agents, number, sells.then_some(slots), if seeks { wanted } else { 0 }));
        }
        if rng.chance(450) {
            speak_protocol2(rng, &mut agents);
        }
        let calm = rng.chance(120);
        let kinds = if rng.chance(500) { 1_000 } else { 350 };
        let faults = FAULTS.into_iter().filter(|_| !calm && rng.chance(kinds)).collect();
        Self {
            agents,
            limits: draw_limits(rng),
            safety_ms: rng.range(10, 50) * MINUTE_MS,
            fault_every_ms: rng.range(5_000, 90_000),
            faults,
            attackers: Vec::new(),
            credit: CreditShape::default(),
        }
    }

    /// Draws a scenario with attackers, and without faults other than restarts of the pool. Honest hosts mostly have more
    /// slots than clients want.
    #[must_use]
    pub fn draw_hostile(rng: &mut SimRng) -> Self {
        let mut more = rng.apart();
        let shape = HostileShape::draw(&mut more);
        let (hosts, clients) = (rng.count(3, 5), rng.count(3, 6));
        let clients = if shape.scarce { hosts + more.count(1, 4) } else { clients };
        let attackers = AttackerPlan::draw_all(rng, hosts, &shape, &mut more);
        let riders = rng.count(0, 1).max(shape.riders);
        let riders = if shape.scarce || shape.row_flood { 0 } else { riders };
        let false_hosts = if rng.chance(400) && !shape.scarce { rng.count(1, 2) } else { 0 };
        let slots = if shape.scarce { 1 } else { clients + hosts + shape.riders + 8 };
        let mut agents = Vec::new();
        for number in 0..hosts + clients + riders + false_hosts {
            let honesty = match number {
                _ if number < hosts + clients => Honesty::Honest,
                _ if number < hosts + clients + riders => Honesty::FreeRider,
                _ => Honesty::FalseHost,
            };
            let sells = number < hosts || honesty == Honesty::FalseHost;
            let wanted = match honesty {
                Honesty::FreeRider => hosts,
                _ if shape.two_hosts && more.chance(600) => 2,
                _ => 1,
            };
            let mut plan = draw_agent(rng, &agents, number, sells.then_some(slots), if sells { 0 } else { wanted });
            let [.., block] = number.to_be_bytes();
            plan.ip = match honesty {
                Honesty::FreeRider if shape.riders > 0 => shape.rider_ip(number),
                _ => IpAddr::V4(Ipv4Addr::new(20 + block, block, 1, 1)),
            };
            plan.own_outbound = plan.own_outbound.min(5);
            plan.config.policy = PeerPolicy::default();
            plan.honesty = honesty;
            agents.push(plan);
        }
        // The pool assumes a number of slots for hosts of protocol 2, so none of them can be scarce.
        if rng.chance(350) && !shape.scarce {
            speak_protocol2(rng, &mut agents);
        }
        let mut limits =
            Limits { never_paired_nodes: 500, chains: 60, versions: 60, profiles: 60, ..Limits::default() };
        limits.price = Price::per_minute(1_000);
        if shape.known_hosts {
            // So that strangers are proven before a run ends.
            limits.proven_ms = MINUTE_MS;
        }
        if shape.row_flood {
            // So that both limits are reached before a run ends.
            (limits.periods_an_hour, limits.periods_an_hour_of_a_block, limits.waiting_periods) = (40, 100, 60);
        }
        let floods = attackers.iter().any(|group| group.every_ms < 500);
        let minutes = if riders > 0 && !floods { rng.range(30, 40) } else { rng.range(4, 8) };
        let faults = if rng.chance(400) { vec![FaultKind::CrashPool] } else { Vec::new() };
        let fault_every_ms = rng.range(1, 4) * MINUTE_MS;
        let (safety_ms, credit) = (minutes * MINUTE_MS, CreditShape::default());
        let mut scenario = Self { agents, limits, safety_ms, fault_every_ms, faults, attackers, credit };
        if riders > 0 && !shape.two_hosts && more.chance(500) {
            scenario.ride_trials(&mut more);
        }
        scenario
    }

    /// Has clients pay, and free riders have nobody who pays for them, so that they get trials. The pool does not restart: in its
    /// reconnect window no trial ends.
    fn ride_trials(&mut self, more: &mut SimRng) {
        self.limits.payment = PaymentMode::Credit;
        self.limits.trial_ms = more.range(2, 10) * MINUTE_MS;
        self.faults.clear();
        for (plan, number) in self.agents.iter_mut().zip(0..) {
            if let Some(host) = plan.config.host.as_mut() {
                host.payout = Some(account(2, number));
            }
        }
    }

    /// Whether the honest hosts have fewer slots than honest clients want.
    #[must_use]
    pub fn is_scarce(&self) -> bool {
        let honest = || self.agents.iter().filter(|plan| plan.honesty == Honesty::Honest);
        let slots: u32 = honest().filter_map(|plan| plan.config.host.as_ref()).map(|host| host.slots).sum();
        slots < honest().map(|plan| plan.config.min_peers).sum()
    }
}

/// Has some of the agents speak protocol 2.
fn speak_protocol2(rng: &mut SimRng, agents: &mut [AgentPlan]) {
    let per_mille = if rng.chance(250) { 1_000 } else { 500 };
    for plan in agents {
        // Over protocol 2 no host dials a client, so here every client has to be able to dial.
        plan.own_outbound = plan.own_outbound.min(5);
        if rng.chance(per_mille) {
            plan.protocol2 = true;
            // Its pool could not know: it would have to try one incompatible host after the other.
            plan.config.policy = PeerPolicy::default();
            plan.config.allow_protocol2 = true;
            plan.config.protocol2 = Some(plan.protocol2_config());
        }
    }
}

fn draw_limits(rng: &mut SimRng) -> Limits {
    let mut limits = Limits::default();
    if rng.chance(400) {
        limits.price = Price::per_minute(rng.range(1, 1_000_000_000));
        // A used-up budget would forbid leases that the end of a run requires; half of the priced runs keep it.
        if rng.chance(500) {
            limits.unpaired_ms_a_day = 24 * 60 * MINUTE_MS;
            limits.unpaired_pair_ms = 24 * 60 * MINUTE_MS;
        }
    }
    if rng.chance(300) {
        limits.rollover_ms = rng.range(5, 15) * MINUTE_MS;
        limits.rollover_group_ms = limits.rollover_ms / 5;
    }
    if rng.chance(300) {
        limits.expiries_a_handle = rng.count(1, 3);
    }
    limits
}

fn draw_agent(rng: &mut SimRng, others: &[AgentPlan], number: u32, slots: Option<u32>, min_peers: u32) -> AgentPlan {
    let [a, b, c, d] = (number + 1).to_be_bytes();
    let mut id = [0; 64];
    id[..4].copy_from_slice(&[d, c, b, a]);
    id[63] = 1;
    // Some share a public address, as if behind one router.
    let neighbor = if rng.chance(150) { others.last().map(|other| other.ip) } else { None };
    let ip = neighbor.unwrap_or(IpAddr::V4(Ipv4Addr::new(11, c, d, 1)));
    let max_peers = 50;
    let full = slots.is_some() && rng.chance(700);
    let listens = slots.is_some() || rng.chance(600);
    let key = loop {
        // All but a few values of 2^256 are keys.
        if let Ok(key) = AgentKey::from_random(rng.seed()) {
            break key.public();
        }
    };
    let snap = rng.chance(800);
    let mut policy = PeerPolicy::default();
    if min_peers > 0 && rng.chance(250) {
        policy.rules.need.extend(capabilities(&["snap/1"]));
    }
    let no_slot_to_dial = slots.is_none() && listens && neighbor.is_none() && rng.chance(150);
    AgentPlan {
        id: NodeId::new(id),
        key,
        ip,
        listens,
        max_peers,
        own_inbound: if full { max_peers - max_peers / 3 } else { rng.count(0, 5) },
        own_outbound: if no_slot_to_dial { max_peers / 3 } else { rng.count(0, 5) },
        peer_events: rng.chance(600),
        snap,
        protocol2: false,
        honesty: Honesty::Honest,
        config: AgentConfig {
            agent_version: "vipnode/sim".to_owned(),
            pool: true,
            direct: DirectConfig::default(),
            min_peers,
            max_price: None,
            pay: None,
            strict: false,
            keep: Default::default(),
            policy,
            host: slots.map(|slots| HostConfig {
                slots,
                reserve: 16,
                node_max_peers: max_peers,
                payout: None,
                min_price: None,
                no_trials: false,
                max_head_age_s: Some(600),
            }),
            advertise: Advertise::Node,
            dial_private: false,
            protocol2: None,
            allow_protocol2: false,
            request_ms: vipnode_agent_core::REQUEST_MS,
            seed: rng.seed(),
        },
    }
}

/// Parses names of capabilities.
pub(crate) fn capabilities(names: &[&str]) -> Vec<Capability> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}
