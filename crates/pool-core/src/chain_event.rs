use vipnode_types::{Account, Amount, payment::ChannelId};

use crate::ChannelReading;

/// What was learned from the chain on which clients deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        /// How much was claimed since the channel began. It never decreases.
        total: Amount,
    },
}

impl ChainEvent {
    /// The payment channel that it is about, and its payer authorizer.
    #[must_use]
    pub const fn channel(&self) -> (ChannelId, Account) {
        let (Self::Channel { id, signer, .. } | Self::ChannelFailed { id, signer } | Self::Claimed { id, signer, .. }) =
            self;
        (*id, *signer)
    }
}
