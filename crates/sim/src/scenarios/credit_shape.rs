use std::net::{IpAddr, Ipv4Addr};

use vipnode_pool_core::Limits;
use vipnode_types::{Account, NodeId, PaymentMode, Price};

use super::{AgentPlan, FaultKind, Honesty, Scenario, scenario::MINUTE_MS};
use crate::SimRng;

/// The faults during which it is known how long a client used each host, and when the pool could not know it or end it. The others
/// have no such bound: a node that answers with errors evicts nobody for as long, and what a pair may use depends on its protocol.
const KNOWN_USE: [FaultKind; 16] = [
    FaultKind::CutSocket,
    FaultKind::PartitionAgent,
    FaultKind::CrashAgent,
    FaultKind::StopAgent,
    FaultKind::PausePool,
    FaultKind::JumpClock,
    FaultKind::DelayFrames,
    FaultKind::DuplicateFrames,
    FaultKind::CrashPool,
    FaultKind::RestoreBackup,
    FaultKind::SlowCommits,
    FaultKind::FailCommit,
    FaultKind::RestartNode,
    FaultKind::SeverNodes,
    FaultKind::BreakLink,
    FaultKind::StallHead,
];
/// The faults while the clock of the pool's machine moves: mostly, the pool is killed.
const CLOCK_FAULTS: [FaultKind; 7] = [
    FaultKind::CrashPool,
    FaultKind::CrashPool,
    FaultKind::CrashPool,
    FaultKind::CutSocket,
    FaultKind::BreakLink,
    FaultKind::SlowCommits,
    FaultKind::FailCommit,
];
/// Faults of a client's own because of which it uses a host without reporting it. One or two of them in a day are within what the pool
/// allows, and after more of them it rightly keeps an honest client apart from its host.
const UNPAIRED_USE: [FaultKind; 3] = [FaultKind::CutSocket, FaultKind::PartitionAgent, FaultKind::CrashAgent];
/// The highest price that is drawn.
const HIGHEST_PRICE: &str = "1 gwei/minute";

/// What happens in a scenario in which clients pay, in addition to faults.
#[derive(Debug, Clone, Default)]
pub struct CreditShape {
    /// Whether the price and the fee change when the pool starts again.
    pub changes_price: bool,
    /// Whether the payment mode changes when the pool starts again.
    pub switches_mode: bool,
    /// Whether the database is backed up, and a backup restored.
    pub restores: bool,
    /// Whether the clock of the pool's machine moves while the pool does not run.
    pub moves_clock: bool,
    /// The agents that report falsely at the same time, in league with each other; empty if only one agent does.
    pub league: Vec<usize>,
}

impl CreditShape {
    fn draw(rng: &mut SimRng, agents: usize) -> Self {
        let (changes_price, switches_mode, restores) = (rng.chance(500), rng.chance(250), rng.chance(300));
        let league = if rng.chance(350) { (0..agents).filter(|_| rng.chance(400)).collect() } else { Vec::new() };
        Self { changes_price, switches_mode, restores, moves_clock: false, league }
    }
}

impl Scenario {
    /// Draws a scenario with faults in which clients pay: hosts have payout accounts, some of them the same, and accounts pay for
    /// one or several clients. Price, fee, and payment mode may change when the pool starts, and agents may lie, alone or in league.
    #[must_use]
    pub fn draw_credit(rng: &mut SimRng) -> Self {
        let mut more = rng.apart();
        let mut scenario = Self::draw(rng);
        let limits = &mut scenario.limits;
        limits.price = Price::per_minute(rng.range(1, 1_000_000_000));
        limits.unpaired_ms_a_day = 24 * 60 * MINUTE_MS;
        limits.unpaired_pair_ms = 24 * 60 * MINUTE_MS;
        limits.payment = PaymentMode::Credit;
        limits.fee_bps = if rng.chance(700) { u16::try_from(rng.range(0, 3_000)).unwrap_or(0) } else { 0 };
        limits.funds_last_ms = rng.range(0, 2 * MINUTE_MS);
        limits.unfunded_a_tick = rng.count(1, 4);
        limits.collected_a_tick = rng.count(1, 4);
        if rng.chance(300) {
            limits.periods_an_hour = rng.count(1, 4);
        }
        for plan in &mut scenario.agents {
            let without = rng.chance(100);
            let number = rng.count(0, 3);
            if let Some(host) = plan.config.host.as_mut().filter(|_| !without) {
                host.payout = Some(account(2, number));
            }
        }
        scenario.credit = CreditShape::draw(rng, scenario.agents.len());
        let CreditShape { changes_price, switches_mode, restores, league, .. } = &scenario.credit;
        if *changes_price {
            scenario.limits.price_notice_ms = rng.range(0, 20 * MINUTE_MS);
            // Without a maximum, clients would keep the first price as theirs, and refuse a higher one.
            scenario.agents.iter_mut().for_each(|plan| plan.config.max_price = HIGHEST_PRICE.parse().ok());
        }
        if !scenario.faults.is_empty() {
            scenario.faults.extend((!league.is_empty()).then_some(FaultKind::FalseReports));
            scenario.faults.extend(restores.then_some(FaultKind::RestoreBackup));
            scenario.faults.extend((*changes_price || *switches_mode).then_some(FaultKind::CrashPool));
        }
        if more.chance(300) {
            scenario.draw_liar(&mut more);
        } else {
            scenario.draw_trials(&mut more);
        }
        scenario
    }

