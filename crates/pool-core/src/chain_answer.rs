use vipnode_types::{Amount, Hash256};

/// The answer to a request of an epoch. Its ticket is that of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainAnswer {
    /// To [`crate::ChainRequest::Look`].
    Looked {
        /// The number of the request.
        ticket: u64,
        /// What the chain shows.
        result: Result<ChainLook, ChainFailure>,
    },
    /// To [`crate::ChainRequest::Simulate`].
    Simulated {
        /// The number of the request.
        ticket: u64,
        /// What the call costs as a transaction.
        result: Result<SimulatedCall, ChainFailure>,
    },
    /// To [`crate::ChainRequest::Sign`].
    Signed {
        /// The number of the request.
        ticket: u64,
        /// The hash that identifies the transaction.
        hash: Hash256,
        /// The bytes that are sent.
        raw: Vec<u8>,
    },
    /// To [`crate::ChainRequest::Send`], if the node refused the transaction or was not reached.
    NotSent {
        /// The hash of the transaction.
        hash: Hash256,
        /// The reason in the node's words.
        why: String,
    },
}

/// The chain as the claimer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainLook {
    /// How many transactions of the claimer the newest block contains, with all before.
    pub nonce: u64,
    /// The same with those that wait; at least `nonce`.
    pub next_nonce: u64,
    /// The same as of the newest final block.
    pub final_nonce: u64,
    /// What was claimed for the receiver over all channels, as of the newest final block.
    pub claimed: Amount,
    /// What of that was transferred to the receiver, as of the newest final block.
    pub settled: Amount,
    /// What a unit of gas costs at present, in wei.
    pub fee_wei: u128,
    /// The transaction that the request named, and what it cost, in wei, if it was mined.
    pub cost: Option<(Hash256, u128)>,
}

/// A call that the contract accepts, and what it costs as a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SimulatedCall {
    /// How much gas it uses.
    pub gas: u64,
    /// What a unit of gas pays the block's producer, in wei.
    pub priority_fee_wei: u128,
    /// What a unit of gas may cost, in wei, for the transaction to be mined soon.
    pub max_fee_wei: u128,
}

/// Why the chain did not do what the core asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFailure {
    /// The contract would revert, for this reason.
    Reverted(String),
    /// The node did not answer correctly, or the account cannot pay for the gas: a later attempt may succeed.
    Unavailable(String),
}
