//! Names of nodes and of accounts: what is read prints as itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| vipnode_fuzz::enode::run(data));
