//! The expected content of a store, computed from everything that was ever written.

use std::collections::BTreeMap;

use vipnode_pool_core::{
    DelegationRow, LastReport, LeaseRow, LedgerAccount, LedgerEntry, LinkRow, MeteredPeriod, NodeRow, PayoutRow, Row,
    RowKey, TimesRow, UnpaidRow,
};

use crate::{Store, StoreError};

/// Everything written so far, in order: slow, but simple.
#[derive(Debug, Default)]
pub(super) struct Model {
    history: Vec<Row>,
}

impl Model {
    pub(super) fn apply(&mut self, batch: &[Row]) -> Result<(), StoreError> {
        let mut history = self.history.clone();
        for row in batch {
            history.push(row.clone());
            if let Row::Entry(new) = row
                && entries(&history).any(|old| old.number == new.number && old != &**new)
            {
                return Err(StoreError::EntryConflict { number: new.number });
            }
            let Row::Metered(new) = row else { continue };
            let same_key = |old: &&MeteredPeriod| old.lease.id == new.lease.id && old.lease.row == new.lease.row;
            if metered(&history).filter(same_key).any(|old| old != &**new) {
                return Err(StoreError::Conflict { lease: new.lease.id, row: new.lease.row });
            }
        }
        self.history = history;
        Ok(())
    }

    /// Asserts that a store holds the expected content.
    pub(super) fn compare(&self, store: &mut impl Store) {
        assert_eq!(state_of(store), self.state(), "after {:#?}", self.history);
        assert_eq!(journal_of(store), self.journal(), "after {:#?}", self.history);
        assert_eq!(entries_of(store), self.entries(), "after {:#?}", self.history);
    }

    fn state(&self) -> Vec<Row> {
        let mut nodes: Vec<NodeRow> = Vec::new();
        let mut leases: Vec<LeaseRow> = Vec::new();
        let mut times: Vec<TimesRow> = Vec::new();
        let mut waiting = BTreeMap::new();
        let mut delegations: Vec<DelegationRow> = Vec::new();
        let (mut clock, mut next, mut restored, mut asset) = (None, None, None, None);
        let (mut payment, mut pricing) = (None, None);
        for row in &self.history {
            match row {
                Row::Node(node) => {
                    nodes.retain(|old| old.id != node.id);
                    nodes.push((**node).clone());
                }
                Row::Lease(lease) => {
                    leases.retain(|old| old.id != lease.id);
                    leases.push((**lease).clone());
                }
                Row::LastReport(list) => {
                    for LastReport { id, seen, nonce } in list {
                        for node in nodes.iter_mut().filter(|node| node.id == *id) {
                            node.seen = *seen;
                            node.credentials.raise_nonce(*nonce);
                        }
                    }
                }
                Row::Times(row) => {
                    times.retain(|old| old.client != row.client);
                    times.push((**row).clone());
                }
                Row::Deferred(row) => {
                    waiting.insert((row.lease.client, row.lease.host), (**row).clone());
                }
                Row::Delegation(row) => {
                    delegations.retain(|old| old.id != row.id);
                    delegations.push(*row);
                }
                Row::Clock(floor) => clock = Some(Row::Clock(*floor)),
                Row::NextLease(number) => next = Some(Row::NextLease(*number)),
                Row::Restore(of) => restored = Some(Row::Restore(*of)),
                Row::Asset(of) => asset = Some(Row::Asset(*of)),
                Row::Delete(RowKey::Node(id)) => nodes.retain(|old| old.id != *id),
                Row::Delete(RowKey::Lease(id)) => leases.retain(|old| old.id != *id),
                Row::Delete(RowKey::Times(id)) => times.retain(|old| old.client != *id),
                Row::Delete(RowKey::Deferred(client, host)) => {
                    waiting.remove(&(*client, *host));
                }
                Row::Delete(RowKey::Delegation(id)) => delegations.retain(|old| old.id != *id),
                Row::Payment(mode) => payment = Some(Row::Payment(*mode)),
                Row::Pricing(row) => pricing = Some(Row::Pricing(row.clone())),
                // The ledger and the journal are below.
                _ => {}
            }
        }
        nodes.sort_by_key(|node| node.id);
        leases.sort_by_key(|lease| lease.id);
        let single = clock.into_iter().chain(next).chain(restored).chain(asset).chain(payment).chain(pricing);
        let nodes = nodes.into_iter().map(|node| Row::Node(Box::new(node)));
        times.sort_by_key(|times| times.client);
        delegations.sort_by_key(|row| row.id);
        let delegations = delegations.into_iter().map(Row::Delegation);
        let leases = leases.into_iter().map(|lease| Row::Lease(Box::new(lease)));
        let times = times.into_iter().map(|times| Row::Times(Box::new(times)));
        let waiting = waiting.into_values().map(|row| Row::Deferred(Box::new(row)));
        let single = single.chain(self.ledger());
        single.chain(nodes).chain(leases).chain(times).chain(delegations).chain(waiting).collect()
    }

