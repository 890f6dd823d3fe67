use vipnode_types::{Account, Amount, payment::ChannelId};

use crate::{ChainAnswer, ChannelReading};

/// What was learned from the chain on which clients deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainEvent {
    /// A channel that the core asked about, or that it watches, was read.
    Channel {
        /// The payment channel that it is about.
        id: ChannelId,
        /// Its payer authorizer, by which the core finds it.
        signer: Account,
        /// What the escrow holds for it.
        state: ChannelReading,
    },
    /// A channel could not be read; the client tries again.
    ChannelFailed {
        /// The payment channel that it is about.
        id: ChannelId,
        /// Its payer authorizer.
        signer: Account,
    },
    /// What the escrow paid out of a channel to the receiver, in all, is final.
    Claimed {
        /// The payment channel that it is about.
        id: ChannelId,
        /// Its payer authorizer.
        signer: Account,
        /// How much was claimed since the channel began. It never decreases, unless the chain replaces a final block.
        total: Amount,
    },
    /// The answer to a request of an epoch.
    Answer(Box<ChainAnswer>),
}
