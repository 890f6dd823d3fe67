//! Params of protocol 2 and the answers of a pool of the original.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::protocol2::run(data));
