use vipnode_types::{Amount, Asset, Ms};

use crate::{EpochClaimRow, EpochRow};

/// The epochs of a pool, as the operator sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochView {
    /// What the pool charges in.
    pub asset: Asset,
    /// The newest epoch.
    pub row: EpochRow,
    /// How many channels it still claims from.
    pub claims: u64,
    /// How much it claims from them.
    pub claiming: Amount,
    /// The first claims that it ended without, or will.
    pub set_aside: Vec<EpochClaimRow>,
    /// Its transactions whose block is not final.
    pub transactions: u64,
    /// When the next regular epoch is cut.
    pub next_cut: Ms,
    /// What an epoch would claim if it began now, before it reads the chain.
    pub plan: EpochPlan,
}

/// What an epoch would claim if it began now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EpochPlan {
    /// From how many channels.
    pub claims: u64,
    /// How much in all.
    pub amount: Amount,
    /// Gas of its transactions, rounded up.
    pub gas: u64,
    /// What a unit of gas cost when the pool last read the chain, in wei; 0 if it did not since its start.
    pub fee_wei: u128,
}
