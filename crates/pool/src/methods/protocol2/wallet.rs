//! What the original's pages call for a wallet. Nothing is collected here yet, and nothing private told.

use serde_json::value::{RawValue, to_raw_value};
use vipnode_types::{
    Account,
    protocol2::{AccountReply, Balance, SignedCall, method},
    wire::{ErrorCode, WireError},
};

use super::call::refuse;
use crate::error;

/// Answers a wallet's page. Signatures are checked here: the caller of this function holds a permit.
pub(crate) fn answer(name: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
    take(name, params).map_err(WireError::for_protocol2)
}

fn take(name: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
    if name == method::ACCOUNT {
        return account(params);
    }
    let call = SignedCall::read(params).map_err(|error| error::invalid_params(&error.to_string()))?;
    call.verify_wallet(name).map_err(refuse)?;
    Err(match name {
        // D7: no wallet claims a node by its own word.
        method::ADD_NODE => WireError::new(
            ErrorCode::Unsuitable,
            "a wallet cannot claim a node by its own word; the node has to name it",
            "run the node's agent with --payout and the wallet's address",
        ),
        _ => WireError::new(
            ErrorCode::Unsuitable,
            "this pool collects nothing, so there is nothing to withdraw",
            "ask the operator of the pool how its hosts are paid",
        ),
    })
}

/// What anybody may ask of any wallet: nothing that is not known anyway (D46).
fn account(params: &RawValue) -> Result<Box<RawValue>, WireError> {
    let (wallet,): (Account,) =
        serde_json::from_str(params.get()).map_err(|error| error::invalid_params(&error.to_string()))?;
    let balance = Balance { account: wallet.to_string(), next_withdraw: ZERO_TIME.to_owned(), ..Balance::default() };
    let reply = AccountReply { node_short_ids: Vec::new(), balance };
    to_raw_value(&reply).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string(), ""))
}

/// Go's zero time.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn d46_nothing_private_is_told_of_a_wallet() {
        let reply = answer("pool_account", &raw(r#"["0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"]"#)).unwrap();
        assert_eq!(
            reply.get(),
            r#"{"node_short_ids":[],"balance":{"account":"0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F","deposit":0,"credit":0,"next_withdraw":"0001-01-01T00:00:00Z"}}"#
        );
        for bad in ["[]", r#"["x"]"#, "{}", "[5]"] {
            assert!(answer("pool_account", &raw(bad)).unwrap_err().is(ErrorCode::InvalidParams), "{bad}");
        }
    }

    #[test]
    fn d7_d8_an_unsigned_claim_changes_nothing() {
        let params = raw(r#"["00","0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",9223372036854775807,"node"]"#);
        for method in ["pool_addNode", "pool_withdraw"] {
            let error = answer(method, &params).unwrap_err();
            assert!(error.is(ErrorCode::Server) && error.message.contains("signature"), "{error:?}");
        }
    }
}
