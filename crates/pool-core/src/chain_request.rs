use vipnode_types::{
    Account, Hash256,
    payment::{ChannelConfig, ChannelId, VoucherClaim},
};

use crate::collections::address_block::AddressBlock;

/// What the core asks of the chain on which clients deposit. The caller carries it out and answers with a [`crate::ChainEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainRequest {
    /// Read what the escrow holds for a channel, now and after each change.
    Watch {
        /// The seven fields of the channel.
        config: Box<ChannelConfig>,
        /// Where the agent is whose first voucher waits for it; `None` for a channel that the pool knows.
        block: Option<AddressBlock>,
    },
    /// Read a channel no longer, and forget it.
    Forget(ChannelId),
    /// Read what an epoch needs to know, after all changes of the channels that are watched.
    Look {
        /// The number of the request, which the answer repeats.
        ticket: u64,
        /// A transaction whose cost is asked for.
        transaction: Option<Hash256>,
    },
    /// Simulate a call of the escrow by the claimer.
    Simulate {
        /// The number of the request, which the answer repeats.
        ticket: u64,
        /// The call, which is not sent.
        call: EscrowCall,
    },
    /// Sign a transaction, and return it without sending it.
    Sign {
        /// The number of the request, which the answer repeats.
        ticket: u64,
        /// The function and its arguments.
        call: EscrowCall,
        /// How many transactions of the claimer come before it.
        nonce: u64,
        /// How much gas it may use, and what a unit may cost.
        gas: GasTerms,
    },
    /// Send a signed transaction. Its row is durable before this is carried out ([`Self::waits_for_rows`]).
    Send {
        /// The hash that identifies it.
        hash: Hash256,
        /// The bytes to send.
        raw: Vec<u8>,
    },
}

impl ChainRequest {
    /// Whether it may be carried out only once everything persisted up to here is durable.
    #[must_use]
    pub const fn waits_for_rows(&self) -> bool {
        matches!(self, Self::Send { .. })
    }
}

/// A function of the escrow that the claimer calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EscrowCall {
    /// Claims what vouchers permit.
    Claim(Vec<VoucherClaim>),
    /// Transfers what was claimed to the receiver.
    Settle {
        /// Who receives it.
        receiver: Account,
        /// The token that the pool charges in.
        token: Account,
    },
}

/// How much gas a transaction may use, and what a unit may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasTerms {
    /// Units of gas, at most.
    pub gas: u64,
    /// What a unit pays the block's producer, in wei.
    pub priority_fee_wei: u128,
    /// What a unit may cost in all, in wei.
    pub max_fee_wei: u128,
}

impl GasTerms {
    /// What the transaction can cost, in wei.
    #[must_use]
    pub fn most_wei(&self) -> u128 {
        self.max_fee_wei.saturating_mul(self.gas.into())
    }
}
