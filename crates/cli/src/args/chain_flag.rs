//! `--chain ID=GENESIS`: a chain whose genesis block the operator of a pool knows.

use std::str::FromStr;

use vipnode_types::ChainSpec;

use crate::error::CommandError;

/// A pinned chain, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainFlag(ChainSpec);

/// How the flag is written.
const FORM: &str = "pass ID=GENESIS, such as 1337=0x followed by the 64 hexadecimal digits of the hash of block 0";

impl FromStr for ChainFlag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, genesis) = text.split_once('=').ok_or(FORM)?;
        let chain_id = id.trim().parse().map_err(|_| FORM)?;
        let chain = ChainSpec { chain_id, genesis: genesis.trim().parse().map_err(|_| FORM)? };
        if chain.lacks_genesis() { Err(FORM) } else { Ok(Self(chain)) }
    }
}

/// Returns the chains that were given.
///
/// # Errors
/// Two of them have the same ID and different genesis blocks.
pub(crate) fn pinned(flags: &[ChainFlag]) -> Result<Vec<ChainSpec>, CommandError> {
    let mut chains: Vec<ChainSpec> = Vec::new();
    for ChainFlag(chain) in flags {
        match chains.iter().find(|other| other.chain_id == chain.chain_id) {
            Some(other) if other != chain => return Err(CommandError::ChainTwice { id: chain.chain_id }),
            Some(_) => {}
            None => chains.push(*chain),
        }
    }
    Ok(chains)
}

/// Returns the chains that have the ID of a public network and another genesis block than it: no node of that network can join.
pub(crate) fn unlike_public(chains: &[ChainSpec]) -> impl Iterator<Item = &ChainSpec> {
    chains
        .iter()
        .filter(|chain| ChainSpec::public(chain.chain_id).is_some_and(|public| public.genesis != chain.genesis))
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    fn flags(texts: &[String]) -> Vec<ChainFlag> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_public_network_with_another_genesis_block_stands_out() {
        let mainnet = format!("1={}", ChainSpec::public(1).unwrap().genesis);
        let chains =
            pinned(&flags(&[mainnet, format!("17000=0x{}", "07".repeat(32)), format!("7=0x{}", "07".repeat(32))]));
        let chains = chains.unwrap();
        assert_eq!(unlike_public(&chains).map(|chain| chain.chain_id).collect::<Vec<_>>(), [17_000]);
    }

    #[test]
    fn a_chain_is_pinned_by_id_and_genesis_block() {
        let of = |id: u64, byte: &str| format!("{id}=0x{}", byte.repeat(32));
        let chains = pinned(&flags(&[of(100, "07"), of(1, "ab"), of(100, "07")])).unwrap();
        assert_eq!(chains.len(), 2);
        assert_eq!((chains[0].chain_id, chains[0].genesis.0), (100, [7; 32]));
        let error = pinned(&flags(&[of(100, "07"), of(100, "08")])).unwrap_err();
        assert!(error.to_string().contains("chain 100") && error.hint().unwrap().contains("--chain 100=GENESIS"));
        for bad in ["100", "100=", "100=0x07", "x=0x07", &of(100, "00"), &of(100, "0g"), "-1=0x07"] {
            assert_eq!(bad.parse::<ChainFlag>(), Err(FORM), "{bad}");
        }
    }
}