    /// Draws a scenario in which clients pay and the clock of the pool's machine is ahead for some time. All agents are honest, and they
    /// mostly stay connected to each other while the pool does not run.
    #[must_use]
    pub fn draw_clock(rng: &mut SimRng) -> Self {
        let mut scenario = Self::draw(rng);
        scenario.limits.price = Price::per_minute(rng.range(1, 1_000_000_000));
        scenario.limits.payment = PaymentMode::Credit;
        scenario.limits.unpaired_ms_a_day = 24 * 60 * MINUTE_MS;
        scenario.limits.unpaired_pair_ms = 24 * 60 * MINUTE_MS;
        scenario.limits.funds_last_ms = 0;
        for (plan, number) in scenario.agents.iter_mut().zip(0..) {
            if plan.protocol2 {
                plan.protocol2 = false;
                plan.config.protocol2 = None;
                plan.config.allow_protocol2 = false;
            }
            if let Some(host) = plan.config.host.as_mut() {
                host.payout = Some(account(2, number));
            }
        }
        scenario.faults = CLOCK_FAULTS.to_vec();
        scenario.fault_every_ms = rng.range(60_000, 4 * MINUTE_MS);
        scenario.safety_ms = rng.range(40, 70) * MINUTE_MS;
        scenario.credit = CreditShape { moves_clock: true, ..CreditShape::default() };
        scenario
    }

    /// Has one agent report whatever the protocol allows, and no other one report falsely. What it may use for nothing is limited,
    /// and each agent is in a wide block of its own, so that the word of each host counts apart.
    fn draw_liar(&mut self, rng: &mut SimRng) {
        let honesty = if rng.chance(700) { Honesty::FreeRider } else { Honesty::FalseHost };
        let fits = |plan: &AgentPlan| match honesty {
            Honesty::FreeRider => plan.config.host.is_none(),
            _ => plan.config.min_peers == 0,
        };
        let able: Vec<usize> = (0..self.agents.len()).filter(|&agent| fits(&self.agents[agent])).collect();
        self.agents[able[rng.index(able.len())]].honesty = honesty;
        self.credit.league.clear();
        self.faults.retain(|fault| KNOWN_USE.contains(fault));
        for (plan, number) in self.agents.iter_mut().zip(0..) {
            plan.ip = IpAddr::V4(Ipv4Addr::new(20 + number, number, 1, 1));
        }
        let Limits { unpaired_ms_a_day, unpaired_pair_ms, periods_an_hour, .. } = Limits::default();
        self.limits = Limits { unpaired_ms_a_day, unpaired_pair_ms, periods_an_hour, ..self.limits.clone() };
    }

    /// Whether one agent reports whatever the protocol allows while the others are honest and clients pay.
    pub(crate) fn has_lone_liar(&self) -> bool {
        self.attackers.is_empty() && self.agents.iter().any(|plan| plan.honesty != Honesty::Honest)
    }

    /// Whether a fault does not happen to an agent: in a run with one liar, no honest agents may be kept apart, which these would do
    /// for a client.
    pub(crate) fn spares(&self, fault: FaultKind, agent: usize) -> bool {
        let plan = &self.agents[agent];
        let is_honest_client = plan.honesty == Honesty::Honest && plan.config.min_peers > 0;
        self.has_lone_liar() && is_honest_client && UNPAIRED_USE.contains(&fault)
    }

    /// Some pools have trials, of a few minutes, and some of their hosts give none.
    fn draw_trials(&mut self, more: &mut SimRng) {
        if !more.chance(600) {
            return;
        }
        self.limits.trial_ms = more.range(1, 12) * MINUTE_MS;
        self.limits.trials_an_hour = more.count(1, 4);
        self.limits.trial_notice_ms = more.range(0, 2) * MINUTE_MS;
        for plan in &mut self.agents {
            let none = more.chance(200);
            if let Some(host) = plan.config.host.as_mut() {
                host.no_trials = none;
            }
        }
    }

    /// The accounts that pay, with the nodes that they pay for; empty if nobody pays.
    pub(crate) fn payers(&self) -> Vec<(Account, Vec<NodeId>)> {
        if self.limits.payment.is_none() {
            return Vec::new();
        }
        // With attackers, nobody pays for free riders.
        let pays = |plan: &&AgentPlan| plan.honesty == Honesty::Honest || self.attackers.is_empty();
        let clients = self.agents.iter().filter(|plan| plan.config.min_peers > 0).filter(pays);
        let clients: Vec<NodeId> = clients.map(|plan| plan.id).collect();
        // Two clients an account.
        clients.chunks(2).zip(0..).map(|(nodes, number)| (account(1, number), nodes.to_vec())).collect()
    }
}

/// An account of a kind, by its number.
pub(super) fn account(kind: u8, number: u32) -> Account {
    let mut bytes = [kind; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Account::new(bytes)
}
