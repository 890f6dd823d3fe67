use vipnode_types::{Account, keccak256};

use super::AbiValue;

/// A call of a contract, without value: to whom, and which data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractCall {
    /// The address of the contract.
    pub to: Account,
    /// The selector of the function, and its arguments.
    pub data: Vec<u8>,
    /// The function's name, for messages.
    pub function: &'static str,
}

impl ContractCall {
    /// A call of the function with this signature, such as `settle(address,address)`.
    #[must_use]
    pub fn new(to: Account, signature: &'static str, arguments: &[AbiValue]) -> Self {
        let mut data = selector(signature).to_vec();
        data.extend(AbiValue::encode(arguments));
        Self { to, data, function: signature.split('(').next().unwrap_or(signature) }
    }
}

/// The first four bytes of the hash of a signature.
pub(super) fn selector(signature: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = keccak256(signature).0;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selector_of_transfer_is_the_known_one() {
        let to = Account::new([1; 20]);
        let call = ContractCall::new(to, "transfer(address,uint256)", &[to.into(), 5_u64.into()]);
        assert_eq!(const_hex::encode(&call.data[..4]), "a9059cbb");
        assert_eq!((call.data.len(), call.function), (4 + 64, "transfer"));
    }
}
