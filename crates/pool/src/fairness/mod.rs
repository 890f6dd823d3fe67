//! Fairness among address blocks: limits on connections, calls, commands, signature checks, and CPU time.
//!
//! It calls nothing else of this crate. Wire messages, sessions, and decisions about who may join never enter.
//!
//! # How they work together
//!
//! An outsider can open many connections, and from many addresses, but rarely from many address blocks (a /24 with IPv4,
//! a /48 with IPv6). Therefore, everything scarce is shared among blocks, and a [`Block`] holds what the connections of
//! one block use together. A call passes these limits, in this order:
//!
//! | | limits | one block may have | at the limit |
//! |---|---|---|---|
//! | [`ConnectionLimiter`] | open connections, new connections per second | as many as are left for all others: half | refused with 429 or 503 |
//! | [`fair_poll`], [`CpuBudget`](cpu_budget::CpuBudget) | CPU time | its budget at once; then one poll of one socket at a time | its sockets wait for each other |
//! | [`TokenBucket`], [`SharedTokenBucket`] | calls per second of a socket, of a block | its rate and a burst | the socket is not read for a while, then "busy" |
//! | [`FairSemaphore`] | concurrent signature checks | any number, but each other block's waiter comes first | it waits, then "busy" |
//! | [`CommandPermits`] | commands that wait for the core, by class | as many as are free: half | "busy" |
//! | the inbox in `engine` | time of the core, for its messages and its searches | an equal share, block by block | its messages wait |
//!
//! Two rules apply to all of them. **A block that uses little never waits for one that uses much**: if a block may hold as
//! many as are free, it has half of them when it is alone and a third when there are two, and a block that holds none
//! gets one at once. **A block that is alone is not slowed**: it gets what nobody else wants, up to the limit that
//! protects the machine.
//!
//! A socket that is too fast is not read for a while instead of being answered at once: that costs nothing, and TCP slows
//! the other side down. Whatever is held (a connection, a permit, a position in a queue) is a value that gives it back
//! when dropped. A call takes no lock except that of the semaphore: blocks count with atomics.

mod block;
mod command_permits;
mod connection_limiter;
mod cpu_budget;
mod fair_poll;
mod fair_semaphore;
mod token_bucket;
mod traffic;

pub(crate) use block::Block;
pub(crate) use command_permits::{CommandPermit, CommandPermits, PermitClass};
pub(crate) use connection_limiter::{Caller, ConnectionGuard, ConnectionLimiter, LimitReached};
pub(crate) use fair_poll::fair_poll;
pub(crate) use fair_semaphore::{FairPermit, FairSemaphore, FairWait};
pub(crate) use token_bucket::{Pace, SharedTokenBucket, TokenBucket};
