use std::fmt;

use vipnode_types::sanitize;

use super::{contract_call::selector, returned::Returned};

/// Why a contract reverted, from the data that it returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertReason {
    /// An error of the escrow, a collector, or a token, by its name.
    Named(&'static str),
    /// `require(…, text)`.
    Text(String),
    /// A check of the compiler, such as an overflow (0x11).
    Panic(u64),
    /// An error whose name is not known here.
    Unknown([u8; 4]),
    /// The contract gave no reason, or ran out of gas.
    None,
}

/// The errors of the escrow, its collectors, and the usual tokens.
const NAMED: &[&str] = &[
    "InvalidChannel()",
    "ZeroDeposit()",
    "DepositOverflow()",
    "InvalidSignature()",
    "NotReceiverAuthorizer()",
    "NotAuthorizedToClaim()",
    "NotAuthorizedToRefund()",
    "ClaimExceedsCeiling()",
    "ClaimExceedsBalance()",
    "WithdrawalAlreadyPending()",
    "WithdrawalNotPending()",
    "NotAuthorizedToFinalizeWithdraw()",
    "WithdrawDelayNotElapsed()",
    "NothingToWithdraw()",
    "WithdrawAmountExceedsAvailable()",
    "WithdrawDelayOutOfRange()",
    "EmptyBatch()",
    "DepositCollectionFailed()",
    "InvalidCollector()",
    "InvalidRefundNonce()",
    "ZeroRefund()",
    "ERC20InsufficientBalance(address,uint256,uint256)",
    "ERC20InsufficientAllowance(address,uint256,uint256)",
    "SignatureExpired(uint256)",
    "InvalidNonce()",
    "InvalidSigner()",
    "InvalidAmount(uint256)",
];

/// Characters kept of a contract's own text.
const TEXT_CHARS: usize = 200;

impl RevertReason {
    /// Reads what a call returned when it reverted.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        let Some((found, arguments)) = data.split_first_chunk::<4>() else { return Self::None };
        if *found == selector("Error(string)") {
            return Returned(arguments).text(0).map_or(Self::None, |text| Self::Text(sanitize(&text, TEXT_CHARS)));
        }
        if *found == selector("Panic(uint256)") {
            return Returned(arguments).word(0).and_then(|word| word.as_u64()).map_or(Self::None, Self::Panic);
        }
        let named = NAMED.iter().find(|signature| *found == selector(signature));
        named.map_or(Self::Unknown(*found), |signature| Self::Named(signature.split('(').next().unwrap_or(signature)))
    }
}

impl fmt::Display for RevertReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Text(text) => f.write_str(text),
            Self::Panic(code) => write!(f, "panic 0x{code:x}"),
            Self::Unknown(selector) => write!(f, "the contract's error 0x{}", const_hex::encode(selector)),
            Self::None => f.write_str("the contract gave no reason"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::AbiValue;

    fn reverted(signature: &str, arguments: &[AbiValue]) -> RevertReason {
        let mut data = selector(signature).to_vec();
        data.extend(AbiValue::encode(arguments));
        RevertReason::of(&data)
    }

    #[test]
    fn each_kind_of_reason_is_read() {
        let text = AbiValue::Bytes(b"not \x1b[2Jyours".to_vec());
        assert_eq!(reverted("Error(string)", &[text]), RevertReason::Text("not  [2Jyours".to_owned()));
        assert_eq!(reverted("Panic(uint256)", &[0x11_u64.into()]).to_string(), "panic 0x11");
        assert_eq!(reverted("WithdrawDelayNotElapsed()", &[]), RevertReason::Named("WithdrawDelayNotElapsed"));
        let words = [1_u64.into(), 2_u64.into(), 3_u64.into()];
        let poor = reverted("ERC20InsufficientBalance(address,uint256,uint256)", &words);
        assert_eq!(poor, RevertReason::Named("ERC20InsufficientBalance"));
        assert_eq!(RevertReason::of(&[1, 2, 3, 4]).to_string(), "the contract's error 0x01020304");
        assert_eq!(RevertReason::of(&[]), RevertReason::None);
        // What is cut off is not a reason.
        assert_eq!(RevertReason::of(&selector("Error(string)")), RevertReason::None);
    }

    /// The committed ABI of the double, which has the escrow's errors.
    #[test]
    fn the_errors_of_the_escrow_are_named() {
        let text = include_str!("../../../../contracts/artifacts/TestEscrow.json");
        let artifact: serde_json::Value = serde_json::from_str(text).unwrap();
        let errors: Vec<&str> = artifact["abi"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["type"] == "error" && item["inputs"].as_array().unwrap().is_empty())
            .map(|item| item["name"].as_str().unwrap())
            .filter(|name| !name.starts_with("Reentrancy") && *name != "FailedCall")
            .collect();
        assert!(errors.len() > 15, "{errors:?}");
        for error in errors {
            let named = NAMED.iter().any(|signature| *signature == format!("{error}()"));
            assert!(named, "{error} is not in NAMED");
        }
    }

    proptest! {
        #[test]
        fn a_hostile_contract_cannot_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = RevertReason::of(&bytes).to_string();
            for prefix in ["Error(string)", "Panic(uint256)"] {
                let mut data = selector(prefix).to_vec();
                data.extend(&bytes);
                let _ = RevertReason::of(&data).to_string();
            }
        }
    }
}
