//! Params of protocol 2 and the answers of a pool of the original.

use serde_json::value::RawValue;
use vipnode_types::protocol2::{
    AccountReply, ClientReply, ClientRequest, HostRequest, MAX_PEERS, PeerReply, PeerRequest, Protocol2ConnectReply,
    Protocol2ConnectRequest, SignedCall, Update, UpdateReply, UpdateRequest, go_json,
};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(raw) = serde_json::from_str::<Box<RawValue>>(text) else { return };
    if let Ok(call) = SignedCall::read(&raw) {
        assert!(i64::try_from(call.nonce).is_ok() && call.arguments.len() <= 4);
        // The corpus has calls with signatures that hold; both verifiers must take any other too.
        let _either = (call.verify_node("vipnode_update"), call.verify_wallet("pool_addNode"));
        for argument in &call.arguments {
            arguments(argument);
        }
    }
    arguments(&raw);
    let _any = serde_json::from_str::<Protocol2ConnectReply>(text);
    let _any = serde_json::from_str::<ClientReply>(text);
    let _any = serde_json::from_str::<PeerReply>(text);
    let _any = serde_json::from_str::<UpdateReply>(text);
    let _any = serde_json::from_str::<AccountReply>(text);
}

fn arguments(raw: &RawValue) {
    let _any = serde_json::from_str::<HostRequest>(raw.get());
    let _any = serde_json::from_str::<ClientRequest>(raw.get());
    let _any = serde_json::from_str::<PeerRequest>(raw.get());
    if let Ok(hello) = serde_json::from_str::<Protocol2ConnectRequest>(raw.get()) {
        let written = go_json(&hello).expect("what was read can be written");
        assert_eq!(serde_json::from_str::<Protocol2ConnectRequest>(&written).expect("reads again"), hello);
    }
    if let Ok(update) = Update::read(raw) {
        assert!(update.peers.len() <= MAX_PEERS);
        let ours = go_json(&UpdateRequest::of(update.peers.iter().copied(), update.block_number)).expect("writes");
        let again = Update::read(&serde_json::from_str::<Box<RawValue>>(&ours).expect("JSON")).expect("reads again");
        assert_eq!(again, update);
    }
}
