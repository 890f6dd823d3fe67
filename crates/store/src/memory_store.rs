use std::collections::{BTreeMap, btree_map};

use vipnode_pool_core::{
    AccountFigures, AccountRow, DelegationRow, LastReport, LeaseRow, LedgerAccount, LedgerEntry, LinkRow,
    MeteredPeriod, NodeRow, PayoutRow, Row, RowKey, SettlementPeriodRow, TimesRow, UnpaidRow,
};
use vipnode_types::{Account, Asset, LeaseId, Ms, NodeId, PaymentMode};

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
    ledger: MemoryLedger,
}

/// What a store in memory holds of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct MemoryLedger {
    payment: Option<PaymentMode>,
    accounts: BTreeMap<LedgerAccount, AccountFigures>,
    links: BTreeMap<NodeId, Account>,
    link_counters: BTreeMap<Account, u64>,
    unpaid: BTreeMap<u64, UnpaidRow>,
    period: Option<SettlementPeriodRow>,
    payouts: BTreeMap<u64, PayoutRow>,
    entries: BTreeMap<u64, LedgerEntry>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails if a metered row or an entry is stored, or earlier in the batch, with another value.
    fn check(&self, rows: &[Row]) -> Result<(), StoreError> {
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
            row => self.ledger.write(row),
        }
    }
}

impl MemoryLedger {
    fn write(&mut self, row: &Row) {
        match row {
            Row::Payment(mode) => self.payment = Some(*mode),
            Row::Entry(entry) => {
                self.entries.insert(entry.number, (**entry).clone());
            }
            Row::Account(AccountRow { account, figures }) => {
                self.accounts.insert(*account, *figures);
            }
            Row::Link(LinkRow { node, account }) => {
                self.links.insert(*node, *account);
            }
            Row::LinkCounter(account, counter) => {
                self.link_counters.insert(*account, *counter);
            }
            Row::Unpaid(row) => {
                self.unpaid.insert(row.entry, *row);
            }
            Row::Period(row) => self.period = Some(*row),
            Row::Payout(row) => {
                self.payouts.insert(row.number, *row);
            }
            Row::Delete(RowKey::Link(node)) => {
                self.links.remove(node);
            }
            Row::Delete(RowKey::Unpaid(entry)) => {
                self.unpaid.remove(entry);
            }
            _ => {}
        }
    }

    fn load(&self, each: &mut dyn FnMut(Row)) {
        let account =
            |(account, figures): (&LedgerAccount, &AccountFigures)| AccountRow { account: *account, figures: *figures };
        self.accounts.iter().for_each(|of| each(Row::Account(account(of))));
        self.links.iter().for_each(|(node, account)| each(Row::Link(LinkRow { node: *node, account: *account })));
        self.link_counters.iter().for_each(|(account, counter)| each(Row::LinkCounter(*account, *counter)));
        self.unpaid.values().for_each(|row| each(Row::Unpaid(*row)));
        self.period.into_iter().for_each(|row| each(Row::Period(row)));
        self.payouts.values().for_each(|row| each(Row::Payout(*row)));
        let newest = self.entries.last_key_value().map(|(number, _)| *number);
        let keyed = |entry: &LedgerEntry| entry.transaction.order().is_some_and(|order| order.key.is_some());
        let kept = self.entries.values().filter(|entry| keyed(entry) || Some(entry.number) == newest);
        kept.for_each(|entry| each(Row::Entry(Box::new(entry.clone()))));
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
        self.ledger.payment.map(Row::Payment).into_iter().for_each(&mut *each);
        self.nodes.values().for_each(|node| each(Row::Node(Box::new(node.clone()))));
        self.leases.values().for_each(|lease| each(Row::Lease(Box::new(lease.clone()))));
        self.times.values().for_each(|times| each(Row::Times(Box::new(times.clone()))));
        self.delegations.values().for_each(|row| each(Row::Delegation(*row)));
        self.waiting.values().for_each(|row| each(Row::Deferred(Box::new(row.clone()))));
        self.ledger.load(each);
        Ok(())
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        for (position, row) in (from..).zip(self.journal.iter().skip(skip).take(limit)) {
            each(position, row.clone());
        }
        Ok(())
    }

    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError> {
        self.ledger.entries.range(from..).take(limit).for_each(|(_, entry)| each(entry.clone()));
        Ok(())
    }
}

fn key(row: &MeteredPeriod) -> (LeaseId, u32) {
    (row.lease.id, row.lease.row)
}
