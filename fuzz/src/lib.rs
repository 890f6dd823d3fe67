//! What the fuzz targets do with their bytes: one module for each parser of outside bytes.
//!
//! libFuzzer calls them from `fuzz_targets`; `crates/cli/tests/it/fuzz_corpus.rs` mounts this file and replays the
//! corpus in each run of the tests.

pub mod amounts;
pub mod chain_answers;
pub mod config;
pub mod enode;
pub mod frames;
pub mod node_answers;
pub mod node_keys;
pub mod protocol2;
pub mod protocol3;
pub mod proxy_protocol;
pub mod signatures;
pub mod vouchers;
