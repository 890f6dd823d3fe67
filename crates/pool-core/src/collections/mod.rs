//! Containers and small values that know nothing of pools: a slab, an interner, a queue of deadlines, a seeded random
//! number generator, blocks of addresses. They call nothing of this crate, and nothing of the domain enters.

pub(crate) mod address_block;
pub(crate) mod block_shares;
pub(crate) mod by_index;
pub(crate) mod deadlines;
pub(crate) mod interner;
pub(crate) mod seeded_rng;
pub(crate) mod slab;
