use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::{LeaseRow, Limits, MeteredPeriod, Row};
use vipnode_types::{Amount, LeaseId, Ms, NodeId, PaymentMode, Price, meter};

use super::{Promise, Violation};
use crate::{AgentPlan, EPOCH_MS, GroundTruth, Honesty, Scenario};

/// The longest time a frame takes, in ms; a later one is lost with its socket.
pub const FRAME_LATE_MS: u64 = 8_000;
/// The most that an honest pair is overbilled for each gap in its connection, in ms: a report interval and two frames
/// in flight.
pub const OVERBILLED_A_GAP_MS: u64 = 60_000 + 2 * FRAME_LATE_MS;
/// The most that an honest pair is underbilled for each lease, in ms: a report interval, and the 20 s between two
/// lists of the node's peers.
pub const LOST_A_LEASE_MS: u64 = 60_000 + 20_000;
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
    protocol2: Vec<bool>,
    /// Whether a used-up budget of unpaired time may forbid leases.
    may_forbid: bool,
    /// Whether there are attackers, of whom the checker knows no node.
    attackers: bool,
    /// Which agents may report what is not true.
    dishonest: Vec<bool>,
    /// Whether some metered rows are merged, so that what was billed for a span is unknown.
    pub(super) merges: bool,
    /// The prices of new leases, and from when on (virtual ms).
    prices: Vec<(u64, Price)>,
    /// The leases that the pool began where clients pay, by client and host: one that ends for its payer's funds may have no
    /// metered row.
    pub(super) begun: BTreeMap<(NodeId, NodeId), BTreeSet<(u64, LeaseId)>>,
    /// Whether the periods that end now are of a pool whose clients pay.
    pays: bool,
    sleeps: Vec<(u64, u64)>,
    /// Milliseconds billed to each pair of a client and a host, unless both may report what is not true.
    billed_of: BTreeMap<(usize, usize), u64>,
    metered: u64,
    billed_ms: u64,
    billed2_ms: u64,
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
            prices: vec![(0, scenario.limits.price)],
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

    /// Notes that leases cost this price from `from` on (virtual ms).
    pub fn price_from(&mut self, from: u64, price: Price) {
        self.prices.push((from, price));
    }

    /// Notes a lease that the pool stores.
    pub fn lease(&mut self, lease: &LeaseRow) {
        if self.pays {
            let offered = lease.offered.get().saturating_sub(EPOCH_MS);
            self.begun.entry((lease.client, lease.host)).or_default().insert((offered, lease.id));
        }
    }

    /// Notes the payment mode of the periods that end from now on.
    pub const fn mode(&mut self, mode: PaymentMode) {
        self.pays = !mode.is_none();
    }

    /// Checks the terms of a row: a lease begins at the price at that moment, and keeps a price of the pool. Nobody owes what is
    /// metered without payments.
    fn terms(&self, row: &MeteredPeriod) -> Result<(), Violation> {
        let lease = &row.lease;
        let offered = lease.offered.get().saturating_sub(EPOCH_MS);
        let at = self.prices.iter().rev().find(|(from, _)| *from <= offered).map(|(_, price)| *price);
        let fits = if lease.row == 0 {
            at == Some(lease.price)
        } else {
            self.prices.iter().any(|(_, price)| *price == lease.price)
        };
        if !fits {
            return Promise::Billing.broken(format!("the pool did not charge this price then: {row:?}"));
        }
        if lease.payer.is_some() && !self.pays {
            return Promise::Billing.broken(format!("somebody owes what is metered without payments: {row:?}"));
        }
        Ok(())
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

    /// Checks a metered row that ended, at virtual time `now` in ms.
    ///
    /// # Errors
    /// [`Promise::Billing`]: it bills what it should not, or contradicts itself.
    pub fn metered(&mut self, row: &MeteredPeriod, now: u64, ground_truth: &GroundTruth) -> Result<(), Violation> {
        let wrong = |what: String| Promise::Billing.broken(format!("{what}: {row:?}"));
        let billed = meter::billed_ms(row.client, row.host);
        if row.billed_ms != billed {
            return wrong(format!("the formula of the meter gives {billed} ms"));
        }
        self.terms(row)?;
        if billed == 0 {
            return wrong("nothing is billed on the row".to_owned());
        }
        if row.cost != row.lease.price.cost_from(billed, row.lease.carry).map_or(Amount::ZERO, |(cost, _)| cost) {
            return wrong("the cost is not the price times the time".to_owned());
        }
        let ends = [row.client, row.host].into_iter().flatten().map(|seen| seen.end);
        if row.ended > Ms::new(EPOCH_MS + now) || ends.max().is_some_and(|end| end > row.ended) {
            return wrong("the row ends in the future".to_owned());
        }
        let ups = (row.client.map(|seen| seen.up), row.host.map(|seen| seen.up));
        let begun = |side: Option<(Ms, Option<Ms>)>| side.map(|(up, _)| up);
        if ups != (begun(row.lease.client_seen), begun(row.lease.host_seen)) {
            return wrong("the row starts at other times than its lease".to_owned());
        }
        let (client, host) = match (self.known(row.lease.client)?, self.known(row.lease.host)?) {
            (Some(client), Some(host)) => (client, host),
            // No attacker was ever connected with anybody, so no honest side reported that.
            (Some(one), None) | (None, Some(one)) if !self.dishonest[one] => {
                return wrong(format!("agent {one} was never connected with an attacker"));
            }
            _ => return Ok(()),
        };
        self.metered += 1;
        self.billed_ms += billed;
        if self.dishonest[client] && self.dishonest[host] {
            return Ok(());
        }
        *self.billed_of.entry((client, host)).or_default() += billed;
        if self.protocol2[client] || self.protocol2[host] {
            self.billed2_ms += billed;
        }
        let Some((from, to)) = billed_span(row) else { return Ok(()) };
        if !ground_truth.ever_before(client, host, to) {
            return wrong("the pair was never connected".to_owned());
        }
        let really = ground_truth.overlap(client, host, from, to);
        let asleep: u64 = self.sleeps.iter().map(|(a, b)| b.min(&to).saturating_sub(*a.max(&from))).sum();
        let most = really.ms + really.gaps * OVERBILLED_A_GAP_MS + asleep;
        if billed > most {
            return wrong(format!(
                "billed {billed} ms, but the pair was connected for {} ms, with {} gaps and {asleep} ms of sleep",
                really.ms, really.gaps
            ));
        }
        Ok(())
    }

    /// The number of a node; `None` for an attacker's.
    fn known(&self, id: NodeId) -> Result<Option<usize>, Violation> {
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

/// The span that a row bills, in virtual ms; `None` if it bills nothing.
pub(super) fn billed_span(row: &MeteredPeriod) -> Option<(u64, u64)> {
    let (client, host) = (row.client?, row.host?);
    let from = client.up.max(host.up).get().saturating_sub(EPOCH_MS);
    let to = client.end.min(host.end).get().saturating_sub(EPOCH_MS);
    (from < to).then_some((from, to))
}
