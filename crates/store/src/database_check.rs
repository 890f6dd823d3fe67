use std::collections::BTreeSet;

use vipnode_pool_core::{LeaseRow, MeteredPeriod};
use vipnode_types::{Amount, Asset, NodeId, meter};

use crate::{StoreError, StoreSnapshot};

/// A check stops to list problems after this many.
const PROBLEMS: usize = 100;
/// Rows that a check reads at once.
const PAGE: usize = 4_096;

/// What a check of a database found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseCheck {
    /// The number of the newest batch that was checked.
    pub seq: u64,
    /// The number of nodes.
    pub nodes: u64,
    /// The number of running leases.
    pub leases: u64,
    /// The number of finished billing periods.
    pub periods: u64,
    /// What they billed, in milliseconds.
    pub billed_ms: u128,
    /// What they cost; at most 2^128 - 1.
    pub cost: Amount,
    /// What the pool charges in.
    pub asset: Asset,
    /// What is wrong, at most 100 lines.
    pub problems: Vec<String>,
}

impl DatabaseCheck {
    /// Reads all rows of a store, and computes again what was metered.
    ///
    /// # Errors
    /// See [`StoreError`]; what is wrong with the content is in the result.
    pub(crate) fn rows(&mut self, store: &mut dyn StoreSnapshot) -> Result<(), StoreError> {
        let (next_lease, asset) = store.head()?;
        self.asset = asset.unwrap_or_default();
        let mut nodes = BTreeSet::new();
        while let page @ [_, ..] = &store.nodes(nodes.last(), PAGE)?[..] {
            nodes.extend(page.iter().map(|node| node.id));
        }
        self.nodes = u64::try_from(nodes.len()).unwrap_or(u64::MAX);
        let mut last = None;
        while let page @ [.., end] = &store.leases(last, PAGE)?[..] {
            for lease in page {
                self.leases = self.leases.saturating_add(1);
                self.lease(lease.id.get(), [lease.client, lease.host], &nodes, next_lease);
            }
            last = Some(end.id);
        }
        let mut last = None;
        while let page @ [.., end] = &store.times(last.as_ref(), PAGE)?[..] {
            for client in page.iter().map(|times| times.client).filter(|client| !nodes.contains(client)) {
                self.add(format!("the time of client {} is stored, but the client is not", client.short()));
            }
            last = Some(end.client);
        }
        let mut last = None;
        while let page @ [.., end] = &store.deferred(last.as_ref(), PAGE)?[..] {
            page.iter().for_each(|period| self.period(period, next_lease));
            last = Some((end.lease.client, end.lease.host));
        }
        self.journal(store, next_lease)
    }

    fn journal(&mut self, store: &mut dyn StoreSnapshot, next_lease: Option<u64>) -> Result<(), StoreError> {
        let mut last = None;
        while let page @ [.., (end, _)] = &store.periods(last, PAGE)?[..] {
            for (_, period) in page {
                self.periods = self.periods.saturating_add(1);
                self.billed_ms = self.billed_ms.saturating_add(period.total_billed_ms().into());
                self.cost = self.cost.checked_add(period.total_cost()).unwrap_or(Amount::MAX);
                self.period(period, next_lease);
                self.carry(store, period)?;
            }
            last = Some(*end);
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn lease(&mut self, id: u64, sides: [NodeId; 2], nodes: &BTreeSet<NodeId>, next_lease: Option<u64>) {
        for side in sides.iter().filter(|side| !nodes.contains(side)) {
            self.add(format!("lease {id} is stored, but its node {} is not", side.short()));
        }
        self.number(id, next_lease);
    }

    /// A number that is not below that of the next lease could be assigned again.
    fn number(&mut self, id: u64, next_lease: Option<u64>) {
        if next_lease.is_some_and(|next| id >= next) {
            self.add(format!("lease {id} has a number that has not been assigned yet"));
        }
    }

    /// What a period leaves of the smallest unit goes on to the lease's next one at the same price. The one before may have been
    /// removed, or be a part of another one.
    fn carry(&mut self, store: &mut dyn StoreSnapshot, period: &MeteredPeriod) -> Result<(), StoreError> {
        let LeaseRow { id, row, price, carry, .. } = period.lease;
        let before = row.checked_sub(1).map_or(Ok(None), |row| store.period(id, row))?;
        let left = before.and_then(|before| {
            let (_, left) = before.lease.price.cost_from(before.billed_ms, before.lease.carry)?;
            Some(if before.lease.price == price { left } else { 0 })
        });
        if let Some(left) = left.filter(|left| *left != carry) {
            self.add(format!(
                "period {row} of lease {id} begins with {carry} parts of the smallest unit, but the one before left {left}"
            ));
        }
        Ok(())
    }

    fn period(&mut self, period: &MeteredPeriod, next_lease: Option<u64>) {
        let MeteredPeriod { lease, client, host, billed_ms, cost, folded, .. } = period;
        let both_ms = meter::billed_ms(*client, *host);
        // Between periods that were folded, one side may not have been connected to the other.
        let billed_again = if *folded > 0 { both_ms.min(*billed_ms) } else { both_ms };
        let cost_again = lease.price.cost_from(billed_again, lease.carry).map_or(Amount::ZERO, |(cost, _)| cost);
        if (billed_again, cost_again) != (*billed_ms, *cost) {
            let (id, row, asset) = (lease.id, lease.row, lease.price.asset());
            let (cost, cost_again) = (asset.show(*cost), asset.show(cost_again));
            self.add(format!(
                "period {row} of lease {id} bills {billed_ms} ms and {cost}, but both sides were connected for \
                 {billed_again} ms, which cost {cost_again}"
            ));
        }
        self.number(lease.id.get(), next_lease);
    }
}
