use super::{ChannelConfig, ChannelId};
use crate::{Account, Amount};

/// An event of the escrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscrowEvent {
    /// A channel received its first deposit. It may repeat for one channel, and may be missing after a refill.
    ChannelCreated {
        /// The channel.
        channel: ChannelId,
        /// Its fields.
        config: ChannelConfig,
    },
    /// A channel from which nothing was claimed is empty.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// Its fields.
        config: ChannelConfig,
    },
    /// A channel received a deposit.
    Deposited {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
        /// Its balance from then on.
        balance: Amount,
    },
    /// A voucher was claimed.
    Claimed {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
        /// What was claimed in all from then on.
        total_claimed: Amount,
    },
    /// What was claimed was paid to a receiver.
    Settled {
        /// The receiver.
        receiver: Account,
        /// The token.
        token: Account,
        /// How much.
        amount: Amount,
    },
    /// The receiver returned funds to the payer.
    Refunded {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
    },
    /// A withdrawal was started.
    WithdrawInitiated {
        /// The channel.
        channel: ChannelId,
        /// How much, at most.
        amount: Amount,
        /// When it can be finished, in Unix seconds of the chain.
        finalize_after_s: u64,
    },
    /// A withdrawal was finished.
    WithdrawFinalized {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
    },
}
