use serde::Deserialize;
use vipnode_types::{Account, Hash256, HexData, Quantity};

/// An event of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvmLog {
    /// The address of the contract.
    pub address: Account,
    /// The hash of the event's signature, then its indexed fields; at most four.
    pub topics: Vec<Hash256>,
    /// The other fields.
    #[serde(deserialize_with = "HexData::field")]
    pub data: Vec<u8>,
    /// The height of the block.
    #[serde(deserialize_with = "Quantity::field")]
    pub block_number: u64,
    /// The hash of that block, which differs after a reorganization.
    pub block_hash: Hash256,
    /// The transaction that caused it.
    pub transaction_hash: Hash256,
    /// Its position among all events of the block.
    #[serde(deserialize_with = "Quantity::field")]
    pub log_index: u64,
    /// Whether a reorganization removed it.
    #[serde(default)]
    pub removed: bool,
}
