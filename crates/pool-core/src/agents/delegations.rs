use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use crate::{
    DelegationRow, Limits,
    agents::Agents,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// When the newest delegation was issued of forgotten nodes that showed more than one.
///
/// A node's owner revokes an agent's key by a newer delegation. If the pool forgot that together with the node, the
/// old key could represent the node again. An id can show as many delegations as it likes, so address blocks share the
/// table; beyond its share, a block loses its own oldest entry.
#[derive(Debug)]
pub(crate) struct Delegations {
    nodes: BTreeMap<NodeId, NewestDelegation>,
    /// The ids of each block, the oldest first.
    order: BTreeMap<(AddressBlock, u64), NodeId>,
    shares: BlockShares,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct NewestDelegation {
    issued: Ms,
    block: AddressBlock,
    number: u64,
}

/// What the store is to do about forgotten nodes.
#[derive(Debug, Default)]
pub(crate) struct DelegationChange {
    pub(crate) kept: Option<DelegationRow>,
    pub(crate) lost: Option<NodeId>,
}

/// Entries that a block may always have while the table is not full, as far as [`BlockShares`] allows. In the rule of
/// `delegations`.
const BLOCK_MINIMUM: u32 = 4;

impl Delegations {
    pub(crate) const fn new() -> Self {
        let shares = BlockShares::new(BLOCK_MINIMUM);
        Self { nodes: BTreeMap::new(), order: BTreeMap::new(), shares, next: 0 }
    }

    /// When the newest delegation of a forgotten node was issued.
    pub(crate) fn issued(&self, id: &NodeId) -> Option<Ms> {
        self.nodes.get(id).map(|entry| entry.issued)
    }

    /// Every entry, by ascending id.
    pub(crate) fn rows(&self) -> impl Iterator<Item = DelegationRow> {
        self.nodes.iter().map(|(id, entry)| DelegationRow { id: *id, issued: entry.issued, block: entry.block })
    }

    /// Adds an entry. Where its block has no room, it takes the room of the block's oldest entry; without one, it is not
    /// kept.
    pub(crate) fn insert(&mut self, row: DelegationRow, limits: &Limits) -> DelegationChange {
        let block = row.block;
        let free = limits.delegations.saturating_sub(self.shares.held());
        let may = if limits.members_only { free > 0 } else { self.shares.may_take(block, free) };
        let lost = if may { None } else { self.oldest_of(block) };
        if !may && lost.is_none() {
            return DelegationChange::default();
        }
        if let Some(lost) = lost {
            self.take(&lost);
        }
        self.add(row);
        DelegationChange { kept: Some(row), lost }
    }

    fn add(&mut self, DelegationRow { id, issued, block }: DelegationRow) {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.nodes.insert(id, NewestDelegation { issued, block, number });
        self.order.insert((block, number), id);
        self.shares.take(block);
    }

    /// Removes an entry. Returns whether there was one.
    pub(crate) fn take(&mut self, id: &NodeId) -> bool {
        let Some(NewestDelegation { block, number, .. }) = self.nodes.remove(id) else { return false };
        self.order.remove(&(block, number));
        self.shares.give_back(block);
        true
    }

    fn oldest_of(&self, block: AddressBlock) -> Option<NodeId> {
        self.order.range((block, 0)..=(block, u64::MAX)).next().map(|(_, id)| *id)
    }
}

impl Agents {
    /// Keeps what has to be known of a node that is about to be forgotten.
    pub(crate) fn keep_delegation(&mut self, index: u32, limits: &Limits) -> DelegationChange {
        let Some(node) = self.nodes.get(index).filter(|node| node.replaced) else {
            return DelegationChange::default();
        };
        let row = DelegationRow { id: node.id(), issued: node.credentials().issued, block: node.block };
        self.delegations.insert(row, limits)
    }

    /// Every entry of a forgotten node, by ascending id.
    pub(crate) fn delegations(&self) -> impl Iterator<Item = DelegationRow> {
        self.delegations.rows()
    }

    /// Adds what a store kept, the oldest first.
    pub(crate) fn restore_delegations(&mut self, rows: impl Iterator<Item = DelegationRow>, limits: &Limits) {
        let mut rows: Vec<DelegationRow> = rows.collect();
        rows.sort_by_key(|row| row.issued);
        // Each was within its block's share when it was written.
        for row in rows.into_iter().take(limits.delegations as usize) {
            self.delegations.add(row);
        }
    }

    /// Forgets the entry of a node that is known again. Returns whether there was one.
    pub(crate) fn take_delegation(&mut self, id: &NodeId) -> bool {
        self.delegations.take(id)
    }

    /// When the newest delegation of a node was issued, known or forgotten; zero if there was none.
    pub(crate) fn newest_delegation(&self, id: &NodeId) -> Ms {
        let forgotten = || self.delegations.issued(id).unwrap_or(Ms::ZERO);
        self.known(id).map_or_else(forgotten, |node| node.credentials().issued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u8, address: &str) -> DelegationRow {
        let block = AddressBlock::of(address.parse().unwrap());
        DelegationRow { id: NodeId::new([number; 64]), issued: Ms::new(number.into()), block }
    }

    #[test]
    fn beyond_its_share_a_block_loses_its_own_oldest() {
        let limits = Limits { delegations: 30, ..Limits::default() };
        let mut delegations = Delegations::new();
        delegations.insert(row(200, "9.9.9.9"), &limits);
        for number in 0..100 {
            let change = delegations.insert(row(number, "8.8.8.8"), &limits);
            assert!(change.kept.is_some());
        }
        assert_eq!(delegations.rows().count(), 11, "a third");
        assert!(delegations.issued(&NodeId::new([99; 64])).is_some());
        assert!(delegations.issued(&NodeId::new([0; 64])).is_none());
        assert_eq!(delegations.issued(&NodeId::new([200; 64])), Some(Ms::new(200)));
        assert!(delegations.insert(row(201, "7.7.7.7"), &limits).lost.is_none());
        assert!(delegations.take(&NodeId::new([201; 64])) && !delegations.take(&NodeId::new([201; 64])));
        assert_eq!(delegations.shares.held(), 11);
        assert_eq!(delegations.order.len(), 11);
    }

    #[test]
    fn a_full_table_keeps_what_it_has() {
        let limits = Limits { delegations: 1, ..Limits::default() };
        let mut delegations = Delegations::new();
        delegations.insert(row(1, "9.9.9.9"), &limits);
        let change = delegations.insert(row(2, "8.8.8.8"), &limits);
        assert!(change.kept.is_none() && change.lost.is_none());
        let closed = Limits { members_only: true, delegations: 3, ..limits };
        for number in 3..9 {
            assert!(delegations.insert(row(number, "7.7.7.7"), &closed).kept.is_some());
        }
        assert_eq!(delegations.rows().count(), 3);
    }
}
