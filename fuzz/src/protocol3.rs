//! Every message of protocol 3, and of an agent's local socket: a message that can be parsed can be written, and parses
//! to the same value again.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use vipnode_agent::local::AgentStatus;
use vipnode_types::{Delegation, Ms, signed::Envelope, wire::*};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    same::<ConnectRequest>(text);
    same::<ConnectReply>(text);
    same::<ReportRequest>(text);
    same::<ReportReply>(text);
    same::<AskRequest>(text);
    same::<AskReply>(text);
    same::<LeaveRequest>(text);
    same::<AdmitCall>(text);
    same::<EvictCall>(text);
    same::<DialCall>(text);
    same::<PoolStatus>(text);
    same::<ExplainRequest>(text);
    same::<ExplainReply>(text);
    same::<ByeRequest>(text);
    same::<ReachRequest>(text);
    same::<ReachReply>(text);
    same::<AgentStatus>(text);
    same::<DailyStatementRequest>(text);
    same::<SignedDailyStatement>(text);
    same::<WireError>(text);
    same::<Delegation>(text);
    same::<Envelope>(text);
    if let Ok(envelope) = serde_json::from_str::<Envelope>(text) {
        assert!(envelope.verify(Ms::new(1), "vipnode_connect", "{}").is_err(), "a signature out of nothing");
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    if let Ok(value) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&value).expect("what was read can be written");
        assert_eq!(serde_json::from_str::<T>(&written).expect("what was written can be read"), value);
    }
}
