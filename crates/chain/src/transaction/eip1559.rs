use vipnode_types::{AccountKey, Hash256, keccak256};

use super::rlp;
use crate::abi::ContractCall;

/// A transaction with a limit on what its gas costs (EIP-1559), which calls a contract and carries no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eip1559 {
    /// The chain: the signature is not valid on another one.
    pub chain_id: u64,
    /// How many transactions of the account come before it.
    pub nonce: u64,
    /// What a unit of gas is to pay the block's producer, in wei.
    pub priority_fee_wei: u128,
    /// What a unit of gas may cost at most, in wei.
    pub max_fee_wei: u128,
    /// How much gas it may use.
    pub gas: u64,
    /// The contract, and its function with arguments.
    pub call: ContractCall,
}

/// A signed transaction. Store it before it is sent: whether it was mined is then found out by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// The hash that identifies it.
    pub hash: Hash256,
    /// The bytes that are sent.
    pub raw: Vec<u8>,
}

/// The type of such transactions (EIP-2718).
const TYPE: u8 = 2;

impl Eip1559 {
    /// Signs the transaction.
    #[must_use]
    pub fn sign(&self, key: &AccountKey) -> SignedTransaction {
        let mut fields = self.fields();
        let (r, s, odd) = key.sign_transaction(keccak256(typed(&fields)));
        fields.extend([rlp::number(odd.into()), rlp::trimmed(&r), rlp::trimmed(&s)]);
        let raw = typed(&fields);
        SignedTransaction { hash: keccak256(&raw), raw }
    }

    fn fields(&self) -> Vec<Vec<u8>> {
        vec![
            rlp::number(self.chain_id.into()),
            rlp::number(self.nonce.into()),
            rlp::number(self.priority_fee_wei),
            rlp::number(self.max_fee_wei),
            rlp::number(self.gas.into()),
            rlp::bytes(self.call.to.as_bytes()),
            // No value, and no list of what is accessed.
            rlp::number(0),
            rlp::bytes(&self.call.data),
            rlp::list(&[]),
        ]
    }
}

fn typed(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![TYPE];
    bytes.extend(rlp::list(fields));
    bytes
}
