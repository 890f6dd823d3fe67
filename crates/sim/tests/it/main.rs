//! Tests of the simulator and its checker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod checker;
mod full_disk;
mod kills;
mod power_cuts;
mod seeds;
