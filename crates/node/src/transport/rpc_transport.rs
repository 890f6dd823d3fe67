use std::{io::ErrorKind, path::Path, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{
        Mutex,
        broadcast::{self, error::RecvError},
        mpsc,
    },
    time::timeout,
};
use vipnode_rpc::{CallError, Closed, HttpRpc, Incoming, OpenError, RpcHandle, RpcLimits, http, open_ipc, open_ws};

use super::{Endpoint, NodeAccess, Push, Pushes, Transport, TransportError};
use crate::{
    NodeError,
    file_owner::owner_of,
    limits::{EVENT_QUEUE, NodeLimits},
};

/// Calls to a real node. A socket that broke is opened again at the next call.
#[derive(Debug)]
pub(crate) struct RpcTransport {
    endpoint: Endpoint,
    limits: NodeLimits,
    socket: RpcLimits,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Http(HttpRpc),
    Socket(Mutex<Option<Live>>),
}

/// An open socket; closed when this is dropped.
#[derive(Debug)]
struct Live {
    peer: RpcHandle,
    closed: Closed,
    /// The pump that reads the socket owns the sender, so that streams end with the socket.
    notices: broadcast::WeakSender<Arc<PushedMessage>>,
}

#[derive(Debug)]
struct PushedMessage {
    method: String,
    params: Box<RawValue>,
}

#[derive(Deserialize)]
struct Pushed<'a> {
    #[serde(borrow)]
    subscription: &'a RawValue,
    #[serde(borrow)]
    result: &'a RawValue,
}

impl RpcTransport {
    /// Nothing is connected before the first call.
    pub(crate) fn new(endpoint: Endpoint, access: &NodeAccess) -> Result<Self, NodeError> {
        let NodeAccess { trust, limits } = access.clone();
        let socket = RpcLimits {
            frame_bytes: limits.node_bytes,
            in_flight: limits.node_calls,
            open: limits.node_call,
            trust,
            ..RpcLimits::default()
        };
        let way = match &endpoint {
            Endpoint::Http(url) => Way::Http(
                http(url, &socket)
                    .map_err(|error| NodeError::Address { text: endpoint.to_string(), why: error.to_string() })?,
            ),
            Endpoint::Ipc(_) | Endpoint::Ws(_) | Endpoint::Sim(_) => Way::Socket(Mutex::default()),
        };
        Ok(Self { endpoint, limits, socket, way })
    }

    async fn exchange(
        &self,
        method: &str,
        params: Box<RawValue>,
        wait: Duration,
    ) -> Result<Box<RawValue>, TransportError> {
        let answer = match &self.way {
            Way::Http(http) => match http.call_raw(method, params.clone(), wait).await {
                // A server may close a connection that was idle just as it is used again.
                Err(error) if is_read(method) && is_broken(&error) => http.call_raw(method, params, wait).await,
                answer => answer,
            },
            Way::Socket(live) => {
                let peer = self.peer(live).await?.0;
                peer.call_raw(method, params, wait).await
            }
        };
        answer.map_err(TransportError::from)
    }

    /// The open socket, opened now if there is none.
    async fn peer(&self, live: &Mutex<Option<Live>>) -> Result<Socket, TransportError> {
        let mut live = live.lock().await;
        if let Some(open) = live.as_ref().filter(|open| !open.closed.is_closed()) {
            return Ok((open.peer.clone(), open.notices.clone()));
        }
        *live = None;
        let open = self.connect().await?;
        let socket = (open.peer.clone(), open.notices.clone());
        *live = Some(open);
        Ok(socket)
    }

    async fn connect(&self) -> Result<Live, TransportError> {
        let opened = match (&self.endpoint, self.endpoint.ws_url()) {
            (_, Some(url)) => open_ws(&url, &self.socket).await,
            (Endpoint::Ipc(path), _) => open_ipc(path, &self.socket).await,
            // Not reached: HTTP has a way of its own.
            (other, None) => {
                let (url, why) = (other.to_string(), "not a socket".to_owned());
                Err(OpenError::Address { url, why })
            }
        };
        let opened = opened.map_err(|error| match &self.endpoint {
            Endpoint::Ipc(path) => ipc_fault(path, error),
            _ => error.into(),
        })?;
        let (sender, _) = broadcast::channel(EVENT_QUEUE);
        let notices = sender.downgrade();
        tokio::spawn(pump(opened.incoming, sender));
        Ok(Live { peer: opened.peer, closed: opened.closed, notices })
    }
}

