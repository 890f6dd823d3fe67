//! The agent's mind: which peers to seek, admit, evict and report.
//!
//! One state machine: [`AgentCore::handle`]`(now, event, &mut actions)`. It never waits, reads no clock,
//! does no I/O and draws no randomness but from its seed. Whoever runs it carries out the [`Action`]s in
//! order and tells how each ended as a further [`Event`].
//!
//! Every grant is in the journal before the node is told ([`Action::Journal`] comes before
//! [`Action::Node`], and is to be durable before the next action is begun), so that what a crash leaves
//! can be undone without a pool.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod action;
mod config;
mod event;
mod grant;

pub use action::{Action, CallReply, NodeCall, NodeTask, Notice, RequestTag, ToPool};
pub use config::{AgentConfig, HostConfig};
pub use event::{Event, FromPool, PoolAnswer, StopCause};
pub use grant::{Grant, GrantKind, JournalEntry};

/// The agent's mind.
#[derive(Debug)]
pub struct AgentCore {}
