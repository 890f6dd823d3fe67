//! Key files of nodes and of agents: no part of a secret is ever shown.

use vipnode_types::{AgentKey, NodeKey};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(file: &[u8]) {
    if let Ok(key) = NodeKey::read(file) {
        let shown = format!("{key:?}");
        let text = String::from_utf8_lossy(file);
        let secret = text.trim().trim_start_matches("0x");
        assert!(secret.len() < 64 || !shown.contains(secret), "a secret is shown");
        assert_eq!(key.id().to_string().parse(), Ok(key.id()));
    }
    if let Ok(key) = AgentKey::read(file) {
        let again = AgentKey::read(key.to_hex().as_bytes()).expect("what is written can be read");
        assert_eq!(again.public(), key.public());
        assert!(!format!("{key:?}").contains(key.to_hex().as_str()), "a secret is shown");
    }
}
