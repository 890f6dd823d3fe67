use super::{ChannelConfig, ChannelId};
use crate::{Account, Amount};

/// What the escrow logs when a channel changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscrowEvent {
    /// A channel received its first deposit. It may repeat for one channel, and may be missing after a refill.
    ChannelCreated {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// The seven fields of the channel.
        config: ChannelConfig,
    },
    /// A channel from which nothing was claimed is empty.
    ChannelClosed {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// The seven fields of the channel.
        config: ChannelConfig,
    },
    /// A channel received a deposit.
    Deposited {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// How much, in the token's smallest unit.
        amount: Amount,
        /// Its balance from then on.
        balance: Amount,
    },
    /// A voucher was claimed.
    Claimed {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// How much, in the token's smallest unit.
        amount: Amount,
        /// What was claimed in all from then on.
        total_claimed: Amount,
    },
    /// What was claimed was paid to a receiver.
    Settled {
        /// The receiver that was paid.
        receiver: Account,
        /// The address of the token's contract.
        token: Account,
        /// How much, in the token's smallest unit.
        amount: Amount,
    },
    /// The receiver returned funds to the payer.
    Refunded {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// How much, in the token's smallest unit.
        amount: Amount,
    },
    /// A withdrawal was started.
    WithdrawInitiated {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// How much, at most.
        amount: Amount,
        /// When it can be finished, in Unix seconds of the chain.
        finalize_after_s: u64,
    },
    /// A withdrawal was finished.
    WithdrawFinalized {
        /// The payment channel that it is about.
        channel: ChannelId,
        /// How much, in the token's smallest unit.
        amount: Amount,
    },
}
