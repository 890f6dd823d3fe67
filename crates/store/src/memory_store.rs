use std::collections::{BTreeMap, btree_map};

use vipnode_pool_core::{DelegationRow, LastReport, LeaseRow, MeteredPeriod, NodeRow, Row, RowKey, TimesRow};
use vipnode_types::{Asset, LeaseId, Ms, NodeId};

use crate::{Store, StoreError};

#[cfg(test)]
mod tests;

/// A store in memory, lost with its process: for the simulator, for tests, and for a pool that can afford to lose its
/// state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStore {
    seq: u64,
    nodes: BTreeMap<NodeId, NodeRow>,
    leases: BTreeMap<LeaseId, LeaseRow>,
    times: BTreeMap<NodeId, TimesRow>,
    waiting: BTreeMap<(NodeId, NodeId), MeteredPeriod>,
    delegations: BTreeMap<NodeId, DelegationRow>,
    clock: Option<Ms>,
    next_lease: Option<u64>,
    asset: Option<Asset>,
    journal: Vec<MeteredPeriod>,
    /// The index in the journal of each row of a lease.
    positions: BTreeMap<(LeaseId, u32), usize>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails if a metered row is in the journal, or earlier in the batch, with another value.
    fn check(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut batch: BTreeMap<_, &MeteredPeriod> = BTreeMap::new();
        for row in rows {
            let Row::Metered(metered) = row else { continue };
            let key = key(metered);
            let earlier = match batch.entry(key) {
                btree_map::Entry::Occupied(entry) => Some(*entry.get()),
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(metered);
                    self.positions.get(&key).and_then(|position| self.journal.get(*position))
                }
            };
            if earlier.is_some_and(|earlier| *earlier != **metered) {
                return Err(StoreError::Conflict { lease: key.0, row: key.1 });
            }
        }
        Ok(())
    }

    fn write(&mut self, row: &Row) {
        match row {
            Row::Node(node) => {
                self.nodes.insert(node.id, (**node).clone());
            }
            Row::Lease(lease) => {
                self.leases.insert(lease.id, (**lease).clone());
            }
            Row::Metered(metered) => {
                if let btree_map::Entry::Vacant(entry) = self.positions.entry(key(metered)) {
                    entry.insert(self.journal.len());
                    self.journal.push((**metered).clone());
                }
            }
            Row::LastReport(seen) => {
                for LastReport { id, seen, nonce } in seen {
                    if let Some(node) = self.nodes.get_mut(id) {
                        node.seen = *seen;
                        node.credentials.raise_nonce(*nonce);
                    }
                }
            }
            Row::Times(times) => {
                self.times.insert(times.client, (**times).clone());
            }
            Row::Deferred(row) => {
                self.waiting.insert((row.lease.client, row.lease.host), (**row).clone());
            }
            Row::Delegation(row) => {
                self.delegations.insert(row.id, *row);
            }
            Row::Clock(floor) => self.clock = Some(*floor),
            Row::NextLease(next) => self.next_lease = Some(*next),
            Row::Asset(asset) => self.asset = Some(*asset),
            Row::Delete(RowKey::Node(id)) => {
                self.nodes.remove(id);
            }
            Row::Delete(RowKey::Lease(id)) => {
                self.leases.remove(id);
            }
            Row::Delete(RowKey::Times(id)) => {
                self.times.remove(id);
            }
            Row::Delete(RowKey::Deferred(client, host)) => {
                self.waiting.remove(&(*client, *host));
            }
            Row::Delete(RowKey::Delegation(id)) => {
                self.delegations.remove(id);
            }
        }
    }
}

impl Store for MemoryStore {
    fn is_durable(&self) -> bool {
        false
    }

    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        self.check(rows)?;
        for row in rows {
            self.write(row);
        }
        self.seq = self.seq.saturating_add(1);
        Ok(self.seq)
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.clock.map(Row::Clock).into_iter().for_each(&mut *each);
        self.next_lease.map(Row::NextLease).into_iter().for_each(&mut *each);
        self.asset.map(Row::Asset).into_iter().for_each(&mut *each);
        self.nodes.values().for_each(|node| each(Row::Node(Box::new(node.clone()))));
        self.leases.values().for_each(|lease| each(Row::Lease(Box::new(lease.clone()))));
        self.times.values().for_each(|times| each(Row::Times(Box::new(times.clone()))));
        self.delegations.values().for_each(|row| each(Row::Delegation(*row)));
        self.waiting.values().for_each(|row| each(Row::Deferred(Box::new(row.clone()))));
        Ok(())
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        for (position, row) in (from..).zip(self.journal.iter().skip(skip).take(limit)) {
            each(position, row.clone());
        }
        Ok(())
    }
}

fn key(row: &MeteredPeriod) -> (LeaseId, u32) {
    (row.lease.id, row.lease.row)
}
