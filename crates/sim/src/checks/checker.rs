use std::collections::BTreeMap;

use vipnode_pool_core::{MeteredRow, Row};
use vipnode_types::{Ms, NodeId, Wei, meter};

use crate::{AgentPlan, EPOCH_MS, Scenario, Truth};

/// A frame takes this long at most; else its socket is lost.
pub const FRAME_LATE_MS: u64 = 8_000;
/// An honest pair is billed at most this much too much for each time it was not connected: a report
/// interval (design §4), and two frames on their way.
pub const OVERBILLED_A_GAP_MS: u64 = 60_000 + 2 * FRAME_LATE_MS;
/// An honest pair loses at most this much a lease: a report interval (design §4), and the 20 s between two
/// looks at the node's peers.
pub const LOST_A_LEASE_MS: u64 = 60_000 + 20_000;
/// The pool answers everything in this time, commits of some seconds included.
pub const REPLY_MS: u64 = 30_000;
/// Everything is connected again this long after the last fault: the reconnect window or the longest rest
/// of a host, and the offers and dials after those.
pub const LIVENESS_MS: u64 = 12 * 60_000;
/// Where some speak protocol 2 that much later: an offer waits for two updates and a minute, and one that a lost
/// socket made void has to run out before the next.
pub const LIVENESS2_MS: u64 = LIVENESS_MS + 2 * 180_000;
/// How long everything has to stay connected then.
pub const STEADY_MS: u64 = 5 * 60_000;
/// Whoever is told to stop has undone everything in this time.
pub const STOP_MS: u64 = 20_000;

/// The second opinion.
#[derive(Debug)]
pub struct Checker {
    numbers: BTreeMap<NodeId, usize>,
    slots: Vec<u32>,
    /// Leases that the pool may give a host: it cannot know how many places one of protocol 2 has.
    leases: Vec<u32>,
    /// Whether a node serves snap, and whether its agent wants hosts that do.
    snap: Vec<(bool, bool)>,
    /// Which agents may speak protocol 2.
    protocol2: Vec<bool>,
    /// Whether a used-up budget may forbid grants.
    may_forbid: bool,
    sleeps: Vec<(u64, u64)>,
    metered: u64,
    billed_ms: u64,
    billed2_ms: u64,
}

