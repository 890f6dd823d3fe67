//! The pool's mind: who is here, who is given to whom, and what it has cost.
//!
//! One state machine: [`Core::handle`]`(now, command, &mut effects)`. It never waits, reads no clock, does no
//! I/O and draws no randomness but from the seed it is given, so a bug replays from a seed.
//!
//! Whoever runs it parses, verifies and authenticates before; after, it carries out the [`Effect`]s in
//! order, holding back those marked [`Release::AfterCommit`] until the rows persisted so far are durable.
//!
//! Where to read what: `flows` has one file a command; `agents` knows who is here, `matching` who is given to whom,
//! `leases` what was given, `metering` what it has cost; `protocol2` is the original's way to speak. Each folder's `mod.rs`
//! says what lives there and what it may call. What comes later is in `timers`, what survives in `row`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod agents;
mod collections;
mod command;
mod core;
mod effect;
mod error;
mod flows;
mod gauges;
mod invariants;
mod leases;
mod limit_table;
mod limits;
mod matching;
mod metering;
mod output;
mod protocol2;
mod row;
mod timers;

#[cfg(test)]
mod tests;

pub use self::core::Core;
pub use agents::credentials::{Credentials, Protocol2State, Signer};
pub use collections::address_block::AddressBlock;
pub use command::{CallOutcome, Command, ConnectionId, Identity};
pub use effect::{CallId, Effect, PoolCall, Release, Reply, RequestId};
pub use gauges::{Counters, Gauges};
pub use limit_table::{Limit, LimitUnit};
pub use limits::{Limits, PoolLimits};
pub use row::{LeaseRow, MeteredRow, NodeRow, Presence, Row, RowKey};