    /// The state of the ledger: the newest row of each key, in the order of the contract.
    fn ledger(&self) -> impl Iterator<Item = Row> {
        let mut newest: BTreeMap<(u8, Vec<u8>), Row> = BTreeMap::new();
        let last = entries(&self.history).map(|entry| entry.number).max();
        for row in &self.history {
            let key = match row {
                Row::Account(row) => match row.account {
                    LedgerAccount::Payer(account) => (0, [&[0], &account.as_bytes()[..]].concat()),
                    LedgerAccount::Payee(account) => (0, [&[1], &account.as_bytes()[..]].concat()),
                    LedgerAccount::Received => (0, vec![2]),
                    LedgerAccount::PaidOut => (0, vec![3]),
                    LedgerAccount::Fee => (0, vec![4]),
                },
                Row::Link(LinkRow { node, .. }) | Row::Delete(RowKey::Link(node)) => (1, node.as_bytes().to_vec()),
                Row::LinkCounter(account, _) => (2, account.as_bytes().to_vec()),
                Row::Channel(row) => (3, row.config.payer_authorizer.as_bytes().to_vec()),
                Row::Unpaid(UnpaidRow { entry, .. }) | Row::Delete(RowKey::Unpaid(entry)) => {
                    (4, entry.to_be_bytes().to_vec())
                }
                Row::Period(_) => (5, Vec::new()),
                Row::Payout(PayoutRow { number, .. }) | Row::Delete(RowKey::Payout(number)) => {
                    (6, number.to_be_bytes().to_vec())
                }
                Row::Epoch(_) => (7, Vec::new()),
                Row::EpochClaim(row) => (8, row.signer.as_bytes().to_vec()),
                Row::Delete(RowKey::EpochClaim(signer)) => (8, signer.as_bytes().to_vec()),
                Row::ChainTransaction(row) => (9, row.nonce.to_be_bytes().to_vec()),
                Row::Delete(RowKey::ChainTransaction(nonce)) => (9, nonce.to_be_bytes().to_vec()),
                Row::Entry(entry) => {
                    let keyed = entry.transaction.order().is_some_and(|order| order.key.is_some());
                    if !keyed && Some(entry.number) != last {
                        continue;
                    }
                    (10, entry.number.to_be_bytes().to_vec())
                }
                _ => continue,
            };
            if matches!(row, Row::Delete(_)) {
                newest.remove(&key);
            } else {
                newest.insert(key, row.clone());
            }
        }
        newest.into_values()
    }

    fn entries(&self) -> Vec<LedgerEntry> {
        let by_number: BTreeMap<u64, &LedgerEntry> =
            entries(&self.history).map(|entry| (entry.number, entry)).collect();
        by_number.into_values().cloned().collect()
    }

    fn journal(&self) -> Vec<MeteredPeriod> {
        let mut journal: Vec<MeteredPeriod> = Vec::new();
        for row in metered(&self.history) {
            if !journal.contains(row) {
                journal.push(row.clone());
            }
        }
        journal
    }
}

/// The state that a store returns, its nodes and times by ascending id.
pub(crate) fn state_of(store: &mut impl Store) -> Vec<Row> {
    let mut rows = Vec::new();
    store.load(&mut |row| rows.push(row)).expect("loads");
    // Only those that follow each other: nodes do not belong between other rows.
    for nodes in rows.chunk_by_mut(|one, next| matches!((one, next), (Row::Node(_), Row::Node(_)))) {
        nodes.sort_by_key(|row| if let Row::Node(node) = row { Some(node.id) } else { None });
    }
    for times in rows.chunk_by_mut(|one, next| matches!((one, next), (Row::Times(_), Row::Times(_)))) {
        times.sort_by_key(|row| if let Row::Times(times) = row { Some(times.client) } else { None });
    }
    rows
}

/// The journal that a store returns, read three rows at a time.
pub(crate) fn journal_of(store: &mut impl Store) -> Vec<MeteredPeriod> {
    let mut rows = Vec::new();
    let mut from = 0;
    loop {
        let before = rows.len();
        let mut last = None;
        let each = &mut |position, row| {
            assert!(position >= from && Some(position) > last, "position {position} after {last:?}, from {from}");
            last = Some(position);
            rows.push(row);
        };
        store.metered(from, 3, each).expect("reads the journal");
        assert!(rows.len() <= before + 3, "more rows than the limit");
        match last {
            Some(last) => from = last + 1,
            None => return rows,
        }
    }
}

fn metered(history: &[Row]) -> impl Iterator<Item = &MeteredPeriod> {
    history.iter().filter_map(|row| match row {
        Row::Metered(row) => Some(&**row),
        _ => None,
    })
}

/// The ledger's journal that a store returns, read three entries at a time.
pub(crate) fn entries_of(store: &mut impl Store) -> Vec<LedgerEntry> {
    let mut entries: Vec<LedgerEntry> = Vec::new();
    loop {
        let (before, from) = (entries.len(), entries.last().map_or(0, |last| last.number + 1));
        store.entries(from, 3, &mut |entry| entries.push(entry)).expect("reads the entries");
        assert!(entries.len() <= before + 3, "more entries than the limit");
        if entries.len() == before {
            return entries;
        }
    }
}

fn entries(history: &[Row]) -> impl Iterator<Item = &LedgerEntry> {
    history.iter().filter_map(|row| if let Row::Entry(entry) = row { Some(&**entry) } else { None })
}
