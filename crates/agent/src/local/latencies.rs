use std::{collections::BTreeSet, fmt, sync::Arc};

use tokio::time::timeout;
use vipnode_node::{Node, round_trips};
use vipnode_types::NodeId;

use super::AgentStatus;
use crate::limits::LATENCY_DEADLINE;

/// The latencies of the connected peers, which are read only for a status query.
#[derive(Clone)]
pub(super) struct Latencies(pub(super) Arc<dyn Node>);

impl Latencies {
    /// Fills them in. Where the node does not list its connections within [`LATENCY_DEADLINE`], they stay unknown.
    pub(super) async fn fill(&self, status: &mut AgentStatus) {
        let connected = status.leases_mut().filter(|lease| lease.connected.is_some());
        let peers: BTreeSet<NodeId> = connected.map(|lease| lease.peer).collect();
        if peers.is_empty() {
            return;
        }
        let Ok(Ok(mut connections)) = timeout(LATENCY_DEADLINE, self.0.connections()).await else { return };
        connections.retain(|connection| peers.contains(&connection.peer));
        let known = round_trips(&connections);
        for lease in status.leases_mut().filter(|lease| lease.connected.is_some()) {
            lease.latency_us = known.get(&lease.peer).and_then(|time| u64::try_from(time.as_micros()).ok());
        }
    }
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latencies({})", self.0.at())
    }
}
