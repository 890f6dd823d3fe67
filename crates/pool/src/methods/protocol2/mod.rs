//! Protocol 2 of the original at the pool's port: every call signed by the node's key, over its bytes as
//! they came.

mod call;
mod http;
mod http_nodes;
mod wallet;

use serde_json::value::RawValue;

pub(crate) use call::SignedBy;
pub(crate) use http::{answer, expire};
pub(crate) use http_nodes::HttpNodes;
pub(crate) use wallet::answer as wallet;

/// Whether params begin as those of a call of protocol 2 do: with a signature. A connect of protocol 3 begins with an
/// object.
pub(crate) fn is_signed_by_node(params: &RawValue) -> bool {
    let first = params.get().trim_start().strip_prefix('[').unwrap_or_default();
    first.trim_start().starts_with('"')
}
