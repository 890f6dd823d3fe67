//! What is signed holds, and holds no longer after one byte of it changed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (&str, &str, [u8; 32], u64, u16)| vipnode_fuzz::signatures::run(data));
