//! Containers and small values that are independent of pools: a slab, an interner, a queue of deadlines, a seeded random
//! number generator, address blocks, and their shares and queues. They call only the limits and contain no domain
//! logic.

pub(crate) mod address_block;
pub(crate) mod block_queues;
pub(crate) mod block_shares;
pub(crate) mod by_index;
pub(crate) mod compact_lease_id;
pub(crate) mod compact_ms;
pub(crate) mod deadlines;
pub(crate) mod interner;
pub(crate) mod seeded_rng;
pub(crate) mod shared_queue;
pub(crate) mod slab;
