//! The cost of leases: rows from the first to the last time that both sides were connected to each other, their
//! rollover, and the time that only hosts saw. It may read leases and agents. Nothing here ends a lease or adds up a
//! bill: each row is computed from its own times.

pub(crate) mod billed_period;
pub(crate) mod budget_day;
pub(crate) mod client_times;
pub(crate) mod final_parts;
mod hourly_rows;
pub(crate) mod pair_week;
pub(crate) mod period_merger;
pub(crate) mod period_rollover;
pub(crate) mod stored_times;
pub(crate) mod trial_blocks;
pub(crate) mod unpaired;
pub(crate) mod unpaired_blocks;

use crate::{
    collections::{block_shares::BlockShares, by_index::ByIndex, slab::Handle},
    metering::{
        client_times::ClientTimes, final_parts::FinalParts, period_merger::PeriodMerger, trial_blocks::TrialBlocks,
        unpaired_blocks::UnpairedBlocks,
    },
};

/// The time of a week that clients spent with hosts, by client and host, today's unpaired time and this hour's trials by
/// address block, and rows that wait to be written, or for the answers of their sides.
#[derive(Debug)]
pub(crate) struct Metering {
    clients: ByIndex<Option<Box<ClientTimes>>>,
    /// Pairs of a client and a host in `clients`, by the client's address block.
    shares: BlockShares,
    blocks: UnpairedBlocks,
    trials: TrialBlocks,
    /// Clients whose times the store does not have, each once.
    dirty: Vec<Handle>,
    rows: PeriodMerger,
    final_parts: FinalParts,
}

impl Metering {
    pub(crate) fn new() -> Self {
        Self {
            clients: ByIndex::new(),
            shares: BlockShares::new(0),
            blocks: UnpairedBlocks::default(),
            trials: TrialBlocks::default(),
            dirty: Vec::new(),
            rows: PeriodMerger::new(),
            final_parts: FinalParts::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.clients.heap_bytes() + self.rows.heap_bytes()
    }
}
