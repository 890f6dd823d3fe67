//! The agent's state machine: which peers to seek, admit, evict and report.
//!
//! One state machine: [`AgentCore::handle`]`(now, event, &mut actions)`. It never waits, reads no clock, does no I/O
//! and draws randomness only from its seed. The caller carries out the [`Action`]s in order and reports each result as
//! a further [`Event`].
//!
//! Each change to the node is recorded in the journal before the node makes it ([`Action::Journal`] precedes
//! [`Action::Node`], and must be durable before the next action begins), so that the changes that a crash leaves can be
//! undone without a pool. A change counts as undone only after the node has confirmed it. The agent never undoes what
//! it did not do: the node's own peers and trust stay. To find out which those are, the agent reads the node's peer
//! list before each change ([`Action::List`]).
//!
//! Peers that the user named without a pool ([`DirectConfig`]) are leases too. The agent assigns their IDs
//! ([`vipnode_types::LeaseId::is_direct`]); they share the journal and the tasks. A pool does not know them and cannot
//! end them.
//!
//! The caller reads the journal ([`unreleased_changes`]) into [`AgentCore::new`], opens the first socket to the pool, probes
//! the node and reports [`Event::NodeUp`], sends [`Event::Tick`] at [`AgentCore::next_wake`], and lists the peers at
//! each [`Action::Watch`] and at least every 20 s.
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
mod payment;
mod policy;
mod pool;
mod preview;
mod refusal;
mod view;

pub use action::{Action, CallReply, NodeTask, Notice, RequestTag, ToPool};
pub use agent_core::AgentCore;
pub use client::connect_failure::ConnectFailure;
pub use config::{Advertise, AgentConfig, HostConfig};
pub use counters::{AdmitFailure, AgentCounters};
pub use direct::config::{DirectConfig, DirectConfigError};
pub use direct::name_error::NameError;
pub use event::{Event, FromPool, PoolAnswer, StopCause};
pub use gauges::AgentGauges;
pub use host::offer::{Allowed, HostConfigError};
pub use leases::ended_leases::{EndedLeases, EndedSide};
pub use leases::eviction_cause::EvictionCause;
pub use leases::node_change::{ChangeKind, JournalEntry, NodeChange};
pub use leases::open_changes::{OpenChanges, release, unreleased_changes};
pub use limits::{REQUEST_MS, SLOW_CONNECT_MS};
pub use node::task_error::TaskError;
pub use payment::{CannotPay, PayConfig, SignedAmountAt, VoucherRecord};
pub use policy::peer_policy::{PeerPolicy, VersionPattern, VersionPatternError};
pub use pool::pool_loss::PoolLoss;
pub use pool::pool_state::PoolState;
pub use pool::protocol2::Protocol2Config;
pub use preview::Preview;
pub use refusal::Refusal;
pub use view::{AgentView, HostSlots, LeaseSnapshot};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Calls that an agent refuses", rows: Refusal::ROWS },
    vipnode_types::ErrorTable { title: "Commands from an agent to its node", rows: TaskError::ROWS },
    vipnode_types::ErrorTable { title: "Client payments", rows: CannotPay::ROWS },
    vipnode_types::ErrorTable { title: "Host names", rows: NameError::ROWS },
    vipnode_types::ErrorTable { title: "Host settings", rows: HostConfigError::ROWS },
    vipnode_types::ErrorTable { title: "Version patterns, `--reject-client`", rows: VersionPatternError::ROWS },
    vipnode_types::ErrorTable { title: "Nodes named by the user", rows: DirectConfigError::ROWS },
];
