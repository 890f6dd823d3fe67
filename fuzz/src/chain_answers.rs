//! Lines that an EVM node answers: a block, a log, or a receipt as JSON, or in hex what a contract returned when it
//! reverted.

use vipnode_chain::{EvmBlock, EvmLog, EvmReceipt, RevertReason, escrow_event};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(text: &str) {
    for line in text.lines() {
        let _ = serde_json::from_str::<EvmBlock>(line);
        if let Ok(receipt) = serde_json::from_str::<EvmReceipt>(line) {
            let _ = receipt.cost_wei();
        }
        if let Ok(log) = serde_json::from_str::<EvmLog>(line)
            && let Some(event) = escrow_event(&log)
        {
            let cut = EvmLog { data: Vec::new(), ..log };
            assert_ne!(escrow_event(&cut), Some(event), "each event has data");
        }
        let bytes: Vec<u8> = line.as_bytes().chunks_exact(2).filter_map(byte).collect();
        let shown = RevertReason::of(&bytes).to_string();
        assert!(!shown.chars().any(vipnode_types::is_unprintable), "{shown:?}");
    }
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
