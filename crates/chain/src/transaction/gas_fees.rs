use crate::{
    error::ChainError,
    node::{BlockTag, EvmNodes},
};

/// What a unit of gas costs at present, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasFees {
    /// What it costs at least in the newest block. Chains without EIP-1559 have none.
    pub base_fee_wei: u128,
    /// What it pays the block's producer.
    pub priority_fee_wei: u128,
}

/// What block producers are paid where a node does not know the usual amount, in wei.
const USUAL_PRIORITY_WEI: u128 = 1_000_000;

impl GasFees {
    /// Reads the present prices.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn read(node: &EvmNodes) -> Result<Self, ChainError> {
        let block = node.block(BlockTag::Latest).await?;
        let priority_fee_wei = match node.priority_fee_wei().await {
            Err(ChainError::Refused { .. }) => USUAL_PRIORITY_WEI,
            other => other?,
        };
        Ok(Self { base_fee_wei: block.base_fee_wei.unwrap_or_default(), priority_fee_wei })
    }

    /// What a unit costs now.
    #[must_use]
    pub const fn fee_wei(&self) -> u128 {
        self.base_fee_wei.saturating_add(self.priority_fee_wei)
    }

    /// What a transaction may pay for a unit, so that it is mined soon: enough for six full blocks, each of which raises the price by
    /// an eighth.
    #[must_use]
    pub const fn max_fee_wei(&self) -> u128 {
        self.base_fee_wei.saturating_mul(2).saturating_add(self.priority_fee_wei)
    }
}
