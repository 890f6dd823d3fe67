//! JSON-RPC 2.0 both ways on one socket, and the sockets it runs on.
//!
//! - [`Connection`] is the protocol without any I/O: frames in, events out. It owns the ids, the
//!   table of calls in flight, and batches, each with a limit.
//! - [`Session`] runs a `Connection` on any stream and sink of [`Frame`]s, within the task of whoever
//!   takes what it hears. [`RpcPeer`] is the handle to call the other side, [`Responder`] the one to
//!   answer it; both say it to the session's own bounded queues.
//! - [`drive`] gives a `Session` a task of its own; what the other side says then arrives in
//!   [`Opened::incoming`].
//! - [`open_ws`], [`open_ipc`], [`IpcListener`] and [`pipe`] make such sockets; [`http`] makes a client that can call
//!   but not be called. [`RpcClient`] is either.
//!
//! Raw JSON is kept as it stood in the frame ([`serde_json::value::RawValue`]), because signatures
//! cover bytes.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::time::Duration;
//! use vipnode_rpc::{Incoming, pipe};
//!
//! let (here, mut there) = pipe();
//! tokio::spawn(async move {
//!     while let Some(Incoming::Request { responder, .. }) = there.incoming.recv().await {
//!         responder.respond(Ok("pong"));
//!     }
//! });
//! let answer = here.peer.call("vipnode_ping", &[(); 0], Duration::from_secs(1)).await?;
//! assert_eq!(answer.get(), "\"pong\"");
//! # Ok::<(), vipnode_rpc::CallError>(()) }).unwrap();
//! ```

mod address;
mod alarm;
mod client;
mod connection;
mod driver;
mod frame;
mod halves;
mod http;
mod ipc;
mod ipc_listener;
mod ipc_place;
mod json_splitter;
mod limits;
mod message;
mod open_error;
mod opened;
mod outbox;
mod peer;
mod pipe;
mod responder;
mod session;
mod shared;
mod tls_fault;
mod trust;
mod ws;

pub use address::check_address;
pub use client::RpcClient;
pub use connection::{Connection, Event, Full, Served};
pub use driver::drive;
pub use frame::Frame;
pub use halves::Halves;
pub use http::{HttpRpc, http};
pub use ipc::open_ipc;
pub use ipc_listener::IpcListener;
pub use json_splitter::{JsonSplitter, SplitError};
pub use limits::RpcLimits;
pub use message::request_text;
pub use open_error::OpenError;
pub use opened::{Closed, Opened};
pub use peer::{CallError, PendingCall, RpcPeer};
pub use pipe::{pipe, pipe_with};
pub use responder::{Incoming, Responder};
pub use session::{Heard, Keepalive, Session};
pub use tls_fault::TlsFault;
pub use trust::{Trust, TrustError};
pub use ws::open_ws;
