use vipnode_types::{Account, Amount, Hash256, Ms, payment::ChannelId};

use crate::GasTerms;

/// The newest epoch. In each, the pool claims what clients signed for and used, and prepares the payouts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpochRow {
    /// Its number; the first is 1, and it is 0 before the first one.
    pub number: u64,
    /// What the pool does next.
    pub step: EpochStep,
    /// When the step began.
    pub since: Ms,
    /// When the newest regular epoch was cut, or when the pool first claimed on its own. The next one is cut an epoch later.
    pub cut: Ms,
    /// Whether it claims only from channels with a pending withdrawal, between two regular epochs.
    pub withdrawals_only: bool,
    /// What had been transferred to the receiver, in all, when the rows of the epoch were first read.
    pub settled_before: Option<Amount>,
    /// How often the claimed amount was transferred again, because some of it was not.
    pub settles: u32,
    /// What reached the receiver beyond the claims of the epoch.
    pub unattributed: Amount,
    /// What its transactions cost, in wei.
    pub spent_wei: u128,
    /// What those of earlier epochs cost, in wei.
    pub spent_before_wei: u128,
    /// When the newest epoch ended that was complete.
    pub finished: Option<Ms>,
    /// What the epoch is waiting for, if something is wrong.
    pub problem: Option<String>,
}

impl EpochRow {
    /// What the transactions of all epochs cost, in wei.
    #[must_use]
    pub const fn all_spent_wei(&self) -> u128 {
        self.spent_before_wei.saturating_add(self.spent_wei)
    }
}

/// What the pool does next in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EpochStep {
    /// Nothing, until the next epoch is cut.
    #[default]
    Open,
    /// It reads the chain, and drops rows that are not worth their gas.
    Read,
    /// It claims and transfers, one transaction after the other.
    Redeem,
    /// It waits until the claims are final.
    Confirm,
    /// The claims arrived at the receiver: it lists the payouts.
    Settle,
    /// Less arrived than was claimed: the operator has to look.
    Halted,
}

impl EpochStep {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::Open, Self::Read, Self::Redeem, Self::Confirm, Self::Settle, Self::Halted];

    /// Its name in a store, in the log, and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Redeem => "redeem",
            Self::Confirm => "confirm",
            Self::Settle => "settle",
            Self::Halted => "halted",
        }
    }
}

/// What an epoch claims from one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochClaimRow {
    /// The channel's payer authorizer.
    pub signer: Account,
    /// The payment channel that it is about.
    pub channel: ChannelId,
    /// The total that the channel owed when the epoch was cut, at most what was signed and deposited.
    pub target: Amount,
    /// What had been claimed of it, in all, when the epoch was first read.
    pub claimed_before: Amount,
    /// How many transactions contained it.
    pub attempts: u32,
    /// Why the epoch ends without it.
    pub set_aside: Option<String>,
}

/// A signed transaction of the claimer whose block is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainTransactionRow {
    /// How many transactions of the claimer come before it.
    pub nonce: u64,
    /// What it does.
    pub purpose: TransactionPurpose,
    /// How much gas it may use, and what a unit may cost.
    pub gas: GasTerms,
    /// The hash that identifies it.
    pub hash: Hash256,
    /// The bytes that are sent.
    pub raw: Vec<u8>,
    /// How often it was replaced by one with a higher fee.
    pub bumps: u32,
    /// When it was signed.
    pub signed: Ms,
    /// What it cost, in wei, once a block contains it.
    pub cost_wei: Option<u128>,
}

impl ChainTransactionRow {
    /// What it cost, or else can cost, in wei.
    #[must_use]
    pub fn spends_wei(&self) -> u128 {
        self.cost_wei.unwrap_or_else(|| self.gas.most_wei())
    }
}

/// What a transaction of an epoch does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionPurpose {
    /// It claims from the channels of these payer authorizers.
    Claim(Vec<Account>),
    /// It transfers what was claimed to the receiver.
    Settle,
}

impl TransactionPurpose {
    /// The payer authorizers of the channels that it claims from.
    #[must_use]
    pub fn signers(&self) -> &[Account] {
        match self {
            Self::Claim(signers) => signers,
            Self::Settle => &[],
        }
    }
}
