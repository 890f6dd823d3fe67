//! How JSON-RPC calls reach a node: its [`Endpoint`], and the [`Transport`] to it over IPC, HTTP, or WebSocket. This
//! folder does not interpret the calls.

mod endpoint;
mod node_access;
mod rpc_transport;
mod transport_error;

use std::time::Duration;

use futures_util::{future::BoxFuture, stream::BoxStream};
use serde_json::value::RawValue;

use crate::limits::NodeLimits;

pub use endpoint::Endpoint;
pub use node_access::NodeAccess;
pub(crate) use rpc_transport::RpcTransport;
pub use transport_error::TransportError;
pub(crate) use transport_error::is_missing;

/// How JSON-RPC calls reach a node: a socket, HTTP, or a simulated node in this process.
pub trait Transport: Send + Sync + 'static {
    /// Calls a method and waits for its result, at most for `deadline`.
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, TransportError>>;

    /// Calls `<namespace>_subscribe` and hands on what is pushed for this subscription.
    /// `Ok(None)` where the transport cannot push.
    fn subscribe<'a>(
        &'a self,
        namespace: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, TransportError>>;

    /// The limits of its calls.
    fn limits(&self) -> NodeLimits {
        NodeLimits::default()
    }

    /// The address, for people and for errors.
    fn at(&self) -> String;

    /// Whether the node is on this machine, so that its paths are ours.
    fn is_local(&self) -> bool;
}

/// What a node pushes for a subscription.
pub type Pushes = BoxStream<'static, Push>;

/// One push.
#[derive(Debug)]
pub enum Push {
    /// The `result` of a notification.
    Item(Box<RawValue>),
    /// The reader was too slow and some were dropped.
    Missed,
}
