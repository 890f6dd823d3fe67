//! A valid signature verifies, and does not verify after any signed byte has changed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (&str, &str, [u8; 32], u64, u16)| vipnode_fuzz::signatures::run(data));
