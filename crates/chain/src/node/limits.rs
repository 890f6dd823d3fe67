use std::time::Duration;

use vipnode_rpc::Trust;

/// The limits of what is read from an execution client, and of what a transaction may cost.
#[derive(Debug, Clone)]
pub struct ChainLimits {
    /// Bytes of an answer; a larger one is an error.
    pub answer_bytes: usize,
    /// A call fails after this time.
    pub call: Duration,
    /// Attempts for a read that fails without an answer, if there is only one node. Sending is attempted once: the caller knows the hash and can ask.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles each time.
    pub pause: Duration,
    /// Of several nodes: how long one is still waited for once enough others have answered.
    pub grace: Duration,
    /// Blocks whose logs are read at once; more is an error.
    pub log_blocks: u64,
    /// Logs that one read returns; more is an error.
    pub logs: usize,
    /// Gas of a transaction; more is an error before it is sent. The protocol itself allows 2^24 (EIP-7825).
    pub gas: u64,
    /// What a unit of gas may cost in wei; more is an error before it is sent.
    pub gas_price_wei: u128,
    /// How long a transaction is waited for.
    pub mined: Duration,
    /// The pause between two looks whether it was mined.
    pub poll: Duration,
    /// Which servers are trusted.
    pub trust: Trust,
}

impl Default for ChainLimits {
    fn default() -> Self {
        Self {
            answer_bytes: 8 << 20,
            call: Duration::from_secs(20),
            attempts: 3,
            pause: Duration::from_millis(500),
            grace: Duration::from_secs(1),
            log_blocks: 10_000,
            logs: 20_000,
            gas: 1 << 24,
            gas_price_wei: 200_000_000_000,
            mined: Duration::from_secs(180),
            poll: Duration::from_millis(1_000),
            trust: Trust::default(),
        }
    }
}
