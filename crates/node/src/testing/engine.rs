use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Geth;

/// Makes `count` blocks, the newest of them now, through the engine API of the first node, and has every node
/// follow them, as a consensus client would.
pub async fn make_blocks(geths: &[&Geth], count: u64) {
    let engines: Vec<EngineApi> = geths.iter().map(|geth| EngineApi::of(geth)).collect();
    let first = engines.first().expect("at least one node");
    for n in 0..count {
        let head = first.call("eth_getBlockByNumber", json!(["latest", false])).await;
        let before = u64::from_str_radix(head["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        let timestamp = before.saturating_add(1).max(now_s().saturating_sub(count - 1 - n));
        let attributes = json!({
            "timestamp": format!("{timestamp:#x}"),
            "prevRandao": zeros(32),
            "suggestedFeeRecipient": zeros(20),
            "withdrawals": [],
        });
        let built = first.call("engine_forkchoiceUpdatedV2", json!([choice(&head["hash"]), attributes])).await;
        let payload = first.call("engine_getPayloadV2", json!([built["payloadId"]])).await;
        let block = &payload["executionPayload"];
        for engine in &engines {
            let taken = engine.call("engine_newPayloadV2", json!([block])).await;
            assert_eq!(taken["status"], "VALID", "{taken}");
            let chosen = engine.call("engine_forkchoiceUpdatedV2", json!([choice(&block["blockHash"]), null])).await;
            assert_eq!(chosen["payloadStatus"]["status"], "VALID", "{chosen}");
        }
    }
}

fn choice(hash: &Value) -> Value {
    json!({ "headBlockHash": hash, "safeBlockHash": hash, "finalizedBlockHash": zeros(32) })
}

fn zeros(bytes: usize) -> String {
    format!("0x{}", "00".repeat(bytes))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

struct EngineApi {
    client: reqwest::Client,
    url: String,
    secret: Vec<u8>,
}

impl EngineApi {
    fn of(geth: &Geth) -> Self {
        let secret = std::fs::read_to_string(geth.engine_secret()).expect("geth wrote its JWT secret");
        let secret = const_hex::decode(secret.trim()).expect("in hex");
        // Whatever comes first in the process decides; nothing here goes over TLS.
        let _earlier = rustls::crypto::ring::default_provider().install_default();
        Self { client: reqwest::Client::builder().no_proxy().build().unwrap(), url: geth.engine_url(), secret }
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.client.post(&self.url).bearer_auth(self.token()).body(body);
        let answer = request.header("content-type", "application/json").send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{method}: {answer}"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// A JWT, HS256, issued now: geth takes it for a minute.
    fn token(&self) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let head = encode(&json!({ "alg": "HS256", "typ": "JWT" }));
        let signed = format!("{head}.{}", encode(&json!({ "iat": now_s() })));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}
