//! The structs of the Go pool in Go's field order, and its way to verify: what was decoded is marshaled again,
//! and the signature has to hold over that.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use vipnode_types::protocol2::{SignedCall, go_json};

/// `pool/pool.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct ConnectRequest {
    pub vipnode_version: String,
    pub node_info: UserAgent,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node_uri: String,
    pub payout: String,
}

/// `ethnode/rpc.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserAgent {
    pub version: String,
    pub eth_protocol: String,
    pub kind: i64,
    pub network: i64,
    pub is_full_node: bool,
}

/// `pool/pool.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct UpdateRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<String>>,
    pub peers_info: Option<Vec<PeerInfo>>,
    pub block_number: u64,
}

/// `ethnode/rpc.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerInfo {
    pub id: String,
    pub name: String,
    pub caps: Option<Vec<String>>,
    pub protocols: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub enode: String,
    pub network: Network,
}

/// `ethnode/rpc.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Network {
    #[serde(rename = "localAddress")]
    pub local_address: String,
    #[serde(rename = "remoteAddress")]
    pub remote_address: String,
}

/// `pool/pool.go`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerRequest {
    pub num: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// A call that holds.
pub struct Call {
    pub node: String,
    pub nonce: u64,
    pub argument: String,
}

/// `request/request.go`, Verify.
pub fn verify(method: &str, params: &RawValue) -> Result<Call, (i32, String)> {
    let call = SignedCall::read(params).map_err(|error| (-32602, error.to_string()))?;
    let [argument] = call.arguments[..] else { return Err((-32602, "invalid params".to_owned())) };
    let again = match method {
        "vipnode_connect" => marshal::<ConnectRequest>(argument),
        "vipnode_update" => marshal::<UpdateRequest>(argument),
        "vipnode_peer" => marshal::<PeerRequest>(argument),
        _ => return Err((-32601, format!("method not found: {method}"))),
    };
    let again = again.map_err(|error| (-32602, error.to_string()))?;
    let text = format!("[\"{}\",\"{}\",{},{again}]", call.signature, call.id, call.nonce);
    let text: Box<RawValue> = serde_json::from_str(&text).unwrap();
    let marshaled = SignedCall::read(&text).unwrap();
    match marshaled.verify_node(method) {
        Ok(node) => Ok(Call { node: node.to_string(), nonce: call.nonce, argument: argument.get().to_owned() }),
        Err(error) => Err((-32603, format!("method {method:?} failed to verify signature: {error}"))),
    }
}

fn marshal<T: DeserializeOwned + Serialize>(argument: &RawValue) -> Result<String, serde_json::Error> {
    go_json(&serde_json::from_str::<T>(argument.get())?)
}
