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
mod admit;
mod agent_core;
mod ask;
mod avoid;
mod backoff;
mod check;
mod config;
mod counters;
mod dial;
mod direct;
mod direct_config;
mod direct_names;
mod ended;
mod event;
mod former_clients;
mod gauges;
mod grant;
mod hands;
mod hello;
mod hosting;
mod lease;
mod leases;
mod leave;
mod light_places;
mod limits;
mod node_side;
mod not_connected;
mod own_peers;
mod peer_policy;
mod pool_link;
mod protocol2;
mod reconcile;
mod release;
mod report;
mod stop;
mod strict;
mod suitability;
mod view;
mod watch;

pub use action::{Action, CallReply, NodeCall, NodeTask, Notice, RequestTag, ToPool};
pub use agent_core::AgentCore;
pub use config::{Advertise, AgentConfig, HostConfig};
pub use counters::{AdmitFailure, Counters};
pub use direct_config::{DirectConfig, DirectConfigError};
pub use ended::{EndedLeases, Seen};
pub use event::{Event, FromPool, PoolAnswer, StopCause};
pub use gauges::Gauges;
pub use grant::{Grant, GrantKind, JournalEntry};
pub use hosting::{Allowed, HostConfigError};
pub use not_connected::NotConnected;
pub use peer_policy::{PeerPolicy, VersionPattern};
pub use protocol2::Protocol2Config;
pub use release::{OpenGrants, left_undone, release};
pub use view::{AgentView, LeaseState, PoolState, Selling};
