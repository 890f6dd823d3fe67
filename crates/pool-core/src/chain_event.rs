use vipnode_types::{Account, Amount, payment::ChannelId};

/// What was learned from the chain on which clients deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainEvent {
    /// A channel that the core asked about, or that it watches, was read.
    Channel {
        /// The channel.
        id: ChannelId,
        /// Its payer authorizer, by which the core finds it.
        signer: Account,
        /// What the escrow holds for it.
        state: ChannelState,
    },
    /// A channel could not be read; the client tries again.
    ChannelFailed {
        /// The channel.
        id: ChannelId,
        /// Its payer authorizer.
        signer: Account,
    },
    /// What the escrow paid out of a channel to the receiver, in all, is final.
    Claimed {
        /// The channel.
        id: ChannelId,
        /// Its payer authorizer.
        signer: Account,
        /// How much was claimed since the channel began. It never decreases.
        total: Amount,
    },
}

/// What the escrow holds for a channel. Deposits count once their block is safe, withdrawals as soon as they are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelState {
    /// Deposits less refunds and withdrawals. A claim does not reduce it.
    pub deposited: Amount,
    /// What the withdrawal under way takes.
    pub withdrawing: Amount,
    /// When that can be finished, in Unix seconds; 0 if none is under way.
    pub withdrawable_s: u64,
    /// What was claimed in all.
    pub claimed: Amount,
}

impl ChannelState {
    /// What the pool can claim at most in all (rule R3): the deposit without what a withdrawal under way takes. One that is
    /// ready and not finished would take a later deposit at once, so it counts until it is finished.
    #[must_use]
    pub fn covers(&self) -> Amount {
        self.deposited.checked_sub(self.withdrawing).unwrap_or_default()
    }
}
