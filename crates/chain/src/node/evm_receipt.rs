use serde::Deserialize;
use vipnode_types::{Hash256, Quantity};

/// What became of a transaction that was mined. A reorganization can undo it until its block is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvmReceipt {
    /// The hash that identifies it.
    pub transaction_hash: Hash256,
    /// The height of its block.
    #[serde(deserialize_with = "Quantity::field")]
    pub block_number: u64,
    /// The hash of that block, which differs after a reorganization.
    pub block_hash: Hash256,
    /// 1 if it succeeded, 0 if it reverted.
    #[serde(deserialize_with = "Quantity::field")]
    pub status: u64,
    /// How much gas it used.
    #[serde(deserialize_with = "Quantity::field")]
    pub gas_used: u64,
    /// What a unit of gas cost, in wei.
    #[serde(rename = "effectiveGasPrice", default, deserialize_with = "Quantity::optional_field")]
    pub gas_price_wei: Option<u128>,
}

impl EvmReceipt {
    /// What the transaction cost, in wei, if the node reports it.
    #[must_use]
    pub fn cost_wei(&self) -> Option<u128> {
        self.gas_price_wei?.checked_mul(self.gas_used.into())
    }
}
