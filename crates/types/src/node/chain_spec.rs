use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Hash256;

/// The chain of a node: chain ID and genesis, because several private chains share an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainSpec {
    /// `eth_chainId`.
    pub chain_id: u64,
    /// The hash of block 0.
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = r"^0x[0-9a-fA-F]{64}$")))]
    pub genesis: Hash256,
}

/// Genesis hashes of the public networks, as reported by geth 1.17.5. Their network ID is their chain ID.
const PUBLIC: [ChainSpec; 4] = [
    ChainSpec {
        chain_id: 1,
        genesis: Hash256::constant("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
    },
    ChainSpec {
        chain_id: 11_155_111,
        genesis: Hash256::constant("25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9"),
    },
    ChainSpec {
        chain_id: 17_000,
        genesis: Hash256::constant("b5f7f912443c940f21fd611f12828d75b534364ed9e95ca4e307729a4661bde4"),
    },
    ChainSpec {
        chain_id: 560_048,
        genesis: Hash256::constant("bbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b"),
    },
];

impl ChainSpec {
    /// The public network of this id, where its genesis is known.
    #[must_use]
    pub fn public(network: u64) -> Option<Self> {
        PUBLIC.into_iter().find(|chain| chain.chain_id == network)
    }

    /// A chain of which only the ID is known, as in protocol 2.
    #[must_use]
    pub const fn without_genesis(chain_id: u64) -> Self {
        Self { chain_id, genesis: Hash256::ZERO }
    }

    /// Whether only the ID is known.
    #[must_use]
    pub fn lacks_genesis(&self) -> bool {
        self.genesis == Hash256::ZERO
    }
}

/// The public network by its name, any other chain as `chain 1337 (genesis 0xc3efce81…f03b)`.
impl fmt::Display for ChainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.chain_id {
            1 => "mainnet",
            11_155_111 => "sepolia",
            17_000 => "holesky",
            560_048 => "hoodi",
            id if self.lacks_genesis() => return write!(f, "chain {id}"),
            id => return write!(f, "chain {id} (genesis {})", ShortHash(self.genesis)),
        };
        f.write_str(name)
    }
}

/// A hash by its first 8 and its last 4 digits, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortHash(pub Hash256);

impl fmt::Display for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, .., y, z] = self.0.0;
        write!(f, "0x{a:02x}{b:02x}{c:02x}{d:02x}…{y:02x}{z:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_chain_is_named_by_a_short_genesis_hash() {
        let genesis = Hash256::constant("c3efce810f9d1b6b4a3d3a7f8a6a0ce9f7d4b7a1a2b3c4d5e6f708192afbf03b");
        let text = |chain: ChainSpec| chain.to_string();
        assert_eq!(text(ChainSpec { chain_id: 1337, genesis }), "chain 1337 (genesis 0xc3efce81…f03b)");
        assert_eq!(text(ChainSpec::without_genesis(1337)), "chain 1337");
        assert_eq!(text(ChainSpec::without_genesis(1)), "mainnet");
        assert!(PUBLIC.iter().all(|chain| !chain.genesis.as_slice().iter().all(|byte| *byte == 0)));
    }
}
