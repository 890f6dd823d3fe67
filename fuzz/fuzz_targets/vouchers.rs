//! Lines that are read as a payment channel, a voucher, or a signature of typed data.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| vipnode_fuzz::vouchers::run(data));
