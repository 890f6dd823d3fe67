use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use vipnode_types::ChainSpec;

use crate::{
    Limits,
    agents::Agents,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// Which genesis block is meant by nodes that name only a chain ID, as agents of protocol 2 do on private networks.
///
/// The attack: one connect with a false genesis block would decide for all of them. So no word renames a chain. Those
/// nodes stay on a chain of their own, whose genesis is not known, and are also matched with the nodes of one other chain
/// of that ID: the one that the operator pinned; else the one whose proven hosts are spread over the largest number of
/// wide address blocks; then the one that agents of the most wide blocks name, that has the most proven hosts, that
/// agents of the most blocks name, and that was named first. The number of proven hosts counts last of those, because
/// three addresses prove any number of ids.
#[derive(Debug, Default)]
pub(crate) struct ChainVotes {
    /// By chain ID; public networks are not in it, because their ID is enough.
    ids: BTreeMap<u64, GenesisVotes>,
    /// Orders genesis blocks by when they were named.
    counted: u64,
}

/// The genesis blocks that are named for one chain ID.
#[derive(Debug, Default)]
struct GenesisVotes {
    named: BTreeMap<[u8; 32], Named>,
    /// The last one is meant.
    ranked: BTreeSet<(Rank, [u8; 32])>,
}

/// Those who name one genesis block.
#[derive(Debug)]
struct Named {
    /// The address blocks of proven hosts, connected or not.
    proven: BlockShares,
    /// The address blocks of connected nodes.
    blocks: BlockShares,
    first: u64,
}

/// How well a genesis block is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    proven_wide: usize,
    wide: usize,
    proven: u32,
    blocks: usize,
    first: Reverse<u64>,
}

/// The genesis block that a node names for its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agents) struct Vote {
    chain: ChainSpec,
    /// Where it is connected from.
    block: Option<AddressBlock>,
    /// The block that it counts for, if it is a proven host.
    proven: Option<AddressBlock>,
}

impl Named {
    fn rank(&self) -> Rank {
        let Self { proven, blocks, first } = self;
        Rank {
            proven_wide: proven.wide_len(),
            wide: blocks.wide_len(),
            proven: proven.held(),
            blocks: blocks.len(),
            first: Reverse(*first),
        }
    }

    fn count(&mut self, vote: &Vote, more: bool) {
        for (blocks, block) in [(&mut self.proven, vote.proven), (&mut self.blocks, vote.block)] {
            match block {
                Some(block) if more => blocks.take(block),
                Some(block) => blocks.give_back(block),
                None => {}
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.proven.is_empty() && self.blocks.is_empty()
    }
}

impl ChainVotes {
    fn count(&mut self, vote: &Vote, more: bool) {
        let (id, genesis) = (vote.chain.chain_id, vote.chain.genesis.0);
        self.counted = self.counted.saturating_add(1);
        let first = self.counted;
        let GenesisVotes { named, ranked } = self.ids.entry(id).or_default();
        let none = || Named { proven: BlockShares::new(0), blocks: BlockShares::new(0), first };
        let entry = named.entry(genesis).or_insert_with(none);
        ranked.remove(&(entry.rank(), genesis));
        entry.count(vote, more);
        if entry.is_empty() {
            named.remove(&genesis);
        } else {
            ranked.insert((entry.rank(), genesis));
        }
        if named.is_empty() {
            self.ids.remove(&id);
        }
    }

    /// Counts a vote in place of the one before.
    fn replace(&mut self, before: Option<Vote>, after: Option<Vote>) {
        if before == after {
            return;
        }
        // The new one first: a genesis block that is still named keeps its turn.
        if let Some(vote) = after {
            self.count(&vote, true);
        }
        if let Some(vote) = before {
            self.count(&vote, false);
        }
    }

    /// The genesis block that is meant by nodes that name only the chain ID.
    fn meant(&self, id: u64) -> Option<ChainSpec> {
        let (_, genesis) = self.ids.get(&id)?.ranked.last()?;
        Some(ChainSpec { chain_id: id, genesis: (*genesis).into() })
    }

    /// The genesis blocks with their proven hosts and their connected nodes, for checks.
    fn sums(&self) -> Vec<(u64, [u8; 32], u32, u32)> {
        let of_id = |(id, votes): (&u64, &GenesisVotes)| {
            let id = *id;
            let sums = votes
                .named
                .iter()
                .map(move |(genesis, named)| (id, *genesis, named.proven.held(), named.blocks.held()));
            sums.collect::<Vec<_>>()
        };
        self.ids.iter().flat_map(of_id).collect()
    }
}

impl Agents {
    /// The genesis block that a node names now for its chain.
    pub(in crate::agents) fn vote(&self, index: u32) -> Option<Vote> {
        let node = self.nodes.get(index)?;
        let chain = *self.chains.get(node.chain())?;
        if chain.lacks_genesis() || ChainSpec::public(chain.chain_id).is_some() {
            return None;
        }
        let block = node.address().filter(|_| node.is_connected()).map(AddressBlock::of);
        let proven = (node.ever_host() && node.is_proven()).then_some(node.block);
        (block.is_some() || proven.is_some()).then_some(Vote { chain, block, proven })
    }

    /// Counts the genesis block that a node names, in place of the one `before`.
    pub(in crate::agents) fn count_vote(&mut self, index: u32, before: Option<Vote>) {
        let after = self.vote(index);
        self.votes.replace(before, after);
    }

    /// The other chain whose nodes a chain's nodes are matched with, if there is one: of a chain whose genesis is not known,
    /// the one that is meant, and the reverse.
    pub(crate) fn joined_chain(&self, chain: u32, limits: &Limits) -> Option<u32> {
        let chain = self.chains.get(chain)?;
        let id = chain.chain_id;
        let meant = limits.pinned_chain(id).or_else(|| self.votes.meant(id))?;
        let other = if chain.lacks_genesis() {
            meant
        } else if *chain == meant {
            ChainSpec::without_genesis(id)
        } else {
            return None;
        };
        self.chains.number(&other)
    }

    /// Whether the nodes of two chains are matched with each other.
    pub(crate) fn are_joined(&self, one: u32, other: u32, limits: &Limits) -> bool {
        one == other || self.joined_chain(one, limits) == Some(other)
    }

    /// Whether the nodes of two chains may have been matched with each other at some time, for checks.
    pub(crate) fn were_joined(&self, one: u32, other: u32) -> bool {
        let (Some(first), Some(second)) = (self.chains.get(one), self.chains.get(other)) else { return false };
        first == second || (first.chain_id == second.chain_id && (first.lacks_genesis() || second.lacks_genesis()))
    }

    /// Checks the counts of votes.
    ///
    /// # Errors
    /// A description of the disagreement.
    pub(crate) fn check_votes(&self) -> Result<(), &'static str> {
        let mut counted = ChainVotes::default();
        for (index, _) in self.nodes.iter() {
            counted.replace(None, self.vote(index));
        }
        if counted.sums() == self.votes.sums() { Ok(()) } else { Err("the names of genesis blocks are miscounted") }
    }
}
