use std::time::Duration;

use futures_util::{future::BoxFuture, stream::BoxStream};
use serde_json::value::RawValue;
use vipnode_rpc::TlsFault;

/// How JSON-RPC calls reach a node: a socket, HTTP, or a simulated node in this process.
pub trait Transport: Send + Sync + 'static {
    /// Calls a method and waits for its result, at most for `deadline`.
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, CallFault>>;

    /// Calls `<namespace>_subscribe` and hands on what is pushed for this subscription.
    /// `Ok(None)` where the transport cannot push.
    fn subscribe<'a>(
        &'a self,
        namespace: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, CallFault>>;

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

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFault {
    /// The node answered with an error.
    Remote {
        /// Its JSON-RPC code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// The node cannot be reached, or the connection broke.
    Lost(String),
    /// The file is there but not for us.
    NotPermitted {
        /// Who owns it, where the system tells.
        owner: Option<String>,
    },
    /// What answers is not who it should be, or speaks no TLS.
    Untrusted(TlsFault),
    /// HTTP 403.
    Forbidden,
    /// No answer in time.
    Expired,
    /// Not JSON-RPC, or past a limit.
    Answer(String),
}
