//! Protocol 2 of the original at the pool's port: every call signed by the node's key, over its bytes as
//! they came.

mod call;
mod http;
mod http_nodes;
mod wallet;

use serde_json::value::RawValue;
use vipnode_types::{protocol2::method, wire::method as ours};

pub(crate) use call::SignedBy;
pub(crate) use http::{answer, expire};
pub(crate) use http_nodes::HttpNodes;
pub(crate) use wallet::{answer as wallet, is_wallet_method};

/// Whether this is a node's call of protocol 2. A connect of protocol 3 begins with an object, one of
/// protocol 2 with a signature.
pub(crate) fn is_node_call(name: &str, params: &RawValue) -> bool {
    match name {
        method::UPDATE | method::PEER | method::HOST | method::CLIENT => true,
        ours::CONNECT => {
            let first = params.get().trim_start().strip_prefix('[').unwrap_or_default();
            first.trim_start().starts_with('"')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_is_told_by_what_stands_first() {
        let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
        assert!(is_node_call("vipnode_connect", &raw(r#" [ "sig","id",1,{}]"#)));
        assert!(!is_node_call("vipnode_connect", &raw(r#"[{"protocol":3},{}]"#)));
        assert!(!is_node_call("vipnode_connect", &raw("[]")));
        assert!(!is_node_call("vipnode_connect", &raw("{}")));
        assert!(is_node_call("vipnode_update", &raw("[]")));
        assert!(!is_node_call("vipnode_report", &raw(r#"["x"]"#)));
    }
}
