use vipnode_types::{QuotedPrice, payment::ChannelConfig};

/// How a client pays at a pool whose clients pay with x402.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayConfig {
    /// The ID of the chain of the channel.
    pub chain_id: u64,
    /// The channel. Its payer authorizer is the agent's key.
    pub channel: ChannelConfig,
    /// The decimals of its token, as the chain stated them when the channel was created. A pool that stated others
    /// could have
    /// the agent sign for a multiple of each limit.
    pub decimals: u8,
    /// The most that the agent signs for in 24 hours.
    pub max_spend: QuotedPrice,
    /// How far ahead the agent signs, in milliseconds: at most so much can be claimed without service.
    pub ahead_ms: u64,
}
