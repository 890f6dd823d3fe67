use std::{io, net::Ipv4Addr, time::Duration};

use serde_json::{json, value::RawValue};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast::{Receiver, error::RecvError},
    task::{AbortHandle, JoinSet},
    time::sleep,
};
use vipnode_rpc::{Incoming, Keepalive, OpenSession, Responder, RpcLimits, WsRefusal, accept_ws, drive};
use vipnode_types::{
    NodeId, Quantity,
    wire::{ErrorCode, WireError},
};

use super::{SimNet, SimSpec, net::News, transport::event_json};
use crate::Endpoint;

/// Sockets at once; a further one is refused with status 503.
const MAX_SOCKETS: usize = 1_024;
/// Connections at once, with those that are being refused; a further one waits.
const MAX_CONNECTIONS: usize = 2 * MAX_SOCKETS;
/// The system has no further socket: the next one is accepted after this time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Offers the nodes of a [`SimNet`] to other processes of this machine, as geth's RPC over WebSocket. Ends when
/// dropped.
#[derive(Debug)]
pub struct SimServer {
    port: u16,
    task: AbortHandle,
}

impl SimServer {
    /// Serves the network on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where the system gives no port.
    pub async fn start(net: SimNet) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(accept(listener, net));
        Ok(Self { port, task: task.abort_handle() })
    }

    /// Where the node made by [`SimSpec::new`] with this name answers; its id does as well as its name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Endpoint {
        Endpoint::Sim(format!("sim://127.0.0.1:{}/{name}", self.port))
    }
}

impl Drop for SimServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves each connection, until dropped.
async fn accept(listener: TcpListener, net: SimNet) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let is_full = connections.len() >= MAX_SOCKETS;
                    connections.spawn(serve(net.clone(), stream, is_full));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn serve(net: SimNet, stream: TcpStream, is_full: bool) {
    // Without it an event and an answer that follow each other lie 40 ms apart (Nagle and delayed ACK).
    let _best_effort = stream.set_nodelay(true);
    let (limits, mut id) = (RpcLimits::default(), None);
    let check = |path: String| {
        let name = path.trim_start_matches('/');
        let node = name.parse().unwrap_or_else(|_| SimSpec::new(name, 0).id);
        id = Some(node);
        if is_full {
            return Err(WsRefusal("too many sockets"));
        }
        let is_running = net.with(|world| world.is_running(node));
        is_running.then_some(()).ok_or(WsRefusal("no such simulated node is running"))
    };
    let socket = accept_ws(stream, &limits, check).await;
    let (Ok(socket), Some(id)) = (socket, id) else { return };
    let (news, opened) = (net.news(), drive(socket, &limits, Keepalive::None));
    let mut session = NodeSession { net: &net, id, opened, subscriptions: 0 };
    session.run(news).await;
    session.opened.peer.close("the simulated node was stopped");
}

struct NodeSession<'a> {
    net: &'a SimNet,
    id: NodeId,
    opened: OpenSession,
    /// Each event goes to every subscription, as with geth; they are numbered from 1.
    subscriptions: u8,
}

impl NodeSession<'_> {
    /// Serves calls until the socket or the node is gone.
    async fn run(&mut self, mut news: Receiver<News>) {
        loop {
            tokio::select! {
                incoming = self.opened.incoming.recv() => match incoming {
                    Some(Incoming::Request { method, params, responder, .. }) => self.answer(&method, &params, responder),
                    Some(Incoming::Notification { .. }) => {}
                    None => return,
                },
                news = news.recv() => match news {
                    Ok(News::Peer(event)) if event.node == self.id => {
                        for number in 1..=self.subscriptions {
                            let push = json!({ "subscription": name_of(number), "result": event_json(&event) });
                            if self.opened.peer.notify("admin_subscription", &push).await.is_err() {
                                return;
                            }
                        }
                    }
                    Ok(News::Stopped(id)) if id == self.id => return,
                    Ok(_) => {}
                    // The subscriber cannot learn that it missed something: it has to subscribe again.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                },
            }
        }
    }

    fn answer(&mut self, method: &str, params: &RawValue, responder: Responder) {
        if method == "admin_subscribe" {
            self.subscriptions = self.subscriptions.saturating_add(1);
            return responder.respond(Ok(name_of(self.subscriptions)));
        }
        match self.net.answer(self.id, method, params) {
            Some(Ok(value)) => responder.respond(Ok(value)),
            Some(Err(fault)) => {
                let code = i32::try_from(fault.code).unwrap_or(ErrorCode::Server as i32);
                responder.respond(Err::<(), _>(WireError { code, message: fault.message, data: None }));
            }
            None => responder.respond(Err::<(), _>(WireError::new(ErrorCode::Server, "the node is stopped", ""))),
        }
    }
}

fn name_of(subscription: u8) -> String {
    Quantity(subscription.into()).to_string()
}
