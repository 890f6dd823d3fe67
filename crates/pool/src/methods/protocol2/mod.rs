//! The calls of protocol 2 of the original: every call is signed, over its bytes as sent, by a node's or a wallet's key.
//!
//! It may call `auth`, and calls nothing else of `methods`: `methods/dispatch.rs` dispatches these calls as it does those
//! of protocol 3.

mod node_call;
mod wallet_call;

use serde_json::value::RawValue;

pub(crate) use node_call::NodeCall;
pub(crate) use wallet_call::WalletCall;

/// Whether params begin with a signature, as those of protocol 2 do. A connect of protocol 3 begins with an object.
pub(crate) fn is_signed_by_node(params: &RawValue) -> bool {
    let first = params.get().trim_start().strip_prefix('[').unwrap_or_default();
    first.trim_start().starts_with('"')
}
