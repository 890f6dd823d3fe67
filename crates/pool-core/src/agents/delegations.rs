use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vipnode_types::{Delegation, Ms, NodeId};

use crate::{
    DelegationRow, Limits,
    agents::Agents,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// When the newest delegation was issued of forgotten nodes that showed more than one.
///
/// A node's owner revokes an agent's key by a newer delegation. If the pool forgot that together with the node, the
/// old key could represent the node again. An id can show as many delegations as it likes, so address blocks share the
/// table. No entry makes room for another one: a stranger could thereby revive a revoked key of another node in the same
/// block. A node that will soon be forgotten therefore has its room from when it shows another delegation, and is refused
/// if there is none. A paired node for which its block has no room is not forgotten, and still counts for the block among
/// all nodes. An entry ends when no delegation from before it can hold any more, because each ends a year after it was
/// issued at the latest, by the same clock.
#[derive(Debug)]
pub(crate) struct Delegations {
    nodes: BTreeMap<NodeId, NewestDelegation>,
    /// The same nodes, the oldest delegation first.
    by_age: BTreeSet<(Ms, NodeId)>,
    /// Of the entries, and of the known nodes that have room here.
    shares: BlockShares,
}

#[derive(Debug, Clone, Copy)]
struct NewestDelegation {
    issued: Ms,
    block: AddressBlock,
}

/// Entries that a block may always have while the table is not full, within [`BlockShares`]. In the rule of
/// `delegations`.
const BLOCK_MINIMUM: u32 = 4;

impl Delegations {
    pub(crate) const fn new() -> Self {
        Self { nodes: BTreeMap::new(), by_age: BTreeSet::new(), shares: BlockShares::new(BLOCK_MINIMUM) }
    }

    /// When the newest delegation of a forgotten node was issued.
    pub(crate) fn issued(&self, id: &NodeId) -> Option<Ms> {
        self.nodes.get(id).map(|entry| entry.issued)
    }

    /// Every entry, by ascending id.
    pub(crate) fn rows(&self) -> impl Iterator<Item = DelegationRow> {
        self.nodes.iter().map(|(id, entry)| DelegationRow { id: *id, issued: entry.issued, block: entry.block })
    }

    /// Whether a block may have one more entry. Members of a closed pool share the whole.
    pub(crate) fn may_add(&self, block: AddressBlock, limits: &Limits) -> bool {
        let free = limits.delegations.saturating_sub(self.shares.held());
        if limits.members_only { free > 0 } else { self.shares.may_take(block, free) }
    }

    /// Keeps room for an entry of a known node.
    pub(crate) fn reserve(&mut self, block: AddressBlock) {
        self.shares.take(block);
    }

    /// Gives back the room for an entry of a known node.
    pub(crate) fn free(&mut self, block: AddressBlock) {
        self.shares.give_back(block);
    }

    /// Known nodes that have room for an entry, for checks.
    pub(crate) fn reserved(&self) -> usize {
        (self.shares.held() as usize).saturating_sub(self.nodes.len())
    }

    fn add(&mut self, DelegationRow { id, issued, block }: DelegationRow) {
        self.take(&id);
        self.nodes.insert(id, NewestDelegation { issued, block });
        self.by_age.insert((issued, id));
        self.shares.take(block);
    }

    /// Removes an entry. Returns whether there was one.
    pub(crate) fn take(&mut self, id: &NodeId) -> bool {
        let Some(NewestDelegation { issued, block }) = self.nodes.remove(id) else { return false };
        self.by_age.remove(&(issued, *id));
        self.shares.give_back(block);
        true
    }

    /// Removes an entry before which no delegation holds any more. Returns its node.
    fn take_ended(&mut self, now: Ms) -> Option<NodeId> {
        let (_, id) = *self.by_age.first().filter(|(issued, _)| Delegation::longest(*issued) <= now)?;
        self.take(&id).then_some(id)
    }
}

impl Agents {
    /// Whether a node at an address may connect with a delegation that was issued at this time. One that replaces another has
    /// to be known for longer than a node that will soon be forgotten.
    pub(crate) fn may_show_delegation(&self, id: &NodeId, issued: Ms, address: IpAddr, limits: &Limits) -> bool {
        let soon_forgotten = self.known(id).filter(|node| !node.is_paired() && !limits.members_only);
        let replaces = soon_forgotten.is_some_and(|node| !node.reserves_delegation() && node.is_replaced_by(issued));
        !replaces || self.delegations.may_add(AddressBlock::of(address), limits)
    }

    /// Whether the pool would still know a node's newest delegation after it forgot the node, if it has to.
    pub(crate) fn may_keep_delegation(&self, index: u32, now: Ms, limits: &Limits) -> bool {
        let replaced = self.nodes.get(index).filter(|node| node.revokes(now));
        replaced.is_none_or(|node| node.reserves_delegation() || self.delegations.may_add(node.block, limits))
    }

    /// Keeps what has to be known of a node that is about to be forgotten; returns the row to store, if there is one.
    pub(crate) fn keep_delegation(&mut self, index: u32, now: Ms) -> Option<DelegationRow> {
        let node = self.nodes.get(index).filter(|node| node.revokes(now))?;
        let row = DelegationRow { id: node.id(), issued: node.credentials().issued, block: node.block };
        self.delegations.add(row);
        Some(row)
    }

    /// Every entry of a forgotten node, by ascending id.
    pub(crate) fn delegations(&self) -> impl Iterator<Item = DelegationRow> {
        self.delegations.rows()
    }

    /// Adds what a store kept, also beyond a limit that was lowered since: each entry was within its block's share when it
    /// was written.
    pub(crate) fn restore_delegations(&mut self, rows: impl Iterator<Item = DelegationRow>) {
        rows.for_each(|row| self.delegations.add(row));
    }

    /// Forgets an entry before which no delegation holds any more. Returns its node.
    pub(crate) fn take_ended_delegation(&mut self, now: Ms) -> Option<NodeId> {
        self.delegations.take_ended(now)
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

    /// Adds the rows for which there is room; returns how many that are.
    fn fill(delegations: &mut Delegations, rows: impl Iterator<Item = DelegationRow>, limits: &Limits) -> usize {
        let mut added = 0;
        for row in rows {
            if delegations.may_add(row.block, limits) {
                delegations.add(row);
                added += 1;
            }
        }
        added
    }

    #[test]
    fn beyond_its_share_a_block_gets_no_more_and_loses_nothing() {
        let limits = Limits { delegations: 30, ..Limits::default() };
        let mut delegations = Delegations::new();
        delegations.add(row(200, "9.9.9.9"));
        let block = (0..100).map(|number| row(number, "8.8.8.8"));
        assert_eq!(fill(&mut delegations, block, &limits), 10, "a third of what is left");
        let wide = (100..150).map(|number| row(number, &format!("8.8.{number}.8")));
        assert_eq!(fill(&mut delegations, wide, &limits), 6, "a wide block has half, or four times the minimum");
        for (number, kept) in [(0, true), (9, true), (10, false), (100, true), (200, true)] {
            assert_eq!(delegations.issued(&NodeId::new([number; 64])).is_some(), kept, "{number}");
        }
        assert!(delegations.may_add(row(201, "7.7.7.7").block, &limits));
        assert!(delegations.take(&NodeId::new([200; 64])) && !delegations.take(&NodeId::new([200; 64])));
        assert_eq!((delegations.shares.held(), delegations.rows().count(), delegations.by_age.len()), (16, 16, 16));
    }

    #[test]
    fn members_share_the_whole_table() {
        let closed = Limits { members_only: true, delegations: 3, ..Limits::default() };
        let mut delegations = Delegations::new();
        assert_eq!(fill(&mut delegations, (0..9).map(|number| row(number, "7.7.7.7")), &closed), 3);
        delegations.add(row(0, "6.6.6.6"));
        assert_eq!(delegations.shares.held(), 3, "an id has one entry");
    }
}
