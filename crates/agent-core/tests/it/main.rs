//! Tests of the agent's core: events in, actions out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod admissions;
mod client;
mod common;
mod connect_failure;
mod dial_private;
mod direct;
mod displaced;
mod hosting;
mod life;
mod nodes;
mod numbers;
mod payment;
mod pool_link;
mod protocol2;
mod random;
mod redial;
mod reports;
mod stop;
mod strict;
mod suitability;
mod undo_retries;
mod view;
mod vouchers;
mod whole_life;
