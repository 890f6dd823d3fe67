use serde_json::value::{RawValue, to_raw_value};
use vipnode_types::{
    Account,
    protocol2::{AccountReply, Balance, SignedCall, method},
    wire::WireError,
};

use crate::call_refusal::CallRefusal;

/// A call of the original's pages for a wallet. The answers have no private data, and say what to do where protocol 2 has
/// no safe way.
#[derive(Debug)]
pub(crate) enum WalletCall<'a> {
    Account(Account),
    AddNode(SignedCall<'a>),
    Withdraw(SignedCall<'a>),
}

impl<'a> WalletCall<'a> {
    pub(crate) fn account(params: &RawValue) -> Result<Self, WireError> {
        let (wallet,) = serde_json::from_str(params.get()).map_err(|error| CallRefusal::invalid_params(&error))?;
        Ok(Self::Account(wallet))
    }

    pub(crate) fn add_node(params: &'a RawValue) -> Result<Self, WireError> {
        Ok(Self::AddNode(SignedCall::read(params)?))
    }

    pub(crate) fn withdraw(params: &'a RawValue) -> Result<Self, WireError> {
        Ok(Self::Withdraw(SignedCall::read(params)?))
    }

    /// Checks the signature and answers. The caller holds a permit to check signatures.
    pub(crate) fn answer(&self) -> Result<Box<RawValue>, WireError> {
        match self {
            Self::Account(wallet) => account(wallet),
            Self::AddNode(signed) => {
                signed.verify_wallet(method::ADD_NODE)?;
                // A wallet cannot claim a node (fault D7, docs/faults.md).
                Err(CallRefusal::WalletClaim.into())
            }
            Self::Withdraw(signed) => {
                signed.verify_wallet(method::WITHDRAW)?;
                Err(CallRefusal::NothingToWithdraw.into())
            }
        }
    }
}

/// Returns the public data of a wallet, which anyone may request (fault D46, docs/faults.md).
fn account(wallet: &Account) -> Result<Box<RawValue>, WireError> {
    let balance = Balance { account: wallet.to_string(), next_withdraw: ZERO_TIME.to_owned(), ..Balance::default() };
    let reply = AccountReply { node_short_ids: Vec::new(), balance };
    Ok(to_raw_value(&reply).map_err(|error| CallRefusal::Internal { why: error.to_string() })?)
}

/// Go's zero time.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use vipnode_types::wire::ErrorCode;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn d46_nothing_private_of_a_wallet_is_returned() {
        let params = raw(r#"["0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"]"#);
        let reply = WalletCall::account(&params).unwrap().answer().unwrap();
        assert_eq!(
            reply.get(),
            r#"{"node_short_ids":[],"balance":{"account":"0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F","deposit":0,"credit":0,"next_withdraw":"0001-01-01T00:00:00Z"}}"#
        );
        for bad in ["[]", r#"["x"]"#, "{}", "[5]"] {
            assert!(WalletCall::account(&raw(bad)).unwrap_err().is(ErrorCode::InvalidParams), "{bad}");
        }
    }

    #[test]
    fn d7_d8_an_unsigned_claim_changes_nothing() {
        let params = raw(r#"["00","0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",9223372036854775807,"node"]"#);
        for call in [WalletCall::add_node(&params), WalletCall::withdraw(&params)] {
            let error = call.unwrap().answer().unwrap_err();
            assert!(error.is(ErrorCode::Unauthorized) && error.message.contains("signature"), "{error:?}");
        }
    }
}
