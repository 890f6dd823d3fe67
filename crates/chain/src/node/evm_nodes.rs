use futures_util::FutureExt as _;
use serde_json::{Value, json};
use vipnode_types::{Account, Hash256, RpcUrl};

use super::{BlockTag, ChainLimits, EvmBlock, EvmLog, EvmReceipt, node_calls::NodeCalls, node_logs, quorum::Quorum};
use crate::{abi::ContractCall, error::ChainError};

/// One to three execution clients or providers of one chain, which are called over HTTP. Each may be behind, be wrong, or lie.
///
/// A single one is believed. Of several, what counts is what more than half of them answer: both of two, or two of three. Of two
/// that differ in how far the chain is, the lower block counts; where they differ in a hash or in what a contract returns, the
/// call fails ([`ChainError::NodesDiffer`]).
#[derive(Debug, Clone)]
pub struct EvmNodes {
    quorum: Quorum,
    limits: ChainLimits,
}

/// Nodes that are compared; more is an error.
pub const EVM_NODES: usize = 3;

impl EvmNodes {
    /// A single node at this URL. Nothing is connected until the first call.
    ///
    /// # Errors
    /// [`ChainError::Address`].
    pub fn open(url: &RpcUrl, limits: ChainLimits) -> Result<Self, ChainError> {
        Self::open_all(std::slice::from_ref(url), limits)
    }

    /// The nodes at these URLs. Nothing is connected until the first call.
    ///
    /// # Errors
    /// [`ChainError::Address`], [`ChainError::NumNodes`] if they are none or more than [`EVM_NODES`], and [`ChainError::NodeTwice`]
    /// if one is named twice.
    pub fn open_all(urls: &[RpcUrl], limits: ChainLimits) -> Result<Self, ChainError> {
        if urls.is_empty() || urls.len() > EVM_NODES {
            return Err(ChainError::NumNodes { most: EVM_NODES });
        }
        // Of several, the others answer, or the caller asks again: none is waited for.
        let attempts = if urls.len() == 1 { limits.attempts } else { 1 };
        let limits = ChainLimits { attempts, ..limits };
        let nodes: Vec<NodeCalls> =
            urls.iter().map(|url| NodeCalls::open(url, limits.clone())).collect::<Result<_, _>>()?;
        for (index, url) in urls.iter().enumerate() {
            if urls.iter().take(index).any(|other| other.as_str() == url.as_str()) {
                let node = nodes.get(index).map(|node| node.origin().to_owned()).unwrap_or_default();
                return Err(ChainError::NodeTwice { node });
            }
        }
        Ok(Self { quorum: Quorum::new(nodes, limits.grace), limits })
    }

    /// The limits of each node.
    #[must_use]
    pub const fn limits(&self) -> &ChainLimits {
        &self.limits
    }

    /// Calls a method that changes the state of a development chain, on each node.
    pub(crate) async fn command(&self, method: &'static str, params: &Value) -> Result<(), ChainError> {
        for node in self.quorum.nodes() {
            node.attempt(method, params).await?;
        }
        Ok(())
    }

