//! Identifiers of nodes and of accounts: a parsed value prints as the same text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| vipnode_fuzz::enode::run(data));
