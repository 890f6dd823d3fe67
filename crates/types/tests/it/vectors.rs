//! The golden vectors in `vectors/signatures.json`: what is signed, what is accepted, and what is refused by
//! which check. They bind us and serve others; a change of a vector breaks every agent in the field.

use serde::Deserialize;
use serde_json::value::RawValue;
use vipnode_types::keccak256;
use vipnode_types::{
    Account, AgentKey, AgentPublic, Delegation, DelegationError, JoinProof, JoinSecret, LeaseId, LeaseSetHash, Ms,
    NodeId, NodeKey,
    protocol2::{FormError, SignatureError, SignedCall, sign_call},
    signed::{Envelope, EnvelopeError},
};

#[derive(Deserialize)]
struct Vectors {
    keys: Keys,
    protocol2: Protocol2,
    protocol3: Protocol3,
}

#[derive(Deserialize)]
struct Keys {
    node: Node,
    agent: Agent,
    wallet: Wallet,
}

#[derive(Deserialize)]
struct Node {
    secret: String,
    id: NodeId,
}

#[derive(Deserialize)]
struct Agent {
    secret: String,
    public: AgentPublic,
}

#[derive(Deserialize)]
struct Wallet {
    secret: String,
    address: Account,
}

#[derive(Deserialize)]
struct Protocol2 {
    node_calls: Vec<Call2>,
    wallet_calls: Vec<Call2>,
}

