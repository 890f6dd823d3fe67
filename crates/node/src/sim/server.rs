use std::{io, net::Ipv4Addr, sync::Arc};

use axum::{
    Router,
    extract::{
        Path, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use futures_util::{SinkExt, StreamExt, future::ready};
use serde_json::{json, value::RawValue};
use tokio::{
    net::TcpListener,
    sync::{
        Semaphore,
        broadcast::{Receiver, error::RecvError},
    },
    task::AbortHandle,
};
use vipnode_rpc::{Frame, Incoming, Keepalive, OpenSession, Responder, RpcLimits, drive};
use vipnode_types::{
    NodeId,
    wire::{ErrorCode, WireError},
};

use super::{SimNet, SimSpec, net::News, transport::event_json};
use crate::Endpoint;

/// Sockets at once; a further one is refused with status 503.
const MAX_SOCKETS: usize = 1_024;

/// Offers the nodes of a [`SimNet`] to other processes of this machine, as geth's RPC over WebSocket. Ends when
/// dropped.
#[derive(Debug)]
pub struct SimServer {
    port: u16,
    task: AbortHandle,
}

#[derive(Clone)]
struct ServerState {
    net: SimNet,
    sockets: Arc<Semaphore>,
}

impl SimServer {
    /// Serves the network on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where the system gives no port.
    pub async fn start(net: SimNet) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shop = ServerState { net, sockets: Arc::new(Semaphore::new(MAX_SOCKETS)) };
        let routes = Router::new().route("/{name}", get(upgrade)).with_state(shop);
        let task = tokio::spawn(async move {
            // Without it an event and an answer that follow each other lie 40 ms apart (Nagle and delayed ACK).
            let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
            // Ends with the process or with this handle only.
            let _ = axum::serve(listener, routes).await;
        });
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

async fn upgrade(State(shop): State<ServerState>, Path(name): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    let id = name.parse().unwrap_or_else(|_| SimSpec::new(&name, 0).id);
    let Ok(permit) = shop.sockets.try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sockets").into_response();
    };
    if !shop.net.with(|world| world.is_running(id)) {
        return (StatusCode::SERVICE_UNAVAILABLE, "no such simulated node is running").into_response();
    }
    let upgrade = upgrade.read_buffer_size(4_096).write_buffer_size(0);
    upgrade.on_upgrade(move |socket| async move {
        serve(&shop.net, id, socket).await;
        drop(permit);
    })
}

async fn serve(net: &SimNet, id: NodeId, socket: WebSocket) {
    let news = net.news();
    let socket = socket
        .filter_map(|message| ready(message.map(read).transpose()))
        .with(|frame| ready(Ok::<_, axum::Error>(write(frame))));
    let opened = drive(socket, &RpcLimits::default(), Keepalive::None);
    let mut session = NodeSession { net, id, opened, subscriptions: 0 };
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
    format!("0x{subscription:x}")
}

fn read(message: Message) -> Option<Frame> {
    Some(match message {
        Message::Text(text) => Frame::Text(text.as_str().to_owned()),
        Message::Ping(_) => Frame::Ping(0),
        Message::Pong(payload) => Frame::pong(&payload),
        Message::Close(_) => Frame::Close(String::new()),
        Message::Binary(_) => return None,
    })
}

fn write(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::Text(text.into()),
        Frame::Ping(number) => Message::Ping(number.to_be_bytes().to_vec().into()),
        Frame::Pong(number) => Message::Pong(number.unwrap_or_default().to_be_bytes().to_vec().into()),
        Frame::Close(reason) => Message::Close(Some(CloseFrame { code: 1000, reason: reason.into() })),
    }
}
