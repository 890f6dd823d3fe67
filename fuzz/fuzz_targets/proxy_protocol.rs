//! The header of the PROXY protocol: however it is cut, the same ends and the same bytes behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::proxy_protocol::run(data));
