//! Every limit of the agent's core, and what happens at the limit.

/// Leases held at once; further admits and hosts are refused.
pub(crate) const LEASES: usize = 1_200;
/// Slots sold or given to `--allow` at once, whatever the settings are.
pub(crate) const SLOTS: u32 = 1_000;
/// Hosts that the user names; more are rejected at the start.
pub(crate) const DIRECT_HOSTS: usize = 64;
/// Addresses of one host name that are used; the rest is ignored.
pub(crate) const NAME_ADDRESSES: usize = 16;
/// Calls of the pool that wait for the node; further ones are answered "busy".
pub(crate) const PENDING_CALLS: usize = 64;
/// Avoided hosts; at the limit the one whose time ends first is forgotten.
pub(crate) const AVOID: usize = 64;
/// Peers of the node that are recorded; the rest counts as unknown.
pub(crate) const PEERS: usize = 4_096;
/// Leases of one connect reply that are read; the rest is ignored.
pub(crate) const REPLY_LEASES: usize = 2_200;
/// Leases that one request leaves; the rest follows in the next.
pub(crate) const LEAVE_LEASES: usize = 512;
/// Clients remembered after their lease was undone; at the limit the one that left first is forgotten.
pub(crate) const FORMER_CLIENTS: usize = 1_024;
/// Hosts whose capabilities one report includes; the rest follows in the next.
pub(crate) const SEEN_HOSTS: usize = 64;
/// Hosts of one ask reply that are read; the rest is ignored.
pub(crate) const REPLY_HOSTS: usize = 128;
/// Unleased peers that are being disconnected at once; further ones follow.
pub(crate) const UNLEASED_PEERS: usize = 16;
/// Hosts held beyond those wanted; further ones are left as surplus. A pool assigns as many (`extra_offers`) while hosts stay
/// silent.
pub(crate) const EXTRA_HOSTS: u32 = 7;

/// An hour, in milliseconds.
pub(crate) const HOUR_MS: u64 = 3_600_000;
/// A client that pays from a channel asks the pool about it after at least this time.
pub(crate) const PAY_LEAST_MS: u64 = 10_000;

/// A host that is not connected after this time is left.
pub(crate) const CONNECT_MS: u64 = 20_000;
/// After this time, the user is notified that a host is not connected yet.
pub const SLOW_CONNECT_MS: u64 = 3_000;
/// The same as [`CONNECT_MS`] over protocol 2, where hosts do not dial clients: geth dials again after
/// [`REDIAL_MS`](vipnode_types::REDIAL_MS).
pub(crate) const CONNECT_ALONE_MS: u64 = 45_000;
/// The host name of a named host is resolved again after this time, ...
pub(crate) const RESOLVE_MS: u64 = 300_000;
/// ... after this time while its host is not connected, ...
pub(crate) const RESOLVE_MISSING_MS: u64 = 60_000;
/// ... after this time if it could not be resolved, ...
pub(crate) const RESOLVE_AGAIN_MS: u64 = 30_000;
/// ... and after at least this time if its host disconnected.
pub(crate) const RESOLVE_LEAST_MS: u64 = 10_000;
/// A lookup without a result after this time has failed.
pub(crate) const RESOLVE_DEADLINE_MS: u64 = 30_000;
/// A command for a named peer that the node rejected is repeated after this time, after each further failure twice as late, ...
pub(crate) const DIRECT_AGAIN_MS: u64 = 30_000;
/// ... up to this.
pub(crate) const DIRECT_AGAIN_MOST_MS: u64 = 300_000;
/// After an event that a peer disconnected the next list of peers decides; without a list within this time the peer is
/// gone.
pub(crate) const SUSPECT_MS: u64 = 1_000;
/// Without a list of peers for this long, no peer counts as connected.
pub(crate) const UNWATCHED_MS: u64 = 60_000;
/// A host that disconnects within this time of connecting disconnected at once.
pub(crate) const EARLY_DROP_MS: u64 = 10_000;
/// A peer that was connected for this long before its lease began did not connect for that lease, in milliseconds.
pub(crate) const CONNECTED_BEFORE_MS: u64 = 1_000;
/// A node without a free slot for light nodes disconnects one within this time of its connection.
pub(crate) const DROPPED_BY_HOST_MS: u64 = 2_000;
/// A host whose slots for light nodes are taken admits none for this long, unless one of them goes before. A light node that
/// leaves at once looks like one without a slot, so the time is short; a pool keeps that node's neighbors away for longer.
pub(crate) const LIGHT_REST_MS: u64 = 10_000;
/// An admit waits for a slot that is being undone for this long: a pool waits 3 s for its answer. Then it is refused.
pub(crate) const ADMIT_WAIT_MS: u64 = 2_000;
/// A host that disconnects at once this often ...
pub(crate) const EARLY_DROP_TIMES: usize = 3;
/// ... within this time is unstable.
pub(crate) const AT_ONCE_WITHIN_MS: u64 = 60_000;
/// A host that failed is not accepted again for this long.
pub(crate) const AVOID_MS: u64 = 120_000;
/// The maximum number of peers of a node if the user does not set it: geth's default.
pub(crate) const NODE_MAX_PEERS: u32 = 50;
/// A node dials one of this many peers: geth's dial ratio.
pub(crate) const DIAL_RATIO: u32 = 3;
/// After a client was admitted, the peers are read often for this long.
pub(crate) const WATCH_MS: u64 = 15_000;

