//! How long a round trip to a peer takes, as the kernel of this machine measures it on the node's own TCP connection.
//!
//! This sends no packets. A connection of our own to the peer would do harm: geth accepts one connection per address
//! within 30 s, so the node's next dial would fail.
//!
//! Uses only the types of addresses. The node itself is not asked here.

#[cfg(target_os = "linux")]
mod kernel;
mod peer_connection;
#[cfg(target_os = "linux")]
mod sock_diag;

use std::{collections::BTreeMap, time::Duration};

pub use peer_connection::PeerConnection;
use vipnode_types::NodeId;

/// Returns the shortest recent round trip of each of these connections that this machine has. Others are missing: those of a node on
/// another machine or in another network namespace, and all of them on systems other than Linux. Does not wait.
#[must_use]
pub fn round_trips(connections: &[PeerConnection]) -> BTreeMap<NodeId, Duration> {
    #[cfg(target_os = "linux")]
    if let Some(kernel) = kernel::Kernel::open() {
        let known = connections.iter().filter_map(|one| Some((one.peer, kernel.round_trip(one)?)));
        return known.collect();
    }
    let _unused_on_this_system = connections;
    BTreeMap::new()
}
