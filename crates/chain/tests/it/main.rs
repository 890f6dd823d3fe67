//! Tests of the crate against vectors of other programs, a node that answers anything, and a real one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod node;
#[cfg(feature = "testing")]
mod real_anvil;
mod several_nodes;
mod support;
mod vectors;
