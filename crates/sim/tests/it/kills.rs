//! Kills of a real pool. `vipnode-sim kill --count N` makes more.

use std::process::Command;

#[test]
fn a_killed_pool_keeps_what_it_acknowledged() {
    let args = ["kill", "--count", "30", "--seed", "1"];
    let output = Command::new(env!("CARGO_BIN_EXE_vipnode-sim")).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("30 kills") && !text.contains(" 0 "), "{text}");
    for kind in ["bounced", "collected", "correction", "credit", "debit", "lease", "limit", "paid", "period"] {
        assert!(text.contains(&format!(" {kind}")), "no {kind} in the ledger: {text}");
    }
}
