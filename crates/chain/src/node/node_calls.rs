use serde::de::DeserializeOwned;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use vipnode_rpc::{CallError, HttpRpc, OpenError, RpcLimits, http};
use vipnode_types::{HexData, Quantity, RpcUrl, wire::WireError};

use super::{ChainLimits, origin::NodeOrigin};
use crate::{abi::RevertReason, error::ChainError};

/// The calls of one node: their deadlines, their attempts, and their errors.
#[derive(Debug, Clone)]
pub(super) struct NodeCalls {
    rpc: HttpRpc,
    origin: NodeOrigin,
    limits: ChainLimits,
}

/// The code of a call that reverted, as geth and others answer it.
const REVERTED: i32 = 3;

impl NodeCalls {
    pub(super) fn open(url: &RpcUrl, limits: ChainLimits) -> Result<Self, ChainError> {
        let origin = NodeOrigin::of(url);
        let rpc_limits =
            RpcLimits { frame_bytes: limits.answer_bytes, trust: limits.trust.clone(), ..RpcLimits::default() };
        let rpc = http(url.as_str(), &rpc_limits).map_err(|error| ChainError::Address {
            node: origin.shown().to_owned(),
            why: origin.hidden(&error.to_string()),
        })?;
        Ok(Self { rpc, origin, limits })
    }

    pub(super) const fn limits(&self) -> &ChainLimits {
        &self.limits
    }

    pub(super) fn origin(&self) -> &str {
        self.origin.shown()
    }

    pub(super) fn u128(&self, method: &'static str, text: &str) -> Result<u128, ChainError> {
        let number = text.parse().map(|Quantity(number)| number);
        number.map_err(|error| self.wrong(method, &error.to_string()))
    }

    pub(super) fn u64(&self, method: &'static str, text: &str) -> Result<u64, ChainError> {
        let number = self.u128(method, text)?;
        number.try_into().map_err(|_| self.wrong(method, "a number of more than 64 bits"))
    }

    pub(super) fn data(&self, method: &'static str, text: &str) -> Result<Vec<u8>, ChainError> {
        let bytes = text.parse().map(|HexData(bytes)| bytes);
        bytes.map_err(|error| self.wrong(method, &error.to_string()))
    }

    /// Reads something, again where the node was not reached.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, ChainError> {
        let (mut attempts, mut pause) = (1, self.limits.pause);
        let answer = loop {
            match self.attempt(method, params).await {
                Err(error) if error.is_transient() && attempts < self.limits.attempts => {
                    tokio::time::sleep(pause).await;
                    attempts = attempts.saturating_add(1);
                    pause = pause.saturating_mul(2);
                }
                answer => break answer?,
            }
        };
        serde_json::from_str(answer.get()).map_err(|error| self.wrong(method, &error.to_string()))
    }

    /// Calls once.
    pub(super) async fn attempt(&self, method: &'static str, params: &Value) -> Result<Box<RawValue>, ChainError> {
        let raw = to_raw_value(params).map_err(|error| self.wrong(method, &error.to_string()))?;
        self.rpc.call_raw(method, raw, self.limits.call).await.map_err(|error| self.failed(method, &error))
    }

    /// The error for an answer that is not one to this method.
    pub(super) fn wrong(&self, method: &'static str, why: &str) -> ChainError {
        ChainError::Answer { node: self.origin.shown().to_owned(), method, why: self.origin.hidden(why) }
    }

    fn failed(&self, method: &'static str, error: &CallError) -> ChainError {
        let (node, why) = (self.origin.shown().to_owned(), self.origin.hidden(&error.to_string()));
        match error {
            CallError::Remote(error) => match revert_reason(error) {
                Some(RevertReason::Text(text)) => {
                    let reason = RevertReason::Text(self.origin.hidden(&text));
                    ChainError::Reverted { function: method, reason }
                }
                Some(reason) => ChainError::Reverted { function: method, reason },
                None => ChainError::Refused { node, method, code: error.code, why },
            },
            CallError::TooLarge { .. } | CallError::Json { .. } => ChainError::Answer { node, method, why },
            CallError::Open(OpenError::Refused { status, .. }) if *status != 429 && *status < 500 => {
                ChainError::Address { node, why }
            }
            CallError::Open(
                OpenError::Address { .. }
                | OpenError::Insecure { .. }
                | OpenError::Tls { .. }
                | OpenError::Redirected { .. }
                | OpenError::WebPage { .. },
            ) => ChainError::Address { node, why },
            CallError::Open(_) | CallError::Lost(_) | CallError::Expired | CallError::Full => {
                ChainError::Unreachable { node, why }
            }
        }
    }
}

/// Why a call reverted, if that is what an error means. Nodes return the contract's data, or only the text.
///
/// The text of a message decides here, which is done for no error of vipnode's own: some nodes answer a revert with the code of
/// any error (-32000), so nothing else distinguishes it.
fn revert_reason(error: &WireError) -> Option<RevertReason> {
    if let Some(data) = error.data.as_ref().and_then(|data| data.revert.as_deref()) {
        return Some(RevertReason::of(data));
    }
    let message = error.message.as_str();
    if error.code != REVERTED && !message.starts_with("execution reverted") {
        return None;
    }
    let text = message.split_once("reverted: ").map(|(_, text)| text.to_owned());
    Some(text.map_or(RevertReason::None, RevertReason::Text))
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::ErrorCode;

    use super::*;

    #[test]
    fn the_reason_of_a_revert_does_not_show_the_key_in_the_url() {
        let url = "https://mainnet.example/v3/0123456789abcdef".parse().unwrap();
        let calls = NodeCalls::open(&url, ChainLimits::default()).unwrap();
        let message = "execution reverted: project 0123456789abcdef is over its limit";
        let error = WireError { code: -32_000, ..WireError::new(ErrorCode::Internal, message, "") };
        let shown = calls.failed("eth_call", &CallError::Remote(error));
        let ChainError::Reverted { reason: RevertReason::Text(reason), .. } = shown else { panic!("{shown}") };
        assert_eq!(reason, "project … is over its limit");
    }
}
