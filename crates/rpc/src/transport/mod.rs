//! The transports of sessions, one file each: WebSocket, local sockets, and an in-memory pipe; and HTTP, which can call
//! but not be called.
//!
//! This module uses [`crate::session`], [`crate::protocol`], [`crate::error`], and [`crate::tls`]. This module does
//! not interpret messages.

mod address;
mod client;
mod http;
mod http_refusal;
mod ipc;
mod ipc_listener;
mod ipc_path;
mod ipc_peer;
mod ipc_server;
mod own_addresses;
mod pipe;
mod ws;
mod ws_frames;
mod ws_server;

pub use address::check_address;
pub use client::RpcClient;
pub use http::{HttpRpc, http};
pub use ipc::open_ipc;
pub use ipc_listener::IpcListener;
pub use ipc_peer::IpcPeer;
pub use ipc_server::{IpcServer, IpcServerLimits, IpcService};
pub use own_addresses::own_addresses;
pub use pipe::{pipe, pipe_with};
pub use ws::open_ws;
pub use ws_frames::{WsError, WsFrames, ws_accept_key};
pub use ws_server::{WsRefusal, accept_ws};
