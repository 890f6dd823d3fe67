//! The thread that owns the pool's core, the queue before it, the store's thread behind it, and what leaves once rows are
//! durable.
//!
//! It may call `auth` and `fairness` for the types that a command carries. No bytes of the network ever enter: what
//! comes here is a command, and what leaves is an effect.

pub(crate) mod clock;
pub(crate) mod connections;
pub(crate) mod core_thread;
pub(crate) mod gateway;
pub(crate) mod inbox;
pub(crate) mod outbox;
pub(crate) mod store_thread;
