//! The names of the methods.

/// Answers `"pong"`.
pub const PING: &str = "vipnode_ping";
/// The pool's status.
pub const STATUS: &str = "pool_status";
/// How the pool sees the caller: its address, whether its port is open, and the pool's clock.
pub const REACH: &str = "vipnode_reach";
/// Connects an agent and authenticates the socket.
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
/// Links the agent's node to the account that pays for it.
pub const LINK: &str = "vipnode_link";
/// Ends the link between a node and an account.
pub const UNLINK: &str = "vipnode_unlink";
/// What the agent's node may still spend, and what it earned.
pub const FUNDS: &str = "vipnode_funds";
/// Has the agent's node spend from a payment channel, up to the amount of a voucher.
pub const VOUCHER: &str = "vipnode_voucher";
/// The figures of an account, for the holder of its key.
pub const ACCOUNT: &str = "vipnode_account";
/// A page of the statement of an account, for the holder of its key, or of the agent's node.
pub const STATEMENT: &str = "vipnode_statement";
/// A page of what the pool signs to a host for a day.
pub const DAILY_STATEMENT: &str = "vipnode_daily_statement";
/// Names the account that receives what a node earns.
pub const PAYOUT: &str = "vipnode_payout";
/// Asks a side of a lease whether it agrees to a price.
pub const PRICE: &str = "vipnode_price";
/// Asks a host to admit a client.
pub const ADMIT: &str = "vipnode_admit";
/// Ends a lease; the agent undoes its changes for the lease.
pub const EVICT: &str = "vipnode_evict";
/// Asks the agent to dial a peer: another host for a client, or a leased client that cannot reach its host.
pub const DIAL: &str = "vipnode_dial";
/// Has the agent show its user something.
pub const NOTICE: &str = "vipnode_notice";
