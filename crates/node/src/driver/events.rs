use std::sync::Arc;

use futures_util::{StreamExt, future};
use serde::Deserialize;

use crate::{
    PeerEvent, PeerEvents, Push, Transport, answers, capabilities::empty, limits::CALL_DEADLINE, names::Names,
};

#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "type")]
    kind: String,
    peer: String,
}

/// Subscribes to `peerEvents`; `None` where the client or the transport has none (reth's stub always errors).
pub(super) async fn subscribe(rpc: &Arc<dyn Transport>, names: &Arc<Names>) -> Option<PeerEvents> {
    let params = serde_json::value::to_raw_value(&["peerEvents"]).unwrap_or_else(|_| empty());
    let pushes = match rpc.subscribe("admin", params, CALL_DEADLINE).await {
        Ok(pushes) => pushes?,
        Err(fault) => {
            tracing::debug!(?fault, "the node has no peer events; its peers are polled");
            return None;
        }
    };
    let names = Arc::clone(names);
    Some(pushes.filter_map(move |push| future::ready(read(&push, &names))).boxed())
}

fn read(push: &Push, names: &Names) -> Option<PeerEvent> {
    let Push::Item(json) = push else { return Some(PeerEvent::Look) };
    let Ok(event) = serde_json::from_str::<RawEvent>(json.get()) else { return Some(PeerEvent::Look) };
    let id = answers::peer_hash(&event.peer).and_then(|hash| names.find(&hash));
    match (event.kind.as_str(), id) {
        ("add", Some(id)) => Some(PeerEvent::Added(id)),
        ("drop", Some(id)) => Some(PeerEvent::Gone(id)),
        ("add" | "drop", None) => Some(PeerEvent::Look),
        // Messages sent and received, where the node was started to tell them.
        _ => None,
    }
}
