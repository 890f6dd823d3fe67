use serde::Deserialize;
use vipnode_types::{Hash256, Quantity};

/// The fields of a block's header that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvmBlock {
    /// The height of the block.
    #[serde(deserialize_with = "Quantity::field")]
    pub number: u64,
    /// The hash, which differs after a reorganization.
    pub hash: Hash256,
    /// The hash of the block before it.
    pub parent_hash: Hash256,
    /// When it was made, in Unix seconds, by its proposer's clock.
    #[serde(rename = "timestamp", deserialize_with = "Quantity::field")]
    pub time_s: u64,
    /// What a unit of gas costs at least in the block, in wei. Chains without EIP-1559 have none.
    #[serde(rename = "baseFeePerGas", default, deserialize_with = "Quantity::optional_field")]
    pub base_fee_wei: Option<u128>,
}

/// Which block is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockTag {
    /// The newest, which a reorganization can replace at any time.
    Latest,
    /// The newest that is unlikely to be replaced. Chains without this notion may not answer.
    Safe,
    /// The newest that cannot be replaced. Chains without this notion may not answer.
    Finalized,
    /// The block at this height.
    Number(u64),
}

impl std::fmt::Display for BlockTag {
    /// As it is written in a call.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Safe => f.write_str("safe"),
            Self::Finalized => f.write_str("finalized"),
            Self::Number(number) => write!(f, "{}", Quantity((*number).into())),
        }
    }
}
