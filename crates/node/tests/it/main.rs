//! Tests of the drivers and the finder on simulated and real nodes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[cfg(feature = "testing")]
mod conformance;
mod families;
mod http_status;
mod keep_alive;
mod limits;
#[cfg(feature = "testing")]
mod real_conformance;
#[cfg(feature = "testing")]
mod real_geth;
mod sim_server;
