//! The agent's mind: which peers to seek, admit, evict and report.
//!
//! One state machine: [`AgentCore::handle`]`(now, event, &mut actions)`. It never waits, reads no clock,
//! does no I/O and draws no randomness but from its seed. Whoever runs it carries out the [`Action`]s in
//! order and tells how each ended as a further [`Event`].
//!
//! Every grant is in the journal before the node is told ([`Action::Journal`] comes before
//! [`Action::Node`], and is to be durable before the next action is begun), so that what a crash leaves
//! can be undone without a pool. It is called undone only after the node said so. What the agent did not
//! do it never undoes: peers and trust that the node has by itself stay.
//!
//! Peers that the user named without a pool ([`DirectConfig`]) are leases as well, under names of the agent's own
//! ([`vipnode_types::LeaseId::is_direct`]): same journal, same hands. No pool is told of them or ends them.
//!
//! Whoever runs it: reads the journal ([`left_undone`]) into [`AgentCore::new`]; opens the first socket to
//! the pool; probes the node and tells [`Event::NodeUp`]; sends [`Event::Tick`] at
//! [`AgentCore::next_wake`]; lists peers at each [`Action::Watch`] and at least every 20 s.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod action;
mod agent_core;
mod client;
mod config;
mod counters;
mod direct;
mod event;
mod flows;
mod gauges;
mod host;
mod invariants;
mod leases;
mod limits;
mod node;
mod policy;
mod pool;
mod view;

pub use action::{Action, CallReply, NodeCall, NodeTask, Notice, RequestTag, ToPool};
pub use agent_core::AgentCore;
pub use client::connect_failure::NotConnected;
pub use config::{Advertise, AgentConfig, HostConfig};
pub use counters::{AdmitFailure, Counters};
pub use direct::config::{DirectConfig, DirectConfigError};
pub use event::{Event, FromPool, PoolAnswer, StopCause};
pub use gauges::Gauges;
pub use host::offer::{Allowed, HostConfigError};
pub use leases::journal::{Grant, GrantKind, JournalEntry};
pub use leases::release::{OpenGrants, left_undone, release};
pub use leases::totals::{EndedLeases, Seen};
pub use policy::peer_policy::{PeerPolicy, VersionPattern};
pub use pool::protocol2::Protocol2Config;
pub use view::{AgentView, LeaseState, PoolState, Selling};
