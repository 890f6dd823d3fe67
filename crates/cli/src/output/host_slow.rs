use vipnode_agent_core::ConnectFailure;
use vipnode_types::NodeId;

use crate::output::{
    Line, Tone,
    connect_failure::{Perspective, why_not_connected},
};

/// A host that admitted the node and is not connected yet.
pub(super) struct HostSlow {
    pub(super) host: NodeId,
    /// How long the two nodes wait, in milliseconds, if the pool knows it.
    pub(super) redial_ms: Option<u64>,
    /// How long the agent still waits for the host, in milliseconds.
    pub(super) left_ms: u64,
    /// Why it was not connected the last time.
    pub(super) last: Option<ConnectFailure>,
}

impl HostSlow {
    pub(super) fn line(&self) -> Line {
        let host = self.host.short();
        let line = |text: String| Line::new("host_slow", Tone::Plain, text);
        if let Some(ms) = self.redial_ms {
            let text = format!(
                "Host {host} admitted this node, but the two nodes dialed each other a moment ago. geth waits up to \
                 35 s before it dials again; next try in {} s, unless the pool has another host",
                ms.div_ceil(1_000)
            );
            return line(text).with("redial_ms", ms);
        }
        let last = self.last.map(|cause| why_not_connected(Perspective::Client, cause, ""));
        let last = last.map(|why| format!(" The last time, {why}.")).unwrap_or_default();
        let left = self.left_ms.div_ceil(1_000);
        let text = format!("Host {host} admitted this node but is not connected yet; waiting {left} s more.{last}");
        line(text.trim_end_matches('.').to_owned())
    }
}
