//! For tests: real geths on loopback, blocks through their engine API, and one conformance suite for all nodes.
//!
//! geth listens on all interfaces, so everything here requires its own network namespace and checks for it
//! ([`assert_isolated`]): `unshare -n sh -c 'ip link set lo up; exec cargo test …'`.
//!
//! Uses the public functions of this crate; nothing outside tests calls it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: a failure here is the failure of a test"
)]

pub mod conformance;
mod engine;
mod geth_process;
mod isolation;
mod light_chain;

pub use engine::make_blocks;
pub use geth_process::{Geth, GethSpec};
pub use isolation::{assert_isolated, free_port};
pub use light_chain::{LightChain, LightNode, balance, old_full_node};
