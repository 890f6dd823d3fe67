use std::collections::{BTreeMap, btree_map};

use vipnode_pool_core::{
    DelegationRow, LastReport, LeaseRow, LedgerEntry, MeteredPeriod, NodeRow, RestoreRow, Row, RowKey, TimesRow,
};
use vipnode_types::{Asset, LeaseId, Ms, NodeId};

use super::memory_ledger::MemoryLedger;
use crate::StoreError;

/// What a store in memory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MemoryContent {
    pub(super) seq: u64,
    pub(super) nodes: BTreeMap<NodeId, NodeRow>,
    pub(super) leases: BTreeMap<LeaseId, LeaseRow>,
    pub(super) times: BTreeMap<NodeId, TimesRow>,
    pub(super) waiting: BTreeMap<(NodeId, NodeId), MeteredPeriod>,
    delegations: BTreeMap<NodeId, DelegationRow>,
    pub(super) clock: Option<Ms>,
    pub(super) next_lease: Option<u64>,
    restored: Option<RestoreRow>,
    pub(super) asset: Option<Asset>,
    pub(super) journal: Vec<MeteredPeriod>,
    /// The index in the journal of each row of a lease.
    positions: BTreeMap<(LeaseId, u32), usize>,
    pub(super) ledger: MemoryLedger,
}

impl MemoryContent {
    /// Fails if a metered row or an entry is stored, or earlier in the batch, with another value.
    pub(super) fn check(&self, rows: &[Row]) -> Result<(), StoreError> {
        let mut batch: BTreeMap<_, &MeteredPeriod> = BTreeMap::new();
        let mut entries: BTreeMap<u64, &LedgerEntry> = BTreeMap::new();
        for row in rows {
            if let Row::Entry(entry) = row {
                let earlier = self.ledger.entries.get(&entry.number).or_else(|| entries.get(&entry.number).copied());
                if earlier.is_some_and(|earlier| *earlier != **entry) {
                    return Err(StoreError::EntryConflict { number: entry.number });
                }
                entries.insert(entry.number, entry);
            }
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

    pub(super) fn write(&mut self, row: &Row) {
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
            Row::Restore(row) => self.restored = Some(*row),
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
            row => self.ledger.write(row),
        }
    }

    /// A billing period of the journal.
    pub(super) fn period(&self, lease: LeaseId, row: u32) -> Option<&MeteredPeriod> {
        self.positions.get(&(lease, row)).and_then(|position| self.journal.get(*position))
    }

    pub(super) fn load(&self, each: &mut dyn FnMut(Row)) {
        self.clock.map(Row::Clock).into_iter().for_each(&mut *each);
        self.next_lease.map(Row::NextLease).into_iter().for_each(&mut *each);
        self.restored.map(Row::Restore).into_iter().for_each(&mut *each);
        self.asset.map(Row::Asset).into_iter().for_each(&mut *each);
        self.ledger.payment.map(Row::Payment).into_iter().for_each(&mut *each);
        self.ledger.pricing.map(|row| Row::Pricing(Box::new(row))).into_iter().for_each(&mut *each);
        self.ledger.load(each);
        self.nodes.values().for_each(|node| each(Row::Node(Box::new(node.clone()))));
        self.leases.values().for_each(|lease| each(Row::Lease(Box::new(lease.clone()))));
        self.times.values().for_each(|times| each(Row::Times(Box::new(times.clone()))));
        self.delegations.values().for_each(|row| each(Row::Delegation(*row)));
        self.waiting.values().for_each(|row| each(Row::Deferred(Box::new(row.clone()))));
    }
}

fn key(row: &MeteredPeriod) -> (LeaseId, u32) {
    (row.lease.id, row.lease.row)
}
