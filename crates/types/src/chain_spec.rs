use std::fmt;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// Which chain a node is on: chain id and genesis, since several private chains share an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChainSpec {
    /// `eth_chainId`.
    pub chain_id: u64,
    /// The hash of block 0.
    pub genesis: B256,
}

impl fmt::Display for ChainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.chain_id {
            1 => "mainnet",
            11_155_111 => "sepolia",
            17_000 => "holesky",
            560_048 => "hoodi",
            _ => return write!(f, "chain {} (genesis {})", self.chain_id, self.genesis),
        };
        f.write_str(name)
    }
}
