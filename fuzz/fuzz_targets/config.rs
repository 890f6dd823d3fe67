//! What an operator or a proxy writes: addresses, secrets, lists of members, journals, headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (u8, &str)| vipnode_fuzz::config::run(data));