/// A command that the node has not finished after this time has failed.
pub(crate) const NODE_TASK_MS: u64 = 10_000;
/// An undo that failed is repeated after this time, after each further failure twice as late, ...
pub(crate) const UNDO_AGAIN_MS: u64 = 5_000;
/// ... up to this.
pub(crate) const UNDO_AGAIN_MOST_MS: u64 = 60_000;
/// The same while the agent is stopping, which takes [`STOP_MS`] at most.
pub(crate) const UNDO_AGAIN_STOPPING_MS: u64 = 500;
/// The node and the pool each have this long to let the agent stop.
pub(crate) const STOP_MS: u64 = 5_000;

/// The default of [`crate::AgentConfig::request_ms`].
pub const REQUEST_MS: u64 = 15_000;
/// The first wait before a new socket is at most this long, each further one twice the last, ...
pub(crate) const BACKOFF_FIRST_MS: u64 = 1_000;
/// ... up to this.
pub(crate) const BACKOFF_MOST_MS: u64 = 60_000;
/// After a connection that lasted this long, the next wait is short again.
pub(crate) const GOOD_MS: u64 = 60_000;
/// So many replaced connections of its own node ...
pub(crate) const DISPLACEMENTS: usize = 3;
/// ... within this time mean that another agent uses the same key.
pub(crate) const DISPLACED_WITHIN_MS: u64 = 60_000;
/// Then the agent waits for this long after a lost connection, and up to twice as long.
pub(crate) const DISPLACED_WAIT_MS: u64 = 120_000;
/// After this time without another one, the other agent is forgotten.
pub(crate) const DISPLACED_FORGET_MS: u64 = 600_000;
/// A pool that rejected the agent is tried again after this time.
pub(crate) const REFUSED_MS: u64 = 300_000;
/// The minimum wait that a pool may request: with none, each rejection would be followed by a request at once.
pub(crate) const RETRY_LEAST_MS: u64 = 1_000;
/// The maximum wait that a pool may request.
pub(crate) const RETRY_MOST_MS: u64 = 300_000;
/// The pool's report interval is at least this ...
pub(crate) const INTERVAL_LEAST_MS: u64 = 1_000;
/// ... and at most this: an agent that does not report for 180 s counts as offline.
pub(crate) const INTERVAL_MOST_MS: u64 = 119_000;
/// The minimum time between two updates of protocol 2, whatever changes.
pub(crate) const UPDATE_LEAST_MS: u64 = 1_000;
/// Over protocol 2 an admitted client may be disconnected for two updates and this long.
pub(crate) const UNSEEN_MS: u64 = 60_000;
/// A node counts as behind if the pool's newest block is more than this many blocks ahead.
pub(crate) const BEHIND_BLOCKS: u64 = 3;
/// The minimum time between two notices of the balance.
pub(crate) const BALANCE_MS: u64 = 600_000;
/// The minimum time between two rounds of disconnecting unleased peers.
pub(crate) const UNLEASED_PEERS_MS: u64 = 1_000;
/// A strict host keeps clients whose leases its pool no longer knows for this long: as long as agents have to reconnect
/// to a pool that was restarted.
pub(crate) const LAST_LIST_MS: u64 = 600_000;
/// The minimum time between two asks.
pub(crate) const ASK_LEAST_MS: u64 = 1_000;
/// Hosts that are missing for this long are worth a warning.
pub(crate) const MISSING_LATE_MS: u64 = 30_000;
/// While hosts are missing the first further ask waits at most this long.
pub(crate) const ASK_FIRST_MS: u64 = 5_000;
