//! Identifiers of nodes and of accounts: a parsed value prints as the same text.

use vipnode_types::{Account, Enode, NodeId};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(text: &str) {
    if let Ok(enode) = text.parse::<Enode>() {
        assert_eq!(enode.to_string().parse::<Enode>(), Ok(enode));
    }
    // An ID has one form (fault D10, docs/faults.md).
    if let Ok(id) = text.parse::<NodeId>() {
        assert_eq!(id.to_string(), text, "an alias");
    }
    if let Ok(account) = text.parse::<Account>() {
        assert_eq!(account.to_string().parse(), Ok(account));
        assert!(account.to_string().eq_ignore_ascii_case(text), "an alias");
    }
}
