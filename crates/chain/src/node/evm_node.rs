use serde_json::{Value, json};
use vipnode_types::{Account, Hash256, RpcUrl};

use super::{BlockTag, ChainLimits, EvmBlock, EvmLog, EvmReceipt, node_calls::NodeCalls};
use crate::{abi::ContractCall, error::ChainError};

/// An execution client, or a provider, that is called over HTTP. It may be wrong or lie: what counts is for its caller to
/// compare with other nodes.
#[derive(Debug, Clone)]
pub struct EvmNode {
    calls: NodeCalls,
}

/// How often a range of blocks is halved that the node refuses; then, its error counts.
const HALVINGS: u32 = 200;

impl EvmNode {
    /// A node at this URL. Nothing is connected until the first call.
    ///
    /// # Errors
    /// [`ChainError::Address`].
    pub fn open(url: &RpcUrl, limits: ChainLimits) -> Result<Self, ChainError> {
        NodeCalls::open(url, limits).map(|calls| Self { calls })
    }

    /// The limits of this node.
    #[must_use]
    pub const fn limits(&self) -> &ChainLimits {
        self.calls.limits()
    }

    /// Scheme, host, and port, without what may be secret.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.calls.origin()
    }

    /// Calls a method that changes the state of a development chain.
    pub(crate) async fn command(&self, method: &'static str, params: &Value) -> Result<(), ChainError> {
        self.calls.attempt(method, params).await.map(drop)
    }

    /// Returns the chain's ID.
    ///
    /// # Errors
    /// See [`ChainError`]; so for all below.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.calls.u64("eth_chainId", &json!([])).await
    }

    /// Returns whether a contract is at an address.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn has_code(&self, address: Account) -> Result<bool, ChainError> {
        let code: String = self.calls.read("eth_getCode", &json!([address, "latest"])).await?;
        Ok(self.calls.data("eth_getCode", &code)?.iter().any(|byte| *byte != 0))
    }

    /// Returns a block's header.
    ///
    /// # Errors
    /// [`ChainError::NoBlock`] if the node does not have it, or does not know what it is.
    pub async fn block(&self, tag: BlockTag) -> Result<EvmBlock, ChainError> {
        let block: Option<EvmBlock> = self.calls.read("eth_getBlockByNumber", &json!([tag.to_string(), false])).await?;
        let block = block.ok_or_else(|| ChainError::NoBlock { block: tag.to_string() })?;
        match tag {
            BlockTag::Number(number) if number != block.number => {
                Err(self.calls.wrong("eth_getBlockByNumber", &format!("block {} instead of {number}", block.number)))
            }
            _ => Ok(block),
        }
    }

    /// Returns what an account has of the chain's coin, in wei.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn balance_wei(&self, account: Account) -> Result<u128, ChainError> {
        self.calls.u128("eth_getBalance", &json!([account, "latest"])).await
    }

    /// Returns the nonce of the next transaction of an account, those that wait included.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn next_nonce(&self, account: Account) -> Result<u64, ChainError> {
        self.calls.u64("eth_getTransactionCount", &json!([account, "pending"])).await
    }

    /// Returns how many transactions of an account the chain contains up to a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn transaction_count(&self, account: Account, at: BlockTag) -> Result<u64, ChainError> {
        self.calls.u64("eth_getTransactionCount", &json!([account, at.to_string()])).await
    }

    /// Returns what block producers are paid a unit of gas at present, in wei.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn priority_fee_wei(&self) -> Result<u128, ChainError> {
        self.calls.u128("eth_maxPriorityFeePerGas", &json!([])).await
    }

    /// Calls a contract without a transaction, as if `from` had sent it, on the state after a block.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the reason; others as above.
    pub async fn call(&self, call: &ContractCall, from: Option<Account>, at: BlockTag) -> Result<Vec<u8>, ChainError> {
        let params = json!([transaction_object(call, from), at.to_string()]);
        let returned: String = self.calls.read("eth_call", &params).await.map_err(|error| named(error, call))?;
        self.calls.data("eth_call", &returned)
    }

    /// Returns how much gas a call would use as a transaction of `from`.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the reason; others as above.
    pub async fn estimate_gas(&self, call: &ContractCall, from: Account) -> Result<u64, ChainError> {
        let params = json!([transaction_object(call, Some(from))]);
        self.calls.u64("eth_estimateGas", &params).await.map_err(|error| named(error, call))
    }

    /// Sends a signed transaction, once: whether it arrived is asked by its hash. Nodes that have it already accept it.
    ///
    /// # Errors
    /// See [`ChainError`]. After [`ChainError::Unreachable`], it may have arrived.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<(), ChainError> {
        let params = json!([const_hex::encode_prefixed(raw)]);
        match self.calls.attempt("eth_sendRawTransaction", &params).await {
            Ok(_hash) => Ok(()),
            Err(ChainError::Refused { why, .. }) if is_known(&why) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns what became of a transaction; `None` while it is not mined.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn receipt(&self, hash: Hash256) -> Result<Option<EvmReceipt>, ChainError> {
        let receipt: Option<EvmReceipt> = self.calls.read("eth_getTransactionReceipt", &json!([hash])).await?;
        match receipt {
            Some(receipt) if receipt.transaction_hash != hash => {
                Err(self.calls.wrong("eth_getTransactionReceipt", "the receipt of a different transaction"))
            }
            receipt => Ok(receipt),
        }
    }

    /// Returns the logs of a contract in a range of blocks, both ends included. A range that the node refuses, because it
    /// has too many logs, is read in halves.
    ///
    /// # Errors
    /// [`ChainError::ManyBlocks`] and [`ChainError::ManyLogs`] beyond the limits; others as above.
    pub async fn logs(&self, contract: Account, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
        let (most, most_blocks) = (self.limits().logs, self.limits().log_blocks);
        if to.saturating_sub(from) >= most_blocks {
            return Err(ChainError::ManyBlocks { most: most_blocks });
        }
        let (mut logs, mut ranges, mut halvings) = (Vec::new(), vec![(from, to)], 0);
        while let Some((from, to)) = ranges.pop() {
            let read = self.logs_of(contract, from, to).await;
            let part = match read {
                Err(ChainError::Refused { .. } | ChainError::Answer { .. }) if from < to && halvings < HALVINGS => {
                    halvings = halvings.saturating_add(1);
                    let middle = from.midpoint(to);
                    ranges.extend([(middle.saturating_add(1), to), (from, middle)]);
                    continue;
                }
                read => read?,
            };
            if logs.len().saturating_add(part.len()) > most {
                return Err(ChainError::ManyLogs { most });
            }
            logs.extend(part);
        }
        Ok(logs)
    }

    async fn logs_of(&self, contract: Account, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
        let number = |number| BlockTag::Number(number).to_string();
        let filter = json!([{ "address": contract, "fromBlock": number(from), "toBlock": number(to) }]);
        let logs: Vec<EvmLog> = self.calls.read("eth_getLogs", &filter).await?;
        let asked = |log: &EvmLog| log.address == contract && (from..=to).contains(&log.block_number);
        match logs.iter().all(asked) {
            true => Ok(logs),
            false => Err(self.calls.wrong("eth_getLogs", "a log that was not requested")),
        }
    }
}

/// The same error, about the function of a contract.
fn named(error: ChainError, call: &ContractCall) -> ChainError {
    match error {
        ChainError::Reverted { reason, .. } => ChainError::Reverted { function: call.function, reason },
        error => error,
    }
}

/// Whether a node has a transaction already, by the texts of geth, reth, Besu, Nethermind, and anvil.
fn is_known(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["already known", "already imported", "known transaction", "alreadyknown"].iter().any(|text| why.contains(text))
}

/// What `eth_call` and `eth_estimateGas` take.
fn transaction_object(call: &ContractCall, from: Option<Account>) -> Value {
    let mut object = json!({ "to": call.to, "data": const_hex::encode_prefixed(&call.data) });
    if let (Some(from), Some(fields)) = (from, object.as_object_mut()) {
        fields.insert("from".to_owned(), json!(from));
    }
    object
}
