//! A running connection: a session on any stream and sink of frames, the handles that make and answer calls through it,
//! and the bounded queues between them.
//!
//! This module uses [`crate::protocol`], [`crate::error`], and tokio's timers. It does not depend on the kind of socket
//! or on how the socket was opened.

mod driver;
mod exchange;
mod farewell;
mod halves;
mod liveness;
mod open_session;
mod outbox;
mod responder;
mod rpc_handle;
#[expect(clippy::module_inception, reason = "the file is named like its type")]
mod session;
mod session_input;
mod session_timer;
mod shared;

pub use driver::drive;
pub use halves::Halves;
pub use liveness::Keepalive;
pub use open_session::{Closed, OpenSession, PoolHeaders};
pub use responder::{Incoming, Responder};
pub use rpc_handle::{PendingCall, RpcHandle};
pub use session::Session;
pub use session_input::SessionInput;