/// Whether a method changes nothing, so that it can be called twice.
fn is_read(method: &str) -> bool {
    method.starts_with("eth_") || method.starts_with("web3_") || matches!(method, "admin_nodeInfo" | "admin_peers")
}

/// Whether an open connection broke. One that cannot be opened breaks again.
fn is_broken(error: &CallError) -> bool {
    matches!(error, CallError::Open(OpenError::Unreachable { kind, .. })
        if !matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable))
}

type Socket = (RpcHandle, broadcast::WeakSender<Arc<PushedMessage>>);

impl Transport for RpcTransport {
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, TransportError>> {
        async move {
            timeout(deadline, self.exchange(method, params, deadline)).await.unwrap_or(Err(TransportError::Expired))
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        namespace: &'a str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, TransportError>> {
        let subscribing = async move {
            let Way::Socket(live) = &self.way else { return Ok(None) };
            let (peer, notices) = self.peer(live).await?;
            let lost = || TransportError::lost("the connection broke");
            // Listening begins before the call, so that nothing is pushed unheard in between.
            let notices = notices.upgrade().ok_or_else(lost)?.subscribe();
            let subscribed = peer.call_raw(&format!("{namespace}_subscribe"), params, deadline).await?;
            Ok(Some(pushes(notices, format!("{namespace}_subscription"), subscribed.get().to_owned())))
        };
        async move { timeout(deadline, subscribing).await.unwrap_or(Err(TransportError::Expired)) }.boxed()
    }

    fn limits(&self) -> NodeLimits {
        self.limits.clone()
    }

    fn at(&self) -> String {
        self.endpoint.to_string()
    }

    fn is_local(&self) -> bool {
        self.endpoint.is_local()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.peer.close("done");
    }
}

/// Reads everything that the node sends, so that its answers never wait behind messages that are not read.
async fn pump(mut incoming: mpsc::Receiver<Incoming>, notices: broadcast::Sender<Arc<PushedMessage>>) {
    while let Some(said) = incoming.recv().await {
        // A node asks nothing of us; an unanswered request is dropped and refused by the RPC.
        if let Incoming::Notification { method, params, .. } = said {
            // Without listeners it is lost, as it should be.
            let _ = notices.send(Arc::new(PushedMessage { method, params }));
        }
    }
}

fn pushes(notices: broadcast::Receiver<Arc<PushedMessage>>, method: String, subscription: String) -> Pushes {
    stream::unfold((notices, method, subscription), |(mut notices, method, subscription)| async move {
        loop {
            let push = match notices.recv().await {
                Ok(notice) if notice.method == method => match result_of(&notice.params, &subscription) {
                    Some(result) => Push::Item(result),
                    None => continue,
                },
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => Push::Missed,
                Err(RecvError::Closed) => return None,
            };
            return Some((push, (notices, method, subscription)));
        }
    })
    .boxed()
}

fn result_of(params: &RawValue, subscription: &str) -> Option<Box<RawValue>> {
    let pushed: Pushed<'_> = serde_json::from_str(params.get()).ok()?;
    (pushed.subscription.get() == subscription).then(|| pushed.result.to_owned())
}

/// A local socket that does not open: it is missing, not allowed, or left over by a node that was killed.
fn ipc_fault(path: &Path, error: OpenError) -> TransportError {
    let fault = TransportError::from(error);
    let TransportError::Lost { kind, .. } = &fault else { return fault };
    match kind {
        ErrorKind::PermissionDenied => TransportError::NotPermitted { owner: owner_of(path) },
        ErrorKind::NotFound => TransportError::Lost { kind: *kind, why: "the file does not exist".to_owned() },
        ErrorKind::ConnectionRefused => {
            TransportError::Lost { kind: *kind, why: "the file exists, but no node listens on it".to_owned() }
        }
        _ => fault,
    }
}
