//! The thread that owns the pool's core, the queue in front of it, the store's thread behind it, and the queue of effects
//! that wait for durable rows.
//!
//! May call `auth` and `fairness`. Bytes from the network do not belong here: the input is commands, the output is
//! effects.

mod agent_caller;
mod clock;
mod connection_blocks;
mod connections;
mod core_thread;
mod core_time;
mod effect_queue;
mod event_log;
mod gateway;
mod health_error;
mod inbox;
mod operator_query;
mod replies;
mod start_error;
mod step_time;
mod store_thread;

pub(crate) use clock::wall_clock;
pub(crate) use connections::{ConnectionEntry, Connections, NOBODY, Transport};
pub(crate) use core_thread::{ClockAcceptance, CoreThread, CoreThreadParts, RecordClock};
pub(crate) use gateway::{Gateway, PreparedCommand};
pub(crate) use health_error::HealthError;
#[cfg(test)]
pub(crate) use inbox::{CoreMessage, InboxReader};
pub(crate) use inbox::{Inbox, inbox, reply_text};
pub(crate) use operator_query::OperatorQuery;
pub use start_error::StartError;
pub(crate) use store_thread::StoreThread;
