//! What an EVM node answers, and what a contract returned when it reverted.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| vipnode_fuzz::chain_answers::run(data));
