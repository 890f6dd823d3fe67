//! Fairness among address blocks: limits on connections, calls, commands, signature checks, and CPU time.
//!
//! It calls nothing else in this crate. Wire messages, sessions, and decisions about who may join do not belong here.
//!
//! # How they work together
//!
//! An outsider can open many connections, and from many addresses, but rarely from many address blocks. Therefore,
//! everything scarce is shared among blocks at two levels: a block (a /24 with IPv4, a /48 with IPv6) in its wide block (the /16,
//! the /32), because the holder of a /32 has 65,536 /48s. A [`Block`] counts what the connections of one block use
//! together, and charges the same to its wide block. A call passes these limits, in this order:
//!
//! | | limits | one block may have | at the limit |
//! |---|---|---|---|
//! | [`ConnectionLimiter`] | open connections, new connections per second | a share (see below); its rate and a burst | refused with 429 or 503 |
//! | [`fair_poll`](fair_poll()), [`TimeBudget`](time_budget::TimeBudget) | CPU time | its budget at once; then one poll of one socket at a time, and of those that hold a permit for a signature check | its sockets wait for each other |
//! | [`TokenBucket`], [`Rate`] | calls per second of a socket, of a block; a large call counts as several | its rate and a burst | the socket is not read for a while, then "busy" |
//! | [`FairSemaphore`] | concurrent signature checks; statements that are read | any number, but each other block's waiter comes first | it waits, then "busy" |
//! | [`TimeBudget`](time_budget::TimeBudget) | time of reading statements | its budget at once | "busy" until enough of it came back |
//! | [`CommandPermits`] | commands that wait for the core, by class | a share (see below) | "busy" |
//! | [`PortTests`] | ports of `vipnode_reach` that are tested at the same time | a share (see below) | "busy" |
//! | the inbox in `engine` | time of the core, for its messages and its searches | an equal share, block by block | its messages wait |
//!
//! These rules apply to all of them. **A block that uses little never waits for one that uses much**: where blocks have
//! shares, a wide block may hold as many as remain free, so half when it is alone; a block may hold as many as its wide block
//! may still take, so a third; and up to `block_minimum` each block takes whatever is free
//! ([`BlockShares`](vipnode_pool_core::BlockShares)). A wide block has `wide_block_factor` times the rates and the CPU budget of
//! a block. **A block that is alone is not slowed down**: it gets what no other block uses, up to the limit that
//! protects the machine.
//! **Members of a closed pool are exempt once they have authenticated**, because all of them may be at one address: their calls,
//! answers, permits, and CPU time are charged to no block ([`Caller::charged_to`]). Connections, TLS handshakes, and signature
//! checks come before that and are shared all the same.
//!
//! A socket that is too fast is not read for a while instead of being answered at once: that costs nothing, and TCP slows
//! the other side down. Whatever is held (a connection, a permit, a position in a queue) is a value that gives it back
//! when dropped. A call takes no lock except that of the semaphore, and for a port test that of its shares: blocks count
//! with atomics.

mod block;
mod block_resources;
mod block_table;
mod command_permits;
mod connection_limiter;
mod fair_poll;
mod fair_semaphore;
mod port_tests;
mod round_robin;
mod time_budget;
mod token_bucket;
mod traffic;

pub(crate) use block::Block;
#[cfg(test)]
pub(crate) use block::tests::block as lone_block;
pub(crate) use block_resources::Rate;
pub(crate) use command_permits::{CommandPermit, CommandPermits, PermitClass};
pub(crate) use connection_limiter::{Caller, ConnectionGuard, ConnectionLimiter, LimitReached};
pub(crate) use fair_poll::fair_poll;
pub(crate) use fair_semaphore::{FairPermit, FairSemaphore, FairWait, PermitsHeld};
pub(crate) use port_tests::PortTests;
pub(crate) use token_bucket::{Pace, SharedTokenBucket, TokenBucket};
