//! The cost of leases: rows from the first to the last time that both sides saw each other, their rollover, and the time
//! that only hosts saw. It may read leases and agents. Nothing here ends a lease or adds up a bill: each row is computed
//! from its own times.

pub(crate) mod day_budget;
pub(crate) mod row_ends;
pub(crate) mod row_rollover;
pub(crate) mod unpaired;

use crate::{
    collections::by_index::ByIndex,
    metering::{day_budget::DayBudget, unpaired::UnpairedBlocks},
};

/// Today's time that only hosts saw, by node and by address block. Rows need no state.
#[derive(Debug)]
pub(crate) struct Metering {
    nodes: ByIndex<DayBudget>,
    blocks: UnpairedBlocks,
}

impl Metering {
    pub(crate) fn new() -> Self {
        Self { nodes: ByIndex::new(), blocks: UnpairedBlocks::default() }
    }

    /// Forgets a node.
    pub(crate) fn forget(&mut self, node: u32) {
        self.nodes.take(node);
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }
}
