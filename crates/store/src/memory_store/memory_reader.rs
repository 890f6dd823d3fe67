use std::{
    collections::BTreeMap,
    ops::{Bound, RangeInclusive},
    sync::Arc,
};

use vipnode_pool_core::{
    AccountFigures, HostPayout, LeaseRow, LedgerAccount, LedgerEntry, MeteredPeriod, NodeRow, PayoutRow, PayoutState,
    TimesRow, Transaction,
};
use vipnode_types::{Asset, LeaseId, Ms, NodeId};

use super::{MemoryContent, SharedContent};
use crate::{
    ReadLimits, StatementParties, StoreError, StoreReader, StoreSnapshot, TrimmedJournal,
    read_permits::{ReadPermit, ReadPermits},
};

/// Reads a store in memory.
#[derive(Debug)]
pub(super) struct MemoryReader {
    shared: Arc<SharedContent>,
    permits: ReadPermits,
}

/// The content as of one batch. The writer copies it before it writes the next one.
struct MemorySnapshot<'a> {
    content: Arc<MemoryContent>,
    permit: ReadPermit<'a>,
}

impl MemoryReader {
    pub(super) fn new(shared: Arc<SharedContent>, limits: ReadLimits) -> Self {
        Self { shared, permits: ReadPermits::new(limits) }
    }
}

impl StoreReader for MemoryReader {
    fn read(&self, written: u64) -> Result<Box<dyn StoreSnapshot + '_>, StoreError> {
        let permit = self.permits.take()?;
        self.shared.durable.wait(written, &permit)?;
        Ok(Box::new(MemorySnapshot { content: Arc::clone(&self.shared.lock()), permit }))
    }
}

impl StoreSnapshot for MemorySnapshot<'_> {
    fn seq(&self) -> u64 {
        self.content.seq
    }

    fn head(&mut self) -> Result<(Option<u64>, Option<Asset>), StoreError> {
        self.permit.check()?;
        Ok((self.content.next_lease, self.content.asset))
    }

    /// A store in memory has no backups.
    fn pool_time(&mut self) -> Result<(u64, Ms), StoreError> {
        self.permit.check()?;
        Ok((0, self.content.clock.unwrap_or_default()))
    }

    fn nodes(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<NodeRow>, StoreError> {
        self.permit.check()?;
        Ok(page(&self.content.nodes, after, limit))
    }

    /// Nothing is removed from a store in memory.
    fn trimmed(&mut self) -> Result<TrimmedJournal, StoreError> {
        self.permit.check()?;
        Ok(TrimmedJournal::default())
    }

    fn leases(&mut self, after: Option<LeaseId>, limit: usize) -> Result<Vec<LeaseRow>, StoreError> {
        self.permit.check()?;
        Ok(page(&self.content.leases, after.as_ref(), limit))
    }

    fn times(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<TimesRow>, StoreError> {
        self.permit.check()?;
        Ok(page(&self.content.times, after, limit))
    }

    fn deferred(&mut self, after: Option<&(NodeId, NodeId)>, limit: usize) -> Result<Vec<MeteredPeriod>, StoreError> {
        self.permit.check()?;
        Ok(page(&self.content.waiting, after, limit))
    }

    fn periods(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<(u64, MeteredPeriod)>, StoreError> {
        self.permit.check()?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        Ok((from..).zip(self.content.journal.iter().skip(skip).take(limit).cloned()).collect())
    }

    fn entries(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        self.permit.check()?;
        Ok(page(&self.content.ledger.entries, after.as_ref(), limit))
    }

    fn entries_of(
        &mut self,
        parties: StatementParties,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.permit.check()?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = self.content.ledger.entries.range((from, Bound::Unbounded)).map(|(_, entry)| entry);
        Ok(entries.filter(|entry| parties.are_of(&entry.transaction)).take(limit).cloned().collect())
    }

    fn mark_of(&mut self, payout: PayoutRow) -> Result<Option<LedgerEntry>, StoreError> {
        self.permit.check()?;
        let is_mark = |entry: &&LedgerEntry| match entry.transaction {
            Transaction::Paid { payout: number, .. } => (number, PayoutState::Paid) == (payout.number, payout.state),
            Transaction::Bounced { payout: number, .. } => {
                (number, PayoutState::Bounced) == (payout.number, payout.state)
            }
            _ => false,
        };
        Ok(self.content.ledger.entries.values().find(is_mark).cloned())
    }

    fn period(&mut self, lease: LeaseId, row: u32) -> Result<Option<MeteredPeriod>, StoreError> {
        self.permit.check()?;
        Ok(self.content.period(lease, row).cloned())
    }

    fn figures(&mut self, account: LedgerAccount) -> Result<AccountFigures, StoreError> {
        self.permit.check()?;
        Ok(self.content.ledger.figures(account))
    }

    /// Nothing is removed from a store in memory.
    fn opening(&mut self, _account: LedgerAccount) -> Result<AccountFigures, StoreError> {
        self.permit.check()?;
        Ok(AccountFigures::default())
    }

    fn accounts_of(&mut self, node: &NodeId) -> Result<StatementParties, StoreError> {
        self.permit.check()?;
        let payee = self.content.nodes.get(node).and_then(|node| node.payout).map(|payout| payout.account);
        Ok(StatementParties { payer: self.content.ledger.linked_account(node), payee })
    }

    fn marks(&mut self, _period: u64, payouts: RangeInclusive<u64>) -> Result<Vec<LedgerEntry>, StoreError> {
        self.permit.check()?;
        let is_mark = |entry: &&LedgerEntry| matches!(entry.transaction, Transaction::Paid { payout, .. } | Transaction::Bounced { payout, .. } if payouts.contains(&payout));
        Ok(self.content.ledger.entries.values().filter(is_mark).cloned().collect())
    }

    fn payout(&mut self, node: &NodeId) -> Result<Option<HostPayout>, StoreError> {
        self.permit.check()?;
        Ok(self.content.nodes.get(node).and_then(|node| node.payout))
    }
}

fn page<K: Ord, V: Clone>(rows: &BTreeMap<K, V>, after: Option<&K>, limit: usize) -> Vec<V> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    rows.range::<K, _>((from, Bound::Unbounded)).take(limit).map(|(_, row)| row.clone()).collect()
}
