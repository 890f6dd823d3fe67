use serde_json::json;
use vipnode_types::{Account, Amount, Quantity};

use super::{ContractDouble, TEST_TOKEN};
use crate::{
    abi::{AbiValue, ContractCall},
    error::ChainError,
    node::EvmNodes,
};

/// A chain whose state its user may write, at an anvil.
#[derive(Debug, Clone, Copy)]
pub struct DevelopmentChain<'a> {
    node: &'a EvmNodes,
}

impl<'a> DevelopmentChain<'a> {
    /// Foundry's default chain ID, which no public chain uses.
    pub const CHAIN_ID: u64 = 31_337;

    /// The chain of this node.
    #[must_use]
    pub const fn of(node: &'a EvmNodes) -> Self {
        Self { node }
    }

    /// Puts the escrow, its collectors, Permit2, and [`TEST_TOKEN`] at their addresses.
    ///
    /// # Errors
    /// See [`ChainError`]; so for all below. A node that is none of a development chain does not have the methods.
    pub async fn put_doubles(&self) -> Result<(), ChainError> {
        for double in ContractDouble::ALL {
            self.node.command("anvil_setCode", &json!([double.address, double.code()])).await?;
        }
        Ok(())
    }

    /// Sets what an account has of the chain's coin, in wei.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn set_wei(&self, account: Account, wei: u128) -> Result<(), ChainError> {
        self.node.command("anvil_setBalance", &json!([account, Quantity(wei)])).await
    }

    /// What gives an account this much of [`TEST_TOKEN`]. Anybody may send it.
    #[must_use]
    pub fn mint(account: Account, amount: Amount) -> ContractCall {
        let arguments: [AbiValue; 2] = [account.into(), amount.into()];
        ContractCall::new(TEST_TOKEN, "mint(address,uint256)", &arguments)
    }
}
