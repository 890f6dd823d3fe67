use vipnode_types::NodeId;

use crate::output::{Line, Tone};

/// A host that admitted the node and is not connected yet; `redial_ms` is how long the two nodes wait, if the pool knows it.
pub(super) fn host_slow(host: NodeId, redial_ms: Option<u64>) -> Line {
    let (host, line) = (host.short(), |text: String| Line::new("host_slow", Tone::Plain, text));
    match redial_ms {
        None => line(format!(
            "Host {host} admitted this node but is not connected yet. geth does not dial a node twice within 35 s, so \
             after a restart this can take up to a minute, unless the pool has another host"
        )),
        Some(ms) => line(format!(
            "Host {host} admitted this node, but their nodes dialed each other just before. geth waits up to 35 s before \
             it dials again; next try in {} s, unless the pool has another host",
            ms.div_ceil(1_000)
        ))
        .with("redial_ms", ms),
    }
}
