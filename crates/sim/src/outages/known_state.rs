use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

use vipnode_pool_core::MeteredPeriod;
use vipnode_types::{
    Account, LeaseId, Ms, NodeId,
    wire::{LinkRequest, Side},
};

use super::known_orders::KnownOrders;
use crate::bench::{CHARGED_A_MS, now};

/// By how much the clock of the pool may differ from that of the agents: it is monotonic.
const CLOCK_MS: u64 = 20;

/// What agents know of what a pool did.
#[derive(Debug, Default)]
pub(super) struct KnownState {
    /// Nodes whose connect was answered.
    pub(super) nodes: BTreeSet<NodeId>,
    /// Leases that an answer named and that nobody left.
    pub(super) leases: BTreeSet<LeaseId>,
    /// Leases that were left, and the pool answered that.
    pub(super) ended: BTreeSet<LeaseId>,
    /// For each lease and side, when that side first reported it and until when it can have seen the other.
    spans: BTreeMap<(LeaseId, bool), SeenSpan>,
    /// What was billed of each lease, in milliseconds.
    billed: BTreeMap<LeaseId, u64>,
    /// The accounts that hosts are paid to, by node.
    pub(super) payouts: BTreeMap<NodeId, Account>,
    /// Who pays for each client.
    pub(super) links: BTreeMap<NodeId, KnownLink>,
    /// How many links were made or ended.
    pub(super) links_changed: u64,
    /// What the operator ordered.
    pub(super) orders: KnownOrders,
    /// What was done, for the summary.
    pub(super) operations: u64,
}

/// Which account pays for a node.
#[derive(Debug, Default)]
pub(super) struct KnownLink {
    /// The account that the pool acknowledged; `None` without one.
    account: Option<Account>,
    /// What was asked for, and not answered.
    asked: Option<Option<Account>>,
    /// The newest link that the pool acknowledged. It is used up.
    used: Option<LinkRequest>,
}

#[derive(Debug, Clone, Copy)]
struct SeenSpan {
    from: Ms,
    until: Ms,
}

/// The last sign of life of an agent that the pool can know of.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastSign {
    answered: Ms,
    in_flight: bool,
}

impl LastSign {
    pub(super) fn new() -> Self {
        Self { answered: now(), in_flight: false }
    }

    pub(super) const fn sent(&mut self) {
        self.in_flight = true;
    }

    pub(super) fn answered(&mut self) {
        *self = Self::new();
    }

    /// Until when the pool can have heard from the agent.
    fn until(self) -> Ms {
        if self.in_flight { now() } else { self.answered }
    }
}

impl KnownState {
    /// A side is about to report a lease for the first time.
    pub(super) fn up(&mut self, lease: LeaseId, side: Side) {
        self.spans.entry((lease, side == Side::Client)).or_insert(SeenSpan { from: now(), until: Ms::NEVER });
    }

    /// A side can no longer see the other.
    pub(super) fn down(&mut self, lease: LeaseId, side: Side, sign: LastSign) {
        if let Some(span) = self.spans.get_mut(&(lease, side == Side::Client)) {
            span.until = span.until.min(sign.until());
        }
    }

    /// A link is about to be asked for, or its end.
    pub(super) fn asks_link(&mut self, node: NodeId, account: Option<Account>) {
        self.links.entry(node).or_default().asked = Some(account);
    }

    /// The pool acknowledged it.
    pub(super) fn has_link(&mut self, node: NodeId, used: Option<LinkRequest>) {
        let link = self.links.entry(node).or_default();
        link.account = link.asked.take().flatten();
        link.used = used.or(link.used);
        self.links_changed = self.links_changed.saturating_add(1);
    }

    /// The account that pays for a node.
    pub(super) fn payer(&self, node: &NodeId) -> Option<Account> {
        self.links.get(node)?.account
    }

    /// A link of a node that is used up.
    pub(super) fn used_link(&self, node: &NodeId) -> Option<LinkRequest> {
        self.links.get(node)?.used
    }

    /// Compares the account that pays for a node with what was acknowledged. What was not answered may have happened or not.
    pub(super) fn check_link(&mut self, node: &NodeId, payer: Option<Account>) -> Result<(), Box<dyn Error>> {
        let Some(link) = self.links.get_mut(node) else { return Ok(()) };
        if payer != link.account && link.asked != Some(payer) {
            return Err(format!("{payer:?} pays for node {}, and should be {link:?}", node.short()).into());
        }
        (link.account, link.asked) = (payer, None);
        Ok(())
    }

    /// Checks that all billing periods of a lease are within what both sides can have seen, and cost no more than that.
    pub(super) fn check(&mut self, period: &MeteredPeriod) -> Result<(), Box<dyn Error>> {
        let lease = period.lease.id;
        let sides = [self.spans.get(&(lease, true)), self.spans.get(&(lease, false))];
        let most = match sides {
            [Some(client), Some(host)] => {
                let until = client.until.min(host.until).min(now());
                until.since(client.from.max(host.from)).saturating_add(CLOCK_MS)
            }
            _ => 0,
        };
        let billed = self.billed.entry(lease).or_default();
        *billed = billed.saturating_add(period.billed_ms);
        if *billed > most {
            return Err(format!("lease {lease} is billed {billed} ms, and both sides saw at most {most} ms").into());
        }
        if period.cost.get() > u128::from(period.billed_ms).saturating_mul(CHARGED_A_MS.into()) {
            return Err(format!("lease {lease} costs {} for {} ms", period.cost.get(), period.billed_ms).into());
        }
        Ok(())
    }
}
