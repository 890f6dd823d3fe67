//! The pool's mind: who is here, who is given to whom, and what it has cost.
//!
//! One state machine: [`Core::handle`]`(now, command, &mut effects)`. It never waits, reads no clock, does no
//! I/O and draws no randomness but from the seed it is given, so a bug replays from a seed.
//!
//! Whoever runs it parses, verifies and authenticates before; after, it carries out the [`Effect`]s in
//! order, holding back those marked [`Release::AfterCommit`] until the rows persisted so far are durable.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod command;
mod effect;
mod limits;
mod row;

pub use command::{CallOutcome, Command, Identity, Peer};
pub use effect::{CallId, Effect, PoolCall, Release, Reply, RequestId};
pub use limits::Limits;
pub use row::{LeaseRow, MeteredRow, NodeRow, Row, RowKey};

/// The pool's mind.
#[derive(Debug)]
pub struct Core {}
