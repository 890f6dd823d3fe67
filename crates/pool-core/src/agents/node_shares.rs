use crate::{
    Limits,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// How many of the nodes that the pool remembers each address block has: of all, and of those that were never paired.
///
/// An id is free, so one block could fill the table of nodes with ids that connect and leave, and the pool would then
/// refuse every newcomer. Therefore blocks share the table, and they share the smaller part of it that never-paired nodes
/// may take. A newcomer is refused by its block's share; no other node is forgotten for it.
#[derive(Debug)]
pub(crate) struct NodeShares {
    all: BlockShares,
    never_paired: BlockShares,
}

/// Nodes that a block may always have while the tables are not full, as far as [`BlockShares`] allows. In the rules of
/// `nodes` and `never_paired_nodes`.
const BLOCK_MINIMUM: u32 = 4;

impl NodeShares {
    pub(crate) const fn new() -> Self {
        Self { all: BlockShares::new(BLOCK_MINIMUM), never_paired: BlockShares::new(BLOCK_MINIMUM) }
    }

    /// Whether a block may have one more node, while the pool remembers `known`.
    pub(crate) fn may_join(&self, block: AddressBlock, never_paired: bool, known: usize, limits: &Limits) -> bool {
        let free = limits.nodes.saturating_sub(u32::try_from(known).unwrap_or(u32::MAX));
        let free_never_paired = limits.never_paired_nodes.saturating_sub(self.never_paired.held());
        self.all.may_take(block, free) && (!never_paired || self.never_paired.may_take(block, free_never_paired))
    }

    /// Counts a node for a block. [`AddressBlock::ALL`] counts for none.
    pub(crate) fn join(&mut self, block: AddressBlock, never_paired: bool) {
        if block == AddressBlock::ALL {
            return;
        }
        self.all.take(block);
        if never_paired {
            self.never_paired.take(block);
        }
    }

    /// Counts a node of a block no longer.
    pub(crate) fn leave(&mut self, block: AddressBlock, never_paired: bool) {
        self.all.give_back(block);
        if never_paired {
            self.never_paired.give_back(block);
        }
    }

    /// Counts a node of a block as one that was paired.
    pub(crate) fn paired(&mut self, block: AddressBlock) {
        self.never_paired.give_back(block);
    }

    /// All nodes that count for a block, and those of them that were never paired, for checks.
    pub(crate) const fn held(&self) -> [u32; 2] {
        [self.all.held(), self.never_paired.held()]
    }
}
