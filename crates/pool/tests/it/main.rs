//! Tests of a whole pool over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod accounts;
mod admin;
mod agents;
mod clock;
mod common;
mod durability;
mod faults;
mod floods;
mod http_limits;
mod limits;
mod members;
mod metrics;
mod original;
mod outages;
mod proxies;
mod reach;
mod served;
mod statements;
mod strangers;
mod tls;
