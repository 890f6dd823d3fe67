//! Tests of the agent between simulated nodes and pools that the test simulates.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod agent;
mod broken_node;
mod daily_statements;
mod direct;
mod fake_pool;
mod go_vipnode;
#[cfg(unix)]
mod local;
mod metrics;
mod notices;
mod pool_id;
mod protocol2;
mod real_own_peers;
