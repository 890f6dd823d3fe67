//! JSON-RPC 2.0 in both directions on one socket, and the sockets on which it runs.
//!
//! - [`Connection`] is the protocol without any I/O: frames in, events out. It owns the ids, the
//!   table of calls in flight, and batches, each with a limit.
//! - [`Session`] runs a `Connection` on any stream and sink of [`Frame`]s, in the task of its owner, and ends with a
//!   [`SessionEnd`]. [`RpcHandle`] calls the other side, [`Responder`] answers it; both write to the session's bounded
//!   queues.
//! - [`drive`] gives a `Session` a task of its own; requests of the other side then arrive in [`OpenSession::incoming`].
//! - [`open_ws`], [`open_ipc`], [`IpcListener`] and [`pipe`] make such sockets; [`http`] makes a client that can call
//!   but not be called. [`RpcClient`] is either.
//!
//! Raw JSON is kept exactly as it was in the frame ([`serde_json::value::RawValue`]), because signatures cover its bytes.
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

mod error;
mod limits;
mod protocol;
mod session;
mod tls;
mod transport;

pub use error::{CallError, OpenError, SessionEnd};
pub use limits::RpcLimits;
pub use protocol::{Connection, ConnectionEvent, Frame, Full, JsonSplitter, Served, SplitError, request_text};
pub use session::{
    Closed, Halves, Incoming, Keepalive, OpenSession, PendingCall, PoolHeaders, Responder, RpcHandle, Session,
    SessionInput, drive,
};
pub use tls::{CertificateProblem, Trust, TrustError};
pub use transport::{
    HttpRpc, IpcListener, IpcPeer, IpcServer, IpcServerLimits, IpcService, RpcClient, WsError, WsFrames, WsRefusal,
    accept_ws, check_address, http, open_ipc, open_ws, own_addresses, pipe, pipe_with, ws_accept_key,
};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "New connections", rows: OpenError::ROWS },
    vipnode_types::ErrorTable { title: "Calls", rows: CallError::ROWS },
    vipnode_types::ErrorTable { title: "Closed connections", rows: SessionEnd::ROWS },
    vipnode_types::ErrorTable { title: "Frames", rows: protocol::FrameError::ROWS },
    vipnode_types::ErrorTable { title: "Untrusted certificates", rows: CertificateProblem::ROWS },
    vipnode_types::ErrorTable { title: "CA files, `--tls-ca`", rows: TrustError::ROWS },
];
