//! JSON-RPC frames of either side of a connection, and the stream of a node's IPC.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vipnode_fuzz::frames::run(data));
