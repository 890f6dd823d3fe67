use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::{LeaseRow, Limits, Row};
use vipnode_types::{LeaseId, NodeId, PaymentMode};

use super::{ExpectedPrices, LeasePrices, Promise, Violation};
use crate::{AgentPlan, EPOCH_MS, Honesty, Scenario};

/// The longest time a frame takes, in ms; a later one is lost with its socket.
pub const FRAME_LATE_MS: u64 = 8_000;
/// The longest time between two lists of a node's peers, in ms.
const PEERS_LISTED_MS: u64 = 20_000;
/// The most that an honest pair is underbilled for each lease, in ms: until both agents know that the two are connected, and have
/// reported it.
pub const LOST_A_LEASE_MS: u64 = PEERS_LISTED_MS + 2 * FRAME_LATE_MS;
/// The same where a side may speak protocol 2: it reports with its updates only.
pub const LOST_A_LEASE2_MS: u64 = 60_000 + PEERS_LISTED_MS;
/// The longest time the pool takes to answer a request, in ms; includes commits of some seconds.
pub const REPLY_MS: u64 = 30_000;
/// Everything is connected again this long after the last fault, in ms: the reconnect window or the longest backoff of
/// a host, then offers and dials.
pub const LIVENESS_MS: u64 = 12 * 60_000;
/// The same where some agents speak protocol 2: an offer waits for two updates and a minute, and an offer voided by a
/// lost socket has to expire before the next one.
pub const LIVENESS2_MS: u64 = LIVENESS_MS + 2 * 180_000;
/// How long everything then has to stay connected, in ms.
pub const STEADY_MS: u64 = 5 * 60_000;
/// The longest time an agent takes to undo everything once it was asked to stop, in ms.
pub const STOP_MS: u64 = 20_000;

/// The checker of one run. It keeps its own books, apart from those of both cores.
#[derive(Debug)]
pub struct Checker {
    numbers: BTreeMap<NodeId, usize>,
    slots: Vec<u32>,
    /// Leases that the pool may give each host: it cannot know how many slots a protocol-2 host has.
    leases: Vec<u32>,
    /// For each node: whether it serves snap, and whether its agent needs hosts that do.
    snap: Vec<(bool, bool)>,
    /// Which agents may speak protocol 2.
    pub(super) protocol2: Vec<bool>,
    /// Whether a used-up budget of unpaired time may forbid leases.
    may_forbid: bool,
    /// Whether there are attackers, of whom the checker knows no node.
    attackers: bool,
    /// Which agents may report what is not true.
    pub(super) dishonest: Vec<bool>,
    /// Whether some metered rows are merged, so that what was billed for a span is unknown.
    pub(super) merges: bool,
    pub(super) prices: ExpectedPrices,
    lease_prices: LeasePrices,
    /// The leases that the pool began where clients pay, and whether as a trial, by client and host: one that ends for its payer's
    /// funds may have no metered row.
    pub(super) begun: BTreeMap<(NodeId, NodeId), BTreeSet<BegunLease>>,
    /// Whether the periods that end now are of a pool whose clients pay.
    pub(super) pays: bool,
    pub(super) sleeps: Vec<(u64, u64)>,
    /// Milliseconds billed to each pair of a client and a host, unless both may report what is not true.
    pub(super) billed_of: BTreeMap<(usize, usize), u64>,
    pub(super) metered: u64,
    pub(super) billed_ms: u64,
    pub(super) billed2_ms: u64,
}

/// A lease that the pool began, in the order of when it was offered (virtual ms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BegunLease {
    pub(super) offered: u64,
    pub(super) lease: LeaseId,
    pub(super) trial: bool,
}