impl Checker {
    /// A checker for a scenario.
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
            sleeps: Vec::new(),
            metered: 0,
            billed_ms: 0,
            billed2_ms: 0,
        }
    }

    /// See the field.
    #[must_use]
    pub const fn may_forbid(&self) -> bool {
        self.may_forbid
    }

    /// Everything is connected again this long after the last fault.
    #[must_use]
    pub fn liveness_ms(&self) -> u64 {
        if self.protocol2.contains(&true) { LIVENESS2_MS } else { LIVENESS_MS }
    }

    /// Rows of the meter so far, and what they billed.
    #[must_use]
    pub const fn totals(&self) -> (u64, u64) {
        (self.metered, self.billed_ms)
    }

    /// What was billed with an agent that may speak protocol 2 on one side at least.
    #[must_use]
    pub const fn billed2_ms(&self) -> u64 {
        self.billed2_ms
    }

    /// The pool's machine sleeps: what arrives then is taken for what arrives when it wakes.
    pub fn pool_sleeps(&mut self, from: u64, to: u64) {
        self.sleeps.push((from, to));
    }

    /// A node trusts so many.
    ///
    /// # Errors
    /// More than its agent sells.
    pub fn places(&self, node: usize, trusted: usize) -> Result<(), String> {
        let slots = self.slots[node] as usize;
        if trusted > slots { Err(format!("node {node} trusts {trusted} and sells {slots} places")) } else { Ok(()) }
    }

    /// The pool holds these rows.
    ///
    /// # Errors
    /// A host has more leases than places, a pair two leases, or a client a host that does not serve what it needs.
    pub fn leases(&self, rows: &[Row]) -> Result<(), String> {
        let mut pairs = BTreeMap::new();
        let mut hosts: BTreeMap<usize, u32> = BTreeMap::new();
        for row in rows {
            let Row::Lease(lease) = row else { continue };
            let pair = (self.number(lease.client)?, self.number(lease.host)?);
            if pairs.insert(pair, ()).is_some() {
                return Err(format!("client {} has two leases on host {}", pair.0, pair.1));
            }
            if self.snap[pair.0].1 && !self.snap[pair.1].0 {
                return Err(format!("client {} needs snap, and has host {}", pair.0, pair.1));
            }
            let taken = hosts.entry(pair.1).or_default();
            *taken += 1;
            if *taken > self.leases[pair.1] {
                return Err(format!("host {} sells {} places and has {taken} leases", pair.1, self.leases[pair.1]));
            }
        }
        Ok(())
    }

    /// A row of the meter ends.
    ///
    /// # Errors
    /// It bills what it should not.
    pub fn metered(&mut self, row: &MeteredRow, now: u64, truth: &Truth) -> Result<(), String> {
        let wrong = |what: String| Err(format!("{what}: {row:?}"));
        let billed = meter::billed_ms(row.client, row.host);
        if row.billed_ms != billed {
            return wrong(format!("the meter says {billed} ms"));
        }
        if row.cost != row.lease.price.cost(billed).unwrap_or(Wei::ZERO) {
            return wrong("the cost is not price times time".to_owned());
        }
        let ends = [row.client, row.host].into_iter().flatten().map(|seen| seen.end);
        if row.ended > Ms::new(EPOCH_MS + now) || ends.max().is_some_and(|end| end > row.ended) {
            return wrong("it ends in the future".to_owned());
        }
        let ups = (row.client.map(|seen| seen.up), row.host.map(|seen| seen.up));
        let begun = |side: Option<(Ms, Option<Ms>)>| side.map(|(up, _)| up);
        if ups != (begun(row.lease.client_seen), begun(row.lease.host_seen)) {
            return wrong("its beginnings are not those of its lease".to_owned());
        }
        let (client, host) = (self.number(row.lease.client)?, self.number(row.lease.host)?);
        self.metered += 1;
        self.billed_ms += billed;
        if self.protocol2[client] || self.protocol2[host] {
            self.billed2_ms += billed;
        }
        let Some((from, to)) = billed_span(row) else { return Ok(()) };
        if !truth.ever_before(client, host, to) {
            return wrong("they never were connected".to_owned());
        }
        let really = truth.overlap(client, host, from, to);
        let asleep: u64 = self.sleeps.iter().map(|(a, b)| b.min(&to).saturating_sub(*a.max(&from))).sum();
        let most = really.ms + really.gaps * OVERBILLED_A_GAP_MS + asleep;
        if billed > most {
            return wrong(format!(
                "{billed} ms are billed of which {} were connected, with {} gaps and {asleep} ms of sleep",
                really.ms, really.gaps
            ));
        }
        Ok(())
    }

    pub(super) fn number(&self, id: NodeId) -> Result<usize, String> {
        self.numbers.get(&id).copied().ok_or_else(|| format!("nobody is {id:?}"))
    }
}

fn slots(plan: &AgentPlan) -> u32 {
    plan.config.host.as_ref().map_or(0, |host| host.slots)
}

fn leases(plan: &AgentPlan, scenario: &Scenario) -> u32 {
    let own = slots(plan);
    if own > 0 && plan.protocol2 { own.max(scenario.limits.slots_a_protocol2_host) } else { own }
}

/// The time that a row bills, in virtual milliseconds; `None` where it bills none.
pub(super) fn billed_span(row: &MeteredRow) -> Option<(u64, u64)> {
    let (client, host) = (row.client?, row.host?);
    let from = client.up.max(host.up).get().saturating_sub(EPOCH_MS);
    let to = client.end.min(host.end).get().saturating_sub(EPOCH_MS);
    (from < to).then_some((from, to))
}
