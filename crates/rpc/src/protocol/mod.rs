//! JSON-RPC 2.0 without any I/O: frames in, events out, and how a stream of bytes is split into JSON texts.
//!
//! This module uses [`crate::limits`] and the errors of the wire. It has no sockets, tasks, or clocks, so that all of
//! it can be fuzzed.

mod connection;
mod frame;
mod frame_error;
mod json_splitter;
mod message;

pub use connection::{Connection, ConnectionEvent, Full, Served};
pub use frame::Frame;
pub(crate) use frame_error::FrameError;

pub use json_splitter::{JsonSplitter, SplitError};
pub use message::request_text;