impl Checker {
    /// A checker for a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let day_ms = 24 * 60 * 60_000;
        Self {
            numbers: scenario.agents.iter().enumerate().map(|(number, plan)| (plan.id, number)).collect(),
            slots: scenario.agents.iter().map(slots).collect(),
            leases: scenario.agents.iter().map(|plan| leases(plan, scenario)).collect(),
            snap: scenario.agents.iter().map(|plan| (plan.snap, plan.needs_snap())).collect(),
            protocol2: scenario.agents.iter().map(|plan| plan.protocol2).collect(),
            may_forbid: !scenario.limits.price.is_free() && scenario.limits.unpaired_ms_a_day < day_ms,
            attackers: !scenario.attackers.is_empty(),
            dishonest: scenario.agents.iter().zip(0..).map(|(plan, agent)| lies(plan, agent, scenario)).collect(),
            merges: scenario.limits.periods_an_hour < Limits::default().periods_an_hour,
            prices: ExpectedPrices::new(
                scenario.limits.price,
                scenario.limits.price_notice_ms,
                !scenario.limits.payment.is_none(),
            ),
            lease_prices: LeasePrices::default(),
            begun: BTreeMap::new(),
            pays: !scenario.limits.payment.is_none(),
            sleeps: Vec::new(),
            billed_of: BTreeMap::new(),
            metered: 0,
            billed_ms: 0,
            billed2_ms: 0,
        }
    }

    /// Whether a used-up budget of unpaired time may forbid leases in this scenario.
    #[must_use]
    pub const fn may_forbid(&self) -> bool {
        self.may_forbid
    }

    /// How long after the last fault everything has to be connected again, in ms.
    #[must_use]
    pub fn liveness_ms(&self) -> u64 {
        if self.protocol2.contains(&true) { LIVENESS2_MS } else { LIVENESS_MS }
    }

    /// The number of metered rows so far, and the milliseconds they bill.
    #[must_use]
    pub const fn totals(&self) -> (u64, u64) {
        (self.metered, self.billed_ms)
    }

    /// Milliseconds billed so far to a client for a host, unless both may report what is not true.
    #[must_use]
    pub fn billed_of(&self, client: usize, host: usize) -> u64 {
        self.billed_of.get(&(client, host)).copied().unwrap_or(0)
    }

    /// The most that an honest pair is underbilled for each lease, in ms.
    #[must_use]
    pub fn lost_a_lease_ms(&self, client: usize, host: usize) -> u64 {
        if self.speaks2(client, host) { LOST_A_LEASE2_MS } else { LOST_A_LEASE_MS }
    }

    /// Whether a side of a pair may speak protocol 2.
    pub(super) fn speaks2(&self, client: usize, host: usize) -> bool {
        self.protocol2[client] || self.protocol2[host]
    }

    /// Milliseconds billed to pairs of which at least one side may speak protocol 2.
    #[must_use]
    pub const fn billed2_ms(&self) -> u64 {
        self.billed2_ms
    }

    /// Notes that the pool's machine sleeps from `from` to `to` (virtual ms): frames that arrive then count as arriving
    /// when it wakes.
    pub fn pool_sleeps(&mut self, from: u64, to: u64) {
        self.sleeps.push((from, to));
    }

    /// The prices of leases, as the settings and the notice before a change say.
    pub const fn prices(&mut self) -> &mut ExpectedPrices {
        &mut self.prices
    }

    /// What each lease costs, and what the agents agreed to.
    pub const fn lease_prices(&mut self) -> &mut LeasePrices {
        &mut self.lease_prices
    }

    /// Notes a lease that the pool stores.
    ///
    /// # Errors
    /// [`Promise::Billing`]: it costs something else, and a side did not agree.
    pub fn lease(&mut self, lease: &LeaseRow) -> Result<(), Violation> {
        // What an agent of protocol 2 agrees to is in its welcome text.
        let sides = [lease.client, lease.host].map(|side| self.numbers.get(&side).copied());
        let asked = sides.into_iter().flatten().filter(|&side| !self.protocol2[side]);
        self.lease_prices.written(lease, asked, self.pays)?;
        if self.pays {
            let offered = lease.offered.get().saturating_sub(EPOCH_MS);
            self.begun.entry((lease.client, lease.host)).or_default().insert(BegunLease {
                offered,
                lease: lease.id,
                trial: lease.trial,
            });
        }
        Ok(())
    }

    /// Notes the payment mode of the periods that end from now on.
    pub const fn mode(&mut self, mode: PaymentMode) {
        self.pays = !mode.is_none();
    }

    /// Checks how many peers a node trusts.
    ///
    /// # Errors
    /// [`Promise::Slots`]: more than its agent sells.
    pub fn slots(&self, node: usize, trusted: usize) -> Result<(), Violation> {
        let slots = self.slots[node] as usize;
        if trusted > slots {
            return Promise::Slots.broken(format!("node {node} trusts {trusted} peers but sells {slots} slots"));
        }
        Ok(())
    }

    /// Checks the leases that the pool holds.
    ///
    /// # Errors
    /// [`Promise::Slots`]: a host has more leases than slots. [`Promise::Leases`]: a pair has two leases, or a client a
    /// host that does not serve what it needs.
    pub fn leases(&self, rows: &[Row]) -> Result<(), Violation> {
        let mut pairs = BTreeMap::new();
        let mut hosts: BTreeMap<usize, u32> = BTreeMap::new();
        for row in rows {
            let Row::Lease(lease) = row else { continue };
            if pairs.insert((lease.client, lease.host), ()).is_some() {
                let (client, host) = (lease.client, lease.host);
                return Promise::Leases.broken(format!("client {client:?} has two leases on host {host:?}"));
            }
            let (client, host) = (self.known(lease.client)?, self.known(lease.host)?);
            if let (Some(client), Some(host)) = (client, host)
                && self.snap[client].1
                && !self.snap[host].0
            {
                return Promise::Leases.broken(format!("client {client} needs snap, which host {host} does not serve"));
            }
            let Some(host) = host else { continue };
            let taken = hosts.entry(host).or_default();
            *taken += 1;
            if *taken > self.leases[host] {
                let slots = self.leases[host];
                return Promise::Slots.broken(format!("host {host} sells {slots} slots but has {taken} leases"));
            }
        }
        Ok(())
    }

    /// The number of a node; `None` for an attacker's.
    pub(super) fn known(&self, id: NodeId) -> Result<Option<usize>, Violation> {
        if self.attackers { Ok(self.numbers.get(&id).copied()) } else { self.number(id).map(Some) }
    }

    pub(super) fn number(&self, id: NodeId) -> Result<usize, Violation> {
        let unknown = || Promise::Leases.violation(format!("no node has the id {id:?}"));
        self.numbers.get(&id).copied().ok_or_else(unknown)
    }
}

/// Whether an agent may report what is not true while another one does.
fn lies(plan: &AgentPlan, agent: usize, scenario: &Scenario) -> bool {
    plan.honesty != Honesty::Honest || scenario.credit.league.contains(&agent)
}

fn slots(plan: &AgentPlan) -> u32 {
    plan.config.host.as_ref().map_or(0, |host| host.slots)
}

fn leases(plan: &AgentPlan, scenario: &Scenario) -> u32 {
    let own = slots(plan);
    if own > 0 && plan.protocol2 { own.max(scenario.limits.slots_a_protocol2_host) } else { own }
}