#[derive(Deserialize)]
struct Call2 {
    why: String,
    method: String,
    signed: Option<String>,
    params: String,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Protocol3 {
    delegations: Vec<Delegated>,
    calls: Vec<Call3>,
    join_proofs: Vec<Join>,
    lease_set_hashes: Vec<Hash>,
}

#[derive(Deserialize)]
struct Delegated {
    why: String,
    now_ms: Ms,
    signed: Option<String>,
    delegation: Box<RawValue>,
    text: Option<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Call3 {
    why: String,
    now_ms: Ms,
    signed: Option<String>,
    body: String,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Join {
    why: String,
    secret: String,
    node: NodeId,
    nonce: String,
    proof: JoinProof,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Hash {
    why: String,
    leases: Vec<LeaseId>,
    hash: LeaseSetHash,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors/signatures.json")).unwrap()
}

fn node_key(keys: &Keys) -> NodeKey {
    NodeKey::read(keys.node.secret.as_bytes()).unwrap()
}

fn agent_key(keys: &Keys) -> AgentKey {
    AgentKey::read(keys.agent.secret.as_bytes()).unwrap()
}

/// The name of the check that refused, as the file has it.
fn check2(error: SignatureError) -> &'static str {
    match error {
        SignatureError::Id { .. } => "Id",
        SignatureError::Account => "Account",
        SignatureError::NodeForm => "NodeForm",
        SignatureError::WalletForm => "WalletForm",
        SignatureError::Wrong => "Wrong",
    }
}

fn check_delegation(error: DelegationError) -> &'static str {
    match error {
        DelegationError::Signature => "Signature",
        DelegationError::Expired => "Expired",
        DelegationError::Future => "Future",
        DelegationError::Text => "Text",
    }
}

fn check3(error: EnvelopeError) -> &'static str {
    match error {
        EnvelopeError::Signature => "Signature",
        EnvelopeError::Delegation(error) => check_delegation(error),
    }
}

/// The result of `verify` for a call, by name; `None` where it holds.
fn judged(vector: &Call2, verify: impl Fn(&SignedCall<'_>) -> Result<(), SignatureError>) -> Option<&'static str> {
    let params = RawValue::from_string(vector.params.clone()).unwrap();
    match SignedCall::read(&params) {
        Ok(call) => verify(&call).err().map(check2),
        Err(FormError::Nonce) => Some("Nonce"),
        Err(error) => panic!("{}: {error}", vector.why),
    }
}

#[test]
fn the_keys_are_those_of_the_file() {
    let Vectors { keys, .. } = vectors();
    assert_eq!(node_key(&keys).id(), keys.node.id);
    assert_eq!(agent_key(&keys).public(), keys.agent.public);
    let wallet = NodeKey::read(keys.wallet.secret.as_bytes()).unwrap().id();
    assert_eq!(keccak256(wallet.as_bytes()).0[12..], keys.wallet.address.as_bytes()[..]);
}

#[test]
fn calls_of_nodes_by_protocol_2() {
    let Vectors { keys, protocol2, .. } = vectors();
    let (key, mut held) = (node_key(&keys), 0);
    for vector in &protocol2.node_calls {
        let said = judged(vector, |call| call.verify_node(&vector.method).map(|node| assert_eq!(node, keys.node.id)));
        assert_eq!(said, vector.refused.as_deref(), "{}", vector.why);
        // What we sign is the same to the last byte.
        if let Some(signed) = &vector.signed {
            let rest = signed.strip_prefix(&format!("{}[", vector.method)).unwrap();
            let params = format!("[\"{}\",{rest}", sign_call(&key, &vector.method, rest));
            assert_eq!(params, vector.params, "{}", vector.why);
            held += 1;
        }
    }
    assert!(held > 5 && protocol2.node_calls.len() > held + 10);
}

#[test]
fn calls_of_wallets_by_protocol_2() {
    let Vectors { keys, protocol2, .. } = vectors();
    for vector in &protocol2.wallet_calls {
        let said =
            judged(vector, |call| call.verify_wallet(&vector.method).map(|a| assert_eq!(a, keys.wallet.address)));
        assert_eq!(said, vector.refused.as_deref(), "{}", vector.why);
        assert_eq!(vector.signed.is_some(), said.is_none(), "{}", vector.why);
    }
}

#[test]
fn delegations() {
    let Vectors { keys, protocol3, .. } = vectors();
    let mut made = 0;
    for vector in &protocol3.delegations {
        let read = serde_json::from_str::<Delegation>(vector.delegation.get());
        let said = match &read {
            Ok(delegation) => delegation.verify(vector.now_ms).err().map(check_delegation),
            Err(_) => Some("Form"),
        };
        assert_eq!(said, vector.refused.as_deref(), "{}", vector.why);
        let (Ok(delegation), Some(signed), Some(text)) = (read, &vector.signed, &vector.text) else { continue };
        made += 1;
        let Delegation { issued_ms, expires_ms, .. } = delegation;
        assert_eq!(Delegation::sign(&node_key(&keys), keys.agent.public, issued_ms, expires_ms), delegation);
        assert_eq!((text.parse(), &delegation.to_string()), (Ok(delegation.clone()), text), "as one word");
        assert!(signed.starts_with(&const_hex::encode("vipnode/3 delegation\n")));
        assert_eq!(signed.len(), 2 * (21 + 64 + 33 + 8 + 8), "{signed}");
    }
    assert_eq!(made, 1);
}

#[test]
fn calls_of_agents_by_protocol_3_over_a_socket_and_by_post() {
    #[derive(Deserialize)]
    struct Body {
        method: String,
        params: (Box<RawValue>, Box<RawValue>),
    }
    let Vectors { keys, protocol3, .. } = vectors();
    let key = agent_key(&keys);
    let mut held = 0;
    for vector in &protocol3.calls {
        let Body { method, params: (object, envelope) } = serde_json::from_str(&vector.body).unwrap();
        let read = serde_json::from_str::<Envelope>(envelope.get());
        let said = match &read {
            Ok(envelope) => envelope.verify(vector.now_ms, &method, object.get()).err().map(check3),
            Err(_) => Some("Form"),
        };
        assert_eq!(said, vector.refused.as_deref(), "{}", vector.why);
        let (Ok(envelope), Some(signed)) = (read, &vector.signed) else { continue };
        held += 1;
        let Envelope { delegation, audience, nonce, .. } = envelope.clone();
        let lines = ["vipnode/3 call", &method, &audience, &nonce, &keys.node.id.to_string(), object.get()];
        assert_eq!(&lines.join("\n"), signed, "{}", vector.why);
        assert_eq!(Envelope::sign(&key, delegation, &method, &audience, &nonce, object.get()), envelope);
    }
    assert!(held > 2 && protocol3.calls.len() > held + 8);
}

#[test]
fn join_proofs() {
    for vector in vectors().protocol3.join_proofs {
        let secret = JoinSecret::new(&vector.secret).unwrap();
        let holds = secret.accepts(&vector.proof, &vector.node, &vector.nonce);
        assert_eq!(holds, vector.refused.is_none(), "{}", vector.why);
    }
}

#[test]
fn hashes_of_sets_of_leases() {
    for vector in vectors().protocol3.lease_set_hashes {
        assert_eq!(LeaseSetHash::of(vector.leases), vector.hash, "{}", vector.why);
    }
}
