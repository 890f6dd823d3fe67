use vipnode_types::payment::{ChannelConfig, ChannelId};

/// What the core asks of the chain on which clients deposit. The caller carries it out and answers with a [`crate::ChainEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainRequest {
    /// Read what the escrow holds for a channel, now and after each change.
    Watch(Box<ChannelConfig>),
    /// Read a channel no longer, and forget it.
    Forget(ChannelId),
}
