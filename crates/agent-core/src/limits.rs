//! Every limit of the agent's core, by name, and what happens there.

/// Leases held at once; further admits and hosts are refused.
pub(crate) const LEASES: usize = 1_200;
/// Slots sold and given away at once, whatever the user offers.
pub(crate) const SLOTS: u32 = 1_000;
/// Hosts that the user names; more are refused at the start.
pub(crate) const DIRECT_HOSTS: usize = 64;
/// Addresses of one name that are looked at.
pub(crate) const NAME_ADDRESSES: usize = 16;
/// Calls of the pool that wait for the node; further ones are answered "busy".
pub(crate) const PENDING_CALLS: usize = 64;
/// Hosts that are not to be given again; beyond it the one that is freed soonest goes.
pub(crate) const AVOID: usize = 64;
/// Peers of the node that are remembered; the rest counts as unknown.
pub(crate) const PEERS: usize = 4_096;
/// Leases of one connect reply that are looked at.
pub(crate) const REPLY_LEASES: usize = 2_200;
/// Leases that one request leaves; the rest follows in the next.
pub(crate) const LEAVE_LEASES: usize = 512;
/// Clients remembered after their lease was undone; beyond it the one that left first is forgotten.
pub(crate) const FORMER_CLIENTS: usize = 1_024;
/// Hosts whose capabilities one report has; the rest follows in the next.
pub(crate) const SEEN_HOSTS: usize = 64;
/// Hosts of one ask reply that are looked at.
pub(crate) const REPLY_HOSTS: usize = 128;
/// Peers on no lease that are being disconnected at once; further ones are after them.
pub(crate) const STRANGERS: usize = 16;
/// Hosts held beyond those wanted; further ones are left as surplus.
pub(crate) const SURPLUS: u32 = 2;

/// A host that is not connected after this time is left.
pub(crate) const CONNECT_MS: u64 = 20_000;
/// The same over protocol 2, where no host dials its client: geth dials nobody twice within 35 s.
pub(crate) const CONNECT_ALONE_MS: u64 = 45_000;
/// A name of a host that the user named is looked up again after this time, ...
pub(crate) const RESOLVE_MS: u64 = 300_000;
/// ... after this one while its host is not connected for a while, ...
pub(crate) const RESOLVE_MISSING_MS: u64 = 60_000;
/// ... after this one where it could not be resolved, ...
pub(crate) const RESOLVE_AGAIN_MS: u64 = 30_000;
/// ... and after this one at least, where its host is gone.
pub(crate) const RESOLVE_LEAST_MS: u64 = 10_000;
/// A look-up without an end for this long failed.
pub(crate) const RESOLVE_DEADLINE_MS: u64 = 30_000;
/// What the node would not do for a peer that the user named is tried again after this time.
pub(crate) const DIRECT_AGAIN_MS: u64 = 30_000;
/// After an event that a peer is gone the next list of peers decides; without a list in this time it is gone.
pub(crate) const SUSPECT_MS: u64 = 1_000;
/// Without a list of peers for this long nothing is stated as seen.
pub(crate) const UNWATCHED_MS: u64 = 60_000;
/// A host that goes within this time of its connection went at once.
pub(crate) const AT_ONCE_MS: u64 = 10_000;
/// A node without a free slot for light nodes disconnects one within this time of its connection.
pub(crate) const THROWN_OUT_MS: u64 = 2_000;
/// A host whose slots for light nodes are taken admits none for this long, unless one of them goes before.
pub(crate) const LIGHT_REST_MS: u64 = 300_000;
/// A host that goes at once this often ...
pub(crate) const AT_ONCE_TIMES: usize = 3;
/// ... within this time is unstable.
pub(crate) const AT_ONCE_WITHIN_MS: u64 = 60_000;
/// A host that failed is not taken again for this long.
pub(crate) const AVOID_MS: u64 = 120_000;
/// Peers that a node takes at most unless the user says otherwise, which is geth's default.
pub(crate) const NODE_MAX_PEERS: u32 = 50;
/// Of so many peers a node dials one: geth's dial ratio.
pub(crate) const DIAL_RATIO: u32 = 3;
/// After a client was let in its connection is looked for this long.
pub(crate) const WATCH_MS: u64 = 15_000;

/// What the node was told to do and did not end counts as failed.
pub(crate) const NODE_TASK_MS: u64 = 10_000;
/// What could not be undone is tried again after this time.
pub(crate) const UNDO_AGAIN_MS: u64 = 5_000;
/// The same while the agent stops.
pub(crate) const UNDO_AGAIN_STOPPING_MS: u64 = 500;
/// The node and the pool each have this long to let the agent stop.
pub(crate) const STOP_MS: u64 = 5_000;

/// A request without an answer for this long: the socket is half-open (D40).
pub(crate) const REQUEST_MS: u64 = 15_000;
/// The first wait before a new socket is at most this long, each further one twice the last, ...
pub(crate) const BACKOFF_FIRST_MS: u64 = 1_000;
/// ... up to this.
pub(crate) const BACKOFF_MOST_MS: u64 = 60_000;
/// A connection that held this long was good: the next wait is short again.
pub(crate) const GOOD_MS: u64 = 60_000;
/// A pool that does not take the agent any more is asked again after this time.
pub(crate) const REFUSED_MS: u64 = 300_000;
/// The pool's wishes for a wait are held to this at most.
pub(crate) const RETRY_MOST_MS: u64 = 300_000;
/// The pool's report interval is held to this at least ...
pub(crate) const INTERVAL_LEAST_MS: u64 = 100;
/// ... and this at most: an agent silent for 180 s is down.
pub(crate) const INTERVAL_MOST_MS: u64 = 119_000;
/// Of two updates of protocol 2 the second comes no sooner, whatever changes.
pub(crate) const UPDATE_LEAST_MS: u64 = 1_000;
/// Over protocol 2 a client that was let in may be unseen for two updates and this long.
pub(crate) const UNSEEN_MS: u64 = 60_000;
/// A node that is more blocks behind the pool's newest one is said to be behind.
pub(crate) const BEHIND_BLOCKS: u64 = 3;
/// A balance that changed is said this often at most.
pub(crate) const BALANCE_MS: u64 = 600_000;
/// Peers on no lease are disconnected this often at most.
pub(crate) const STRANGERS_MS: u64 = 1_000;
/// A strict host keeps clients for so long whose leases its pool does not know any more: as long as agents have to come
/// back to a pool that was restarted.
pub(crate) const LAST_LIST_MS: u64 = 600_000;
/// Two asks are this far apart at least.
pub(crate) const ASK_LEAST_MS: u64 = 1_000;
/// While hosts are missing the first further ask waits at most this long.
pub(crate) const ASK_FIRST_MS: u64 = 5_000;
