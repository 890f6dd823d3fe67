//! The pool's mind: who is here, who is given to whom, and what it has cost.
//!
//! One state machine: [`Core::handle`]`(now, command, &mut effects)`. It never waits, reads no clock, does no
//! I/O and draws no randomness but from the seed it is given, so a bug replays from a seed.
//!
//! Whoever runs it parses, verifies and authenticates before; after, it carries out the [`Effect`]s in
//! order, holding back those marked [`Release::AfterCommit`] until the rows persisted so far are durable.
//!
//! Where to read what:
//! - who is here: `registry`, `node`, `connect`, `presence` (silence), `report`;
//! - who is given to whom: `ask`, `matching`, `suitability` (what each wants of the other), `score`, `explain` and `won`
//!   (why), `places` (hosts with free ones), `hunger`
//!   (clients that want more), `grant`, `calls` (what agents were asked to do);
//! - what it has cost: `lease`, `sides` (who sees whom), `meter_row`, `rollover`, `lease_end`, `unpaired`;
//! - what comes later: `deadlines`, `tick`; what survives: `restore`, `rows`.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod address_block;
mod ask;
mod calls;
mod check;
mod command;
mod connect;
mod core;
mod day_budget;
mod deadlines;
mod effect;
mod elsewhere;
mod errors;
mod explain;
mod gauges;
mod grant;
mod hunger;
mod interner;
mod lease;
mod lease_end;
mod lease_table;
mod leave;
mod limit;
mod limits;
mod matching;
mod meter_row;
mod misfits;
mod node;
mod nonce;
mod outstanding;
mod places;
mod presence;
mod profile;
mod protocol2;
mod recent;
mod registry;
mod reload;
mod report;
mod restore;
mod rollover;
mod row;
mod score;
mod seed;
mod sides;
mod slab;
mod speaker;
mod status;
mod suitability;
mod tick;
mod turn;
mod unpaired;
mod won;

#[cfg(test)]
mod tests;

pub use self::core::Core;
pub use address_block::AddressBlock;
pub use command::{CallOutcome, Command, Identity, Peer};
pub use effect::{CallId, Effect, PoolCall, Release, Reply, RequestId};
pub use gauges::{Counters, Gauges};
pub use limit::{Limit, LimitUnit};
pub use limits::{Limits, PoolLimits};
pub use row::{LeaseRow, MeteredRow, NodeRow, Presence, Row, RowKey};
pub use speaker::{Past, Speaker, Voice};