    /// Returns the chain's ID.
    ///
    /// # Errors
    /// See [`ChainError`]; so for all below.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        let read = |node: &NodeCalls, text: String| node.u64("eth_chainId", &text);
        self.quorum.agreed("eth_chainId", &json!([]), read).await
    }

    /// Returns whether a contract is at an address.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn has_code(&self, address: Account) -> Result<bool, ChainError> {
        let read = |node: &NodeCalls, code: String| Ok(node.data("eth_getCode", &code)?.iter().any(|byte| *byte != 0));
        self.quorum.agreed("eth_getCode", &json!([address, "latest"]), read).await
    }

    /// Returns a block's header. Of several nodes that are not equally far, the newest block that more than half of them have
    /// counts, if they have the same block there.
    ///
    /// # Errors
    /// [`ChainError::NoBlock`] if the nodes do not have it, or do not know what it is.
    pub async fn block(&self, tag: BlockTag) -> Result<EvmBlock, ChainError> {
        let method = "eth_getBlockByNumber";
        let read = |node: &NodeCalls, block: Option<EvmBlock>| {
            let block = block.ok_or_else(|| ChainError::NoBlock { block: tag.to_string() })?;
            match tag {
                BlockTag::Number(number) if number != block.number => {
                    Err(node.wrong(method, &format!("block {} instead of {number}", block.number)))
                }
                _ => Ok(block),
            }
        };
        let params = json!([tag.to_string(), false]);
        if matches!(tag, BlockTag::Number(_)) || self.quorum.nodes().len() == 1 {
            return self.quorum.agreed(method, &params, read).await;
        }
        let number = self.quorum.reached(method, &params, |node, block| Ok(read(node, block)?.number)).await?;
        Box::pin(self.block(BlockTag::Number(number))).await
    }

    /// Returns what an account has of the chain's coin, in wei.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn balance_wei(&self, account: Account) -> Result<u128, ChainError> {
        let read = |node: &NodeCalls, text: String| node.u128("eth_getBalance", &text);
        self.quorum.reached("eth_getBalance", &json!([account, "latest"]), read).await
    }

    /// Returns the nonce of the next transaction of an account, those that wait included.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn next_nonce(&self, account: Account) -> Result<u64, ChainError> {
        let read = |node: &NodeCalls, text: String| node.u64("eth_getTransactionCount", &text);
        self.quorum.reached("eth_getTransactionCount", &json!([account, "pending"]), read).await
    }

    /// Returns how many transactions of an account the chain contains up to a block.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn transaction_count(&self, account: Account, at: BlockTag) -> Result<u64, ChainError> {
        let read = |node: &NodeCalls, text: String| node.u64("eth_getTransactionCount", &text);
        self.quorum.agreed("eth_getTransactionCount", &json!([account, at.to_string()]), read).await
    }

    /// Returns what block producers are paid a unit of gas at present, in wei.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn priority_fee_wei(&self) -> Result<u128, ChainError> {
        let read = |node: &NodeCalls, text: String| node.u128("eth_maxPriorityFeePerGas", &text);
        self.quorum.reached("eth_maxPriorityFeePerGas", &json!([]), read).await
    }

    /// Calls a contract without a transaction, as if `from` had sent it, on the state after a block.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the reason; others as above.
    pub async fn call(&self, call: &ContractCall, from: Option<Account>, at: BlockTag) -> Result<Vec<u8>, ChainError> {
        let params = json!([transaction_object(call, from), at.to_string()]);
        let read = |node: &NodeCalls, returned: String| node.data("eth_call", &returned);
        self.quorum.agreed("eth_call", &params, read).await.map_err(|error| named(error, call))
    }

    /// Returns how much gas a call would use as a transaction of `from`.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the reason; others as above.
    pub async fn estimate_gas(&self, call: &ContractCall, from: Account) -> Result<u64, ChainError> {
        let params = json!([transaction_object(call, Some(from))]);
        let read = |node: &NodeCalls, text: String| node.u64("eth_estimateGas", &text);
        self.quorum.reached("eth_estimateGas", &params, read).await.map_err(|error| named(error, call))
    }

    /// Sends a signed transaction to each node, once: whether it arrived is asked by its hash. Nodes that have it already accept it.
    ///
    /// # Errors
    /// The first error if no node took it. After [`ChainError::Unreachable`], it may have arrived.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<(), ChainError> {
        let params = json!([const_hex::encode_prefixed(raw)]);
        let calls = self.quorum.nodes().iter().map(|node| send_to(node, &params).boxed()).collect();
        // One that took it passes it on.
        let sent = self.quorum.in_time(calls, 1).await;
        let accepted = sent.iter().any(Result::is_ok);
        sent.into_iter().find(|sent| sent.is_ok() == accepted).unwrap_or(Ok(()))
    }

    /// Returns what became of a transaction; `None` while it is not mined, or the nodes do not agree on it.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn receipt(&self, hash: Hash256) -> Result<Option<EvmReceipt>, ChainError> {
        let method = "eth_getTransactionReceipt";
        let read = |node: &NodeCalls, receipt: Option<EvmReceipt>| match receipt {
            Some(receipt) if receipt.transaction_hash != hash => {
                Err(node.wrong(method, "the receipt of a different transaction"))
            }
            receipt => Ok(receipt),
        };
        match self.quorum.agreed(method, &json!([hash]), read).await {
            // One of them is behind.
            Err(ChainError::NodesDiffer { .. }) => Ok(None),
            receipt => receipt,
        }
    }

    /// Returns the logs of a contract in a range of blocks, both ends included. A range that a node refuses, because it
    /// has too many logs, is read in halves.
    ///
    /// Of several nodes, a log that one of them has is returned, so one that leaves out a log hides nothing; what it means has to
    /// be read from the contract.
    ///
    /// # Errors
    /// [`ChainError::ManyBlocks`] and [`ChainError::ManyLogs`] beyond the limits; others as above.
    pub async fn logs(&self, contract: Account, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
        let nodes = self.quorum.nodes();
        let calls = nodes.iter().map(|node| node_logs::read(node, contract, from, to).boxed()).collect();
        let read = self.quorum.in_time(calls, self.quorum.enough()).await;
        let (mut logs, mut answered, mut failed): (Vec<EvmLog>, usize, _) = (Vec::new(), 0, None);
        for part in read {
            match part {
                Ok(part) => {
                    answered = answered.saturating_add(1);
                    logs.extend(part);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed.filter(|_| answered < self.quorum.enough()) {
            return Err(error);
        }
        logs.sort_by_key(|log| (log.block_number, log.log_index, log.block_hash.0));
        logs.dedup();
        Ok(logs)
    }
}

/// Sends a transaction to one node.
async fn send_to(node: &NodeCalls, params: &Value) -> Result<(), ChainError> {
    match node.attempt("eth_sendRawTransaction", params).await {
        Ok(_hash) => Ok(()),
        Err(ChainError::Refused { why, .. }) if is_known(&why) => Ok(()),
        Err(error) => Err(error),
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
