//! A valid signature verifies, and does not verify after any signed byte has changed.

use serde_json::value::RawValue;
use vipnode_types::{
    AccountKey, AccountSignature, AgentKey, Delegation, JoinSecret, Ms, NodeKey,
    protocol2::{SignedCall, go_json, signed_params},
    signed::Envelope,
};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: (&str, &str, [u8; 32], u64, u16)) {
    let (object, method, secret, nonce, at) = data;
    let (Ok(node), Ok(agent)) = (NodeKey::read(&secret), AgentKey::from_random([7; 32])) else { return };
    let delegation = Delegation::sign(&node, agent.public(), Ms::new(1), Ms::new(100));
    assert!(delegation.verify(Ms::new(5)).is_ok() && delegation.verify(Ms::new(100)).is_err());
    let envelope = Envelope::sign(&agent, delegation, method, "ws://pool/", "n", object);
    assert!(envelope.verify(Ms::new(5), method, object).is_ok());
    let other = change(object, at);
    if other != object {
        assert!(envelope.verify(Ms::new(5), method, &other).is_err(), "a changed object");
    }
    protocol2(&node, method, object, nonce >> 1, at);
    account(secret, object, &other);
    if let Some(secret) = JoinSecret::new(object) {
        let proof = secret.prove(&node.id(), method);
        assert!(secret.accepts(&proof, &node.id(), method));
        assert!(!secret.accepts(&proof, &node.id(), &format!("{method}x")));
    }
}

fn protocol2(node: &NodeKey, method: &str, text: &str, nonce: u64, at: u16) {
    let argument = go_json(&text).expect("a text is JSON");
    let params = signed_params(node, method, nonce, &argument);
    let raw: Box<RawValue> = serde_json::from_str(&params).expect("params are JSON");
    let call = SignedCall::read(&raw).expect("params of ours");
    assert_eq!(call.verify_node(method), Ok(node.id()));
    let other = change(&params, at);
    // Base64 leaves bits unused at its end, and V is not looked at: only the part that is signed counts.
    let signed = |params: &str| params.split_once(',').map(|(_, rest)| rest.to_owned());
    if signed(&other) == signed(&params) {
        return;
    }
    if let Ok(raw) = serde_json::from_str::<Box<RawValue>>(&other)
        && let Ok(call) = SignedCall::read(&raw)
    {
        assert!(call.verify_node(method).is_err(), "a changed call");
    }
}

fn account(secret: [u8; 32], text: &str, other: &str) {
    let Ok(key) = AccountKey::from_bytes(secret) else { return };
    let signature = key.sign(text);
    assert_eq!(signature.signed(other, &key.account()), other == text);
    // What the text itself is read as, if it is a signature, is written and read again.
    if let Ok(read) = text.parse::<AccountSignature>() {
        assert_eq!(read.to_string().parse(), Ok(read));
    }
}

/// The same text with one character replaced.
fn change(text: &str, at: u16) -> String {
    let count = text.chars().count().max(1);
    let at = usize::from(at) % count;
    text.chars().enumerate().map(|(index, c)| if index == at { if c == '0' { '1' } else { '0' } } else { c }).collect()
}
