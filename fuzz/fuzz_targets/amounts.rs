//! Amounts of money: no amount is rounded or becomes zero (faults D27 and D28, docs/faults.md).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (&str, u128)| vipnode_fuzz::amounts::run(data));
