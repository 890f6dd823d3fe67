use vipnode_types::{
    Account, Amount,
    payment::{
        ChannelId, ChannelState, PendingWithdrawal, ReceiverTotals,
        contracts::{ERC3009_COLLECTOR, ESCROW, PERMIT2_COLLECTOR},
    },
};

use crate::{
    abi::{AbiValue, ContractCall, Returned},
    error::ChainError,
    node::{BlockTag, EvmLog, EvmNodes},
};

/// The escrow on the chain of a node.
#[derive(Debug, Clone, Copy)]
pub struct Escrow<'a> {
    node: &'a EvmNodes,
    chain_id: u64,
}

impl<'a> Escrow<'a> {
    /// Checks that the chain has the escrow and its collectors, at their addresses.
    ///
    /// # Errors
    /// [`ChainError::NoEscrow`]; others of a node.
    pub async fn open(node: &'a EvmNodes) -> Result<Self, ChainError> {
        let chain_id = node.chain_id().await?;
        for address in [ESCROW, ERC3009_COLLECTOR, PERMIT2_COLLECTOR] {
            if !node.has_code(address).await? {
                return Err(ChainError::NoEscrow { chain_id, address });
            }
        }
        Ok(Self { node, chain_id })
    }

    /// The escrow on the chain of a node that was checked before ([`Self::open`]).
    #[must_use]
    pub const fn opened(node: &'a EvmNodes, chain_id: u64) -> Self {
        Self { node, chain_id }
    }

    /// The chain that the escrow was opened on.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns what is recorded of a channel after a block: nothing of one that never had a deposit.
    ///
    /// # Errors
    /// See [`ChainError`]; so for all below.
    pub async fn channel(&self, id: ChannelId, at: BlockTag) -> Result<ChannelState, ChainError> {
        let [balance, total_claimed] = self.amounts("channels(bytes32)", &[id.hash().into()], at).await?;
        Ok(ChannelState { balance, total_claimed })
    }

    /// Returns the withdrawal of a channel that was started and is not finished.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn pending_withdrawal(
        &self,
        id: ChannelId,
        at: BlockTag,
    ) -> Result<Option<PendingWithdrawal>, ChainError> {
        let [amount, initiated_at] = self.amounts("pendingWithdrawals(bytes32)", &[id.hash().into()], at).await?;
        let initiated_at_s = u64::try_from(initiated_at.get()).unwrap_or(u64::MAX);
        Ok((initiated_at_s != 0).then_some(PendingWithdrawal { amount, initiated_at_s }))
    }

    /// Returns what was claimed and paid out for a receiver.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn receiver(
        &self,
        receiver: Account,
        token: Account,
        at: BlockTag,
    ) -> Result<ReceiverTotals, ChainError> {
        let arguments = [receiver.into(), token.into()];
        let [total_claimed, total_settled] = self.amounts("receivers(address,address)", &arguments, at).await?;
        Ok(ReceiverTotals { total_claimed, total_settled })
    }

    /// Returns the logs of the escrow in a range of blocks, both ends included. Read each with
    /// [`escrow_event`](super::escrow_event).
    ///
    /// # Errors
    /// See [`EvmNodes::logs`].
    pub async fn logs(&self, from: u64, to: u64) -> Result<Vec<EvmLog>, ChainError> {
        self.node.logs(ESCROW, from, to).await
    }

    async fn amounts(
        &self,
        signature: &'static str,
        arguments: &[AbiValue],
        at: BlockTag,
    ) -> Result<[Amount; 2], ChainError> {
        let call = ContractCall::new(ESCROW, signature, arguments);
        let returned = self.node.call(&call, None, at).await?;
        let amount = |index| Returned(&returned).word(index).and_then(|word| word.as_u128()).map(Amount::new);
        amount(0)
            .zip(amount(1))
            .map(<[Amount; 2]>::from)
            .ok_or(ChainError::Returned { contract: ESCROW, function: call.function })
    }
}
