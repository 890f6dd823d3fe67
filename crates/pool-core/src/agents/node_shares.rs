use crate::{
    Limits,
    agents::{Agents, node::Node},
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// How many of the nodes that the pool remembers each address block has: of all, and of those that were never paired.
///
/// An id is free, so one block could fill the table of nodes with ids that connect and leave, and the pool would then
/// refuse every newcomer. Therefore blocks share the table, and they share the smaller part of it that never-paired nodes
/// may take. A newcomer is refused by its block's share; no other node is forgotten for it.
#[derive(Debug)]
pub(crate) struct NodeShares {
    /// Nodes that count as paired. The two are apart, so that a node is an entry of one of them only.
    paired: BlockShares,
    never_paired: BlockShares,
}

/// What a node counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountedNode {
    block: AddressBlock,
    never_paired: bool,
    /// Its newest delegation has room among those of forgotten nodes.
    reserves_delegation: bool,
}

/// Nodes that a block may always have while the tables are not full, within [`BlockShares`]. In the rules of
/// `nodes` and `never_paired_nodes`.
const BLOCK_MINIMUM: u32 = 4;

impl NodeShares {
    pub(crate) const fn new() -> Self {
        Self { paired: BlockShares::new(BLOCK_MINIMUM), never_paired: BlockShares::new(BLOCK_MINIMUM) }
    }

    /// Whether a block may have one more node, while the pool remembers `known`.
    pub(crate) fn may_join(&self, block: AddressBlock, never_paired: bool, known: usize, limits: &Limits) -> bool {
        let free = limits.nodes.saturating_sub(u32::try_from(known).unwrap_or(u32::MAX));
        let free_never_paired = limits.never_paired_nodes.saturating_sub(self.never_paired.held());
        let own = self.paired.held_by(block).saturating_add(self.never_paired.held_by(block));
        let wide = block.wide();
        let wide = self.paired.held_by_wide(wide).saturating_add(self.never_paired.held_by_wide(wide));
        BlockShares::allows(BLOCK_MINIMUM, own, wide, free)
            && (!never_paired || self.never_paired.may_take(block, free_never_paired))
    }

    /// Counts a node for a block. [`AddressBlock::ALL`] counts for none.
    fn join(&mut self, block: AddressBlock, never_paired: bool) {
        if block != AddressBlock::ALL {
            self.nodes_mut(never_paired).take(block);
        }
    }

    /// Counts a node in a block no longer.
    fn leave(&mut self, block: AddressBlock, never_paired: bool) {
        self.nodes_mut(never_paired).give_back(block);
    }

    const fn nodes_mut(&mut self, never_paired: bool) -> &mut BlockShares {
        if never_paired { &mut self.never_paired } else { &mut self.paired }
    }

    /// All nodes that count for a block, and those of them that were never paired, for checks.
    pub(crate) const fn held(&self) -> [u32; 2] {
        let never_paired = self.never_paired.held();
        [self.paired.held().saturating_add(never_paired), never_paired]
    }
}

impl CountedNode {
    pub(crate) fn of(node: &Node) -> Self {
        let (never_paired, reserves_delegation) = (!node.is_paired(), node.reserves_delegation());
        Self { block: node.block, never_paired, reserves_delegation }
    }
}

impl Agents {
    /// What a node counts for now. Pass it to [`Self::count_again`] after the node changed.
    pub(in crate::agents) fn counted(&self, index: u32) -> Option<CountedNode> {
        self.get(index).map(CountedNode::of)
    }

    /// Counts a node for what it counts for now, and no longer for what it did before.
    pub(in crate::agents) fn count_again(&mut self, index: u32, before: Option<CountedNode>) {
        let after = self.counted(index);
        if before == after {
            return;
        }
        if let Some(CountedNode { block, never_paired, reserves_delegation }) = before {
            self.shares.leave(block, never_paired);
            if reserves_delegation {
                self.delegations.free(block);
            }
        }
        if let Some(CountedNode { block, never_paired, reserves_delegation }) = after {
            self.shares.join(block, never_paired);
            if reserves_delegation {
                self.delegations.reserve(block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paired_and_never_paired_nodes_share_the_table_and_only_the_latter_their_part() {
        let limits = Limits { nodes: 30, never_paired_nodes: 12, ..Limits::default() };
        let block = |text: &str| AddressBlock::of(text.parse().unwrap());
        let (one, other) = (block("10.0.0.1"), block("20.0.0.1"));
        let mut shares = NodeShares::new();
        (0..6).for_each(|_| shares.join(one, true));
        (0..4).for_each(|_| shares.leave(one, true));
        (0..4).for_each(|_| shares.join(one, false));
        shares.join(AddressBlock::ALL, false);
        assert_eq!(shares.held(), [6, 2]);
        let may_join = |shares: &NodeShares, never_paired| shares.may_join(one, never_paired, 6, &limits);
        assert!(may_join(&shares, true) && may_join(&shares, false));
        (0..4).for_each(|_| shares.join(one, true));
        assert!(!may_join(&shares, true) && may_join(&shares, false), "six of twelve are never paired");
        assert!(shares.may_join(other, true, 10, &limits));
        (0..2).for_each(|_| shares.join(one, false));
        assert_eq!(shares.held(), [12, 6]);
        assert!(!shares.may_join(one, false, 18, &limits) && shares.may_join(other, false, 18, &limits));
        (0..6).for_each(|_| shares.leave(one, true));
        (0..6).for_each(|_| shares.leave(one, false));
        assert_eq!(shares.held(), [0, 0]);
    }
}
