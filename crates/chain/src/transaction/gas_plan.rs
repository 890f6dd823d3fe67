use serde_json::{Value, json};
use vipnode_types::{Account, Quantity};

use super::{Eip1559, GasFees};
use crate::{
    abi::ContractCall,
    error::ChainError,
    node::{BlockTag, EvmNodes},
};

/// A call that was simulated, and what it can cost as a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GasPlan {
    /// The contract, and its function with arguments.
    pub call: ContractCall,
    /// Who sends it.
    pub from: Account,
    /// How much gas it used in the simulation.
    pub expected_gas: u64,
    /// How much gas it may use: a fifth more, since the state may change before it is mined.
    pub gas: u64,
    /// What a unit of gas pays the block's producer, in wei.
    pub priority_fee_wei: u128,
    /// What a unit of gas costs at present, in wei.
    pub fee_wei: u128,
    /// What a unit of gas may cost, in wei ([`GasFees::max_fee_wei`]).
    pub max_fee_wei: u128,
}

impl GasPlan {
    /// Simulates a call and finds out what it costs.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the reason, [`ChainError::GasLimit`], [`ChainError::GasPrice`], [`ChainError::NoGas`];
    /// others of a node.
    pub async fn of(node: &EvmNodes, call: ContractCall, from: Account) -> Result<Self, ChainError> {
        // Nodes return the reason of a revert here, but not all of them when they estimate.
        node.call(&call, Some(from), BlockTag::Latest).await?;
        let fees = GasFees::read(node).await?;
        let (fee_wei, max_fee_wei, priority_fee_wei) = (fees.fee_wei(), fees.max_fee_wei(), fees.priority_fee_wei);
        let most_wei = node.limits().gas_price_wei;
        // What is paid at present counts: that it may double meanwhile is only for the sake of being mined.
        if fee_wei > most_wei {
            return Err(ChainError::GasPrice { wei: fee_wei, most_wei });
        }
        let max_fee_wei = max_fee_wei.min(most_wei);
        let expected_gas = node.estimate_gas(&call, from).await?;
        let most = node.limits().gas;
        if expected_gas > most {
            return Err(ChainError::GasLimit { gas: expected_gas, most });
        }
        let gas = expected_gas.saturating_add(expected_gas.div_ceil(5)).min(most);
        let plan = Self { call, from, expected_gas, gas, priority_fee_wei, fee_wei, max_fee_wei };
        let has_wei = node.balance_wei(from).await?;
        match has_wei < plan.most_wei() {
            true => Err(ChainError::NoGas { account: from, has_wei, needs_wei: plan.most_wei() }),
            false => Ok(plan),
        }
    }

    /// What the transaction costs at present, in wei.
    #[must_use]
    pub fn expected_wei(&self) -> u128 {
        self.fee_wei.saturating_mul(self.expected_gas.into())
    }

    /// What the transaction can cost at most, in wei.
    #[must_use]
    pub fn most_wei(&self) -> u128 {
        self.max_fee_wei.saturating_mul(self.gas.into())
    }

    /// Returns the transaction with this nonce.
    #[must_use]
    pub fn transaction(&self, chain_id: u64, nonce: u64) -> Eip1559 {
        let Self { call, gas, priority_fee_wei, max_fee_wei, .. } = self;
        Eip1559 {
            chain_id,
            nonce,
            priority_fee_wei: (*priority_fee_wei).min(*max_fee_wei),
            max_fee_wei: *max_fee_wei,
            gas: *gas,
            call: call.clone(),
        }
    }
}

/// Returns what another wallet takes to send a call (`eth_sendTransaction`): the wallet sets the gas and the nonce.
#[must_use]
pub fn unsigned_json(call: &ContractCall, from: Account, chain_id: u64) -> Value {
    json!({
        "chainId": Quantity(chain_id.into()),
        "from": from.to_string(),
        "to": call.to.to_string(),
        "value": "0x0",
        "data": const_hex::encode_prefixed(&call.data),
    })
}
