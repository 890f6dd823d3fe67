//! Every message of protocol 3, and what an agent tells on its own machine: what can be read can be written, and reads the same again.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::protocol3::run(data));
