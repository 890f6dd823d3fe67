//! A node that answers anything to the probe and to every call.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::node_answers::run(data));
