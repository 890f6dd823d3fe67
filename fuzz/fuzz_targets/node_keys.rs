//! Key files of nodes and of agents: no part of a secret is ever shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::node_keys::run(data));
