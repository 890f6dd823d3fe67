//! The pool's core: who is here, who is given to whom, and what it has cost.
//!
//! One state machine: [`Core::handle`]`(now, command, &mut effects)`. It never waits, reads no clock, does no
//! I/O and draws no randomness but from the seed it is given, so a bug replays from a seed.
//!
//! The program that runs it parses, verifies and authenticates before; after, it carries out the [`Effect`]s in
//! order, holding back those marked [`Release::AfterCommit`] until the rows persisted so far are durable.
//!
//! Where to read what: `flows` has one file a command; `agents` knows who is here, `matching` who is given to whom,
//! `leases` what was given, `metering` what it has cost; `protocol2` is the original's way to speak. Each folder's `mod.rs`
//! describes what lives there and what it may call. What survives the process is in `row`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod agents;
mod collections;
mod command;
mod core;
mod core_error;
mod counters;
mod credentials;
mod effect;
mod flows;
mod gauges;
mod ids;
mod leases;
mod limit_table;
mod limits;
mod matching;
mod metering;
mod output;
mod pool_call;
mod pool_clock;
mod protocol2;
mod row;

#[cfg(test)]
mod tests;

pub use self::core::Core;
pub use agents::proven::{PairedTime, Proven};
pub use collections::{
    address_block::{AddressBlock, WideBlock},
    block_shares::BlockShares,
};
pub use command::{CallOutcome, Command, Identity};
pub use core_error::CoreError;
pub use counters::Counters;
pub use credentials::{Credentials, Signer};
pub use effect::{Effect, Release, Reply};
pub use gauges::Gauges;
pub use ids::{CallId, ConnectionId, RequestId};
pub use limit_table::{Limit, LimitUnit};
pub use limits::{Limits, PoolLimits};
pub use pool_call::PoolCall;
pub use protocol2::state::Protocol2State;
pub use row::{LeaseRow, MeteredRow, NodeRow, Presence, Row, RowKey};

/// Every error of this crate, by what it is about.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] =
    &[vipnode_types::ErrorTable { title: "What the core of a pool refuses", rows: CoreError::ROWS }];
