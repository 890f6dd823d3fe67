//! What is called of the escrow, each as the data of a transaction.

use vipnode_types::{
    Account, Amount,
    payment::{ChannelConfig, DepositAuthorization, TypedDataSignature, VoucherClaim, contracts::ESCROW},
};

use super::abi_fields::{channel, row};
use crate::abi::{AbiValue, ContractCall};

/// Deposits what an authorization permits into the channel that it names. Anybody may send it.
#[must_use]
pub fn deposit(
    config: &ChannelConfig,
    authorization: &DepositAuthorization,
    signature: TypedDataSignature,
) -> ContractCall {
    let collected = AbiValue::Bytes(collector_data(authorization, signature));
    let arguments = [channel(config), authorization.amount().into(), authorization.collector().into(), collected];
    ContractCall::new(ESCROW, signatures::DEPOSIT, &arguments)
}

/// Claims what vouchers promise. The receiver or its authorizer sends it. One row that is not valid reverts all.
#[must_use]
pub fn claim(rows: &[VoucherClaim]) -> ContractCall {
    let rows = rows.iter().map(row).collect();
    ContractCall::new(ESCROW, signatures::CLAIM, &[AbiValue::Array(rows)])
}

/// Transfers what was claimed to the receiver. Anybody may send it.
#[must_use]
pub fn settle(receiver: Account, token: Account) -> ContractCall {
    ContractCall::new(ESCROW, signatures::SETTLE, &[receiver.into(), token.into()])
}

/// Returns unclaimed funds to the payer. The receiver or its authorizer sends it.
#[must_use]
pub fn refund(config: &ChannelConfig, amount: Amount) -> ContractCall {
    ContractCall::new(ESCROW, signatures::REFUND, &[channel(config), amount.into()])
}

/// Starts a withdrawal. The payer or its authorizer sends it.
#[must_use]
pub fn initiate_withdraw(config: &ChannelConfig, amount: Amount) -> ContractCall {
    ContractCall::new(ESCROW, signatures::INITIATE_WITHDRAW, &[channel(config), amount.into()])
}

/// Finishes a withdrawal once its delay has passed; the payer receives the funds. The payer or its authorizer sends it.
#[must_use]
pub fn finalize_withdraw(config: &ChannelConfig) -> ContractCall {
    ContractCall::new(ESCROW, signatures::FINALIZE_WITHDRAW, &[channel(config)])
}

/// What a collector takes, by which it redeems the authorization.
fn collector_data(authorization: &DepositAuthorization, signature: TypedDataSignature) -> Vec<u8> {
    let signature = AbiValue::Bytes(signature.to_bytes().to_vec());
    match authorization {
        DepositAuthorization::Erc3009 { valid_after_s, valid_before_s, salt, .. } => {
            AbiValue::encode(&[(*valid_after_s).into(), (*valid_before_s).into(), (*salt).into(), signature])
        }
        // The last part would be a permit (EIP-2612) that approves Permit2.
        DepositAuthorization::Permit2 { nonce, deadline_s, .. } => {
            AbiValue::encode(&[(*nonce).into(), (*deadline_s).into(), signature, AbiValue::Bytes(Vec::new())])
        }
    }
}

/// The signatures of functions, with `ChannelConfig` as the ABI writes a struct.
mod signatures {
    pub(super) const DEPOSIT: &str =
        "deposit((address,address,address,address,address,uint40,bytes32),uint128,address,bytes)";
    pub(super) const CLAIM: &str =
        "claim((((address,address,address,address,address,uint40,bytes32),uint128),bytes,uint128)[])";
    pub(super) const SETTLE: &str = "settle(address,address)";
    pub(super) const REFUND: &str = "refund((address,address,address,address,address,uint40,bytes32),uint128)";
    pub(super) const INITIATE_WITHDRAW: &str =
        "initiateWithdraw((address,address,address,address,address,uint40,bytes32),uint128)";
    pub(super) const FINALIZE_WITHDRAW: &str =
        "finalizeWithdraw((address,address,address,address,address,uint40,bytes32))";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed ABI of the double, which has the escrow's functions.
    #[test]
    fn the_signatures_are_those_of_the_abi() {
        let text = include_str!("../../../../contracts/artifacts/TestEscrow.json");
        let functions = crate::tests::signatures(&serde_json::from_str(text).unwrap(), "function");
        for signature in [
            signatures::DEPOSIT,
            signatures::CLAIM,
            signatures::SETTLE,
            signatures::REFUND,
            signatures::INITIATE_WITHDRAW,
            signatures::FINALIZE_WITHDRAW,
            "channels(bytes32)",
            "pendingWithdrawals(bytes32)",
            "receivers(address,address)",
        ] {
            assert!(functions.contains(signature), "{signature}");
        }
    }
}
