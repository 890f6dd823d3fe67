//! Every message of protocol 3, and of an agent's local socket: a message that can be parsed can be written, and parses
//! to the same value again.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::protocol3::run(data));
