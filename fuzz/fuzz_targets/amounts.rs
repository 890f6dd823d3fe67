//! Amounts of money: nothing is rounded, nothing becomes zero on its way (D27, D28).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (&str, u128)| vipnode_fuzz::amounts::run(data));
