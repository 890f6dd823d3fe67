//! Limits on what a node can use of the agent's memory and time.

use std::time::Duration;

use vipnode_types::limits;

const SECOND: u64 = 1_000;
const MIB: u64 = 1 << 20;

limits! {
    /// What the operator of a node can set.
    NodeLimits {
        /// A node answers a call within this time, and a connection to it opens within it. Otherwise, the node counts as offline.
        node_call: Duration = Duration::from_secs(5), Time 100..=60 * SECOND;
        /// Calls to the node that wait for an answer; a further one fails.
        node_calls: usize = 4_096, Count 16..=65_536;
        /// Bytes of one answer of the node; a larger one ends the connection.
        node_bytes: usize = 16 << 20, Bytes MIB..=256 * MIB;
        /// Peers in one answer of the node; a longer list is an error, because a shortened one would look like lost peers.
        node_peers: usize = 2_000, Count 50..=4_096;
    }
    also {}
}

/// Characters kept of a client's name; the rest is cut.
pub const MAX_CLIENT_VERSION: usize = 256;
/// Characters kept of a node's error message; the rest is cut.
pub const MAX_ERROR_TEXT: usize = 300;
/// Peers whose hash is remembered, to read events; the oldest is forgotten first.
pub const MAX_NAMES: usize = 8_192;
/// Addresses remembered of nodes that were dialed; the oldest is forgotten first.
pub const MAX_DIALED: usize = 1_024;
/// Peer events waiting for a slow reader; past it the reader learns that it missed some.
pub const EVENT_QUEUE: usize = 1_024;
/// A client that dials once and forgets is asked again after this time, while the peer is wanted and missing.
pub const REDIAL: Duration = Duration::from_secs(10);
/// A peer that was removed and is dialed all the same is removed again for this long; geth ends a dial after 15 s, and
/// a handshake after 5.
pub const LATE_DIAL: Duration = Duration::from_secs(20);
/// A caller that stops waits this long for such a dial; a later one stays until its peer is dropped otherwise.
pub const SETTLED: Duration = Duration::from_millis(500);
/// How often the peers are read during that wait.
pub const SETTLING: Duration = Duration::from_millis(50);
