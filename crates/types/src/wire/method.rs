//! The names of the methods.

/// Answers `"pong"`.
pub const PING: &str = "vipnode_ping";
/// What the pool shows to everybody.
pub const STATUS: &str = "pool_status";
/// How the pool sees who asks: from where, whether a port is open there, by which clock.
pub const REACH: &str = "vipnode_reach";
/// An agent presents its node; authenticates the socket.
pub const CONNECT: &str = "vipnode_connect";
/// What an agent sees.
pub const REPORT: &str = "vipnode_report";
/// A client wants hosts.
pub const ASK: &str = "vipnode_ask";
/// A client asks why it has these hosts and no others.
pub const EXPLAIN: &str = "vipnode_explain";
/// An agent ends leases.
pub const LEAVE: &str = "vipnode_leave";
/// An agent stops; all its leases end.
pub const BYE: &str = "vipnode_bye";
/// A host is to let a client in.
pub const ADMIT: &str = "vipnode_admit";
/// A lease is over; undo what was done for it.
pub const EVICT: &str = "vipnode_evict";
/// Dial a peer: a further host for a client, or a leased client that cannot reach its host.
pub const DIAL: &str = "vipnode_dial";
