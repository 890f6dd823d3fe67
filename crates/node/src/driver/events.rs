use std::sync::Arc;

use futures_util::{StreamExt, future};
use serde::Deserialize;
use vipnode_types::DropCause;

use super::{answers, capabilities::empty, ids_by_hash::IdsByHash};
use crate::{PeerEvent, PeerEvents, Push, Transport};

#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "type")]
    kind: String,
    peer: String,
    /// For a disconnect: the reason, as text of the client.
    #[serde(default)]
    error: Option<String>,
}

/// Subscribes to `peerEvents`; `None` where the client or the transport has none (reth's stub always errors).
pub(super) async fn subscribe(rpc: &Arc<dyn Transport>, names: &Arc<IdsByHash>) -> Option<PeerEvents> {
    let params = serde_json::value::to_raw_value(&["peerEvents"]).unwrap_or_else(|_| empty());
    let pushes = match rpc.subscribe("admin", params, rpc.limits().node_call).await {
        Ok(pushes) => pushes?,
        Err(fault) => {
            tracing::debug!(?fault, "the node does not support peer events; polling its peers");
            return None;
        }
    };
    let names = Arc::clone(names);
    Some(pushes.filter_map(move |push| future::ready(read(&push, &names))).boxed())
}

fn read(push: &Push, names: &IdsByHash) -> Option<PeerEvent> {
    let Push::Item(json) = push else { return Some(PeerEvent::Look) };
    let Ok(event) = serde_json::from_str::<RawEvent>(json.get()) else { return Some(PeerEvent::Look) };
    let id = answers::peer_hash(&event.peer).and_then(|hash| names.find(&hash));
    match (event.kind.as_str(), id) {
        ("add", Some(id)) => Some(PeerEvent::Added(id)),
        ("drop", Some(id)) => Some(PeerEvent::Gone(id, drop_cause(event.error.as_deref().unwrap_or_default()))),
        ("add" | "drop", None) => Some(PeerEvent::Look),
        // Messages sent and received, if the node was started to report them.
        _ => None,
    }
}

/// The beginnings of geth's error texts (from the sources and runs of 1.12.0 and 1.17.5; the two differing values
/// follow). The side that noticed reports what it saw, the other one "subprotocol error".
const CAUSES: [(&str, DropCause); 8] = [
    // eth/protocols/eth/protocol.go and handshake.go
    ("genesis mismatch", DropCause::Genesis),
    ("network ID mismatch", DropCause::Network),
    ("fork ID rejected", DropCause::Forks),
    // eth/peerset.go
    ("peer connected on snap without compatible eth support", DropCause::EthVersion),
    // les/protocol.go of 1.12.0
    ("Genesis block mismatch", DropCause::Genesis),
    ("NetworkId mismatch", DropCause::Network),
    ("ForkID rejected", DropCause::Forks),
    // p2p/peer_error.go: admin_removePeer, and les/server_handler.go when its slots are taken
    ("disconnect requested", DropCause::Requested),
];

fn drop_cause(error: &str) -> DropCause {
    CAUSES.iter().find(|(words, _)| error.starts_with(words)).map_or(DropCause::Unknown, |(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_as_geth_reports_them() {
        for (words, cause) in [
            ("genesis mismatch: 5604455a (!= c3efce81)", DropCause::Genesis),
            ("Genesis block mismatch - 5c19c70d08d85626 (!= 743995d1250c022a)", DropCause::Genesis),
            ("network ID mismatch: 1337 (!= 99)", DropCause::Network),
            ("fork ID rejected: local incompatible or needs update", DropCause::Forks),
            (
                "peer connected on snap without compatible eth support: have [eth/66 eth/67 eth/68 snap/1]",
                DropCause::EthVersion,
            ),
            ("disconnect requested", DropCause::Requested),
            ("subprotocol error", DropCause::Unknown),
            ("", DropCause::Unknown),
        ] {
            assert_eq!(drop_cause(words), cause, "{words}");
        }
    }
}
