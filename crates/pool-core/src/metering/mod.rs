//! What a lease costs: rows from the first to the last moment that both sides saw each other, their rollover, and the
//! time that only one side saw. It may read leases and agents. Nothing here ends a lease or adds up a bill: each row is
//! computed from its own moments.

pub(crate) mod day_budget;
pub(crate) mod rollover;
pub(crate) mod row;
pub(crate) mod unpaired;
