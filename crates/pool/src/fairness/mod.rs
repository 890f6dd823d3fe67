//! Fairness among address blocks: limits on connections, calls, commands, signature checks and processor time.
//!
//! It calls nothing else of this crate. No wire message, no session and no decision about who may join ever enters.
//!
//! # How they work together
//!
//! An outsider can open many connections and from many addresses, but seldom from many address blocks (a /24 with IPv4,
//! a /48 with IPv6). So everything that is scarce is shared out among blocks, and a [`Block`] holds what the connections
//! of one block use together. A call passes these limits, in this order:
//!
//! | | limits | one block may have | at the limit |
//! |---|---|---|---|
//! | [`ConnectionLimiter`] | open connections, new ones a second | as many as are left for all others: half | it is refused with 429 or 503 |
//! | [`fair_poll`], [`CpuBudget`](cpu_budget::CpuBudget) | processor time | its budget at once; then one poll of one socket at a time | its sockets wait for each other |
//! | [`TokenBucket`], [`SharedTokenBucket`] | calls a second of a socket, of a block | its rate and a burst | the socket is not read for a while, then "busy" |
//! | [`FairSemaphore`] | signature checks at once | any number, but each other block's waiter comes first | it waits, then "busy" |
//! | [`CommandPermits`] | commands that wait for the core, by class | as many as are free: half | "busy" |
//!
//! Two rules hold for all of them. **A block that uses little never waits for one that uses much**: where a block may hold
//! as many as are free, it has half of them when it is alone and a third when there are two, and a block that holds
//! none gets one at once. **A block that is alone is not slowed**: what nobody else wants is given to it, up to the
//! limit that protects the machine.
//!
//! A socket that is too fast is not read for a while instead of being answered at once: that costs nothing, and TCP holds
//! back the other side. What is held (a connection, a permit, a signature check) is a value that gives it back when it
//! is dropped. On the way of a call there is no lock but that of the semaphore: blocks count with atomics.

mod block;
mod command_permits;
mod connection_limiter;
mod cpu_budget;
mod fair_poll;
mod fair_semaphore;
mod token_bucket;

pub(crate) use block::Block;
pub(crate) use command_permits::{CommandPermit, CommandPermits, PermitClass};
pub(crate) use connection_limiter::{Caller, ConnectionGuard, ConnectionLimiter, LimitReached};
pub(crate) use fair_poll::fair_poll;
pub(crate) use fair_semaphore::{FairPermit, FairSemaphore};
pub(crate) use token_bucket::{Pace, SharedTokenBucket, TokenBucket};
