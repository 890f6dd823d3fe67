use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use serde_json::value::to_raw_value;
use tokio::task::yield_now;
use vipnode_rpc::{Keepalive, RpcLimits};
use vipnode_types::{AgentKey, ChainSpec, Delegation, NodeKey, PoolMethod, signed::Envelope, wire::ConnectRequest};

use super::*;
use crate::{
    PoolLimits,
    engine::{CoreMessage, InboxReader, wall_clock},
    fairness::{ConnectionLimiter, fair_poll},
    methods::service::tests::service,
};

const URL: &str = "ws://127.0.0.1:1";

/// Brings some frames, and then nothing or a panic.
struct Scripted {
    frames: VecDeque<Frame>,
    panics: bool,
}

impl Stream for Scripted {
    type Item = Result<Frame, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None if self.panics => panic!("as the test wants it"),
            None => Poll::Pending,
        }
    }
}

impl Sink<Frame> for Scripted {
    type Error = String;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _frame: Frame) -> Result<(), String> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

/// A connect whose signature holds for the challenge "nonce".
fn connect() -> Frame {
    let (node, agent) = (NodeKey::read(&[1; 32]).unwrap(), AgentKey::from_random([2; 32]).unwrap());
    let hello = ConnectRequest {
        protocol: 3,
        agent_version: String::new(),
        client_version: String::new(),
        capabilities: Vec::new(),
        min_versions: Vec::new(),
        chain: ChainSpec { chain_id: 1, genesis: Default::default() },
        enode: None,
        host: None,
        client: None,
        join: None,
        allow_protocol2: false,
    };
    let object = to_raw_value(&hello).unwrap();
    let (issued, ends) = (wall_clock(), wall_clock().plus(60_000));
    let delegation = Delegation::sign(&node, agent.public(), issued, ends);
    let envelope = Envelope::sign(&agent, delegation, PoolMethod::Connect.name(), URL, "nonce", object.get());
    let params = serde_json::to_string(&(object, envelope)).unwrap();
    Frame::Text(format!(r#"{{"id":1,"method":"vipnode_connect","params":{params}}}"#))
}

/// Serves a socket that connects. With `panics` its task then panics by itself, without it stands still.
fn served(service: &Arc<Service>, panics: bool) -> tokio::task::JoinHandle<()> {
    served_frames(service, vec![connect()], panics)
}

fn served_frames(service: &Arc<Service>, frames: Vec<Frame>, panics: bool) -> tokio::task::JoinHandle<()> {
    tokio::spawn(serve_frames(service, frames, panics))
}

fn serve_frames(service: &Arc<Service>, frames: Vec<Frame>, panics: bool) -> impl Future<Output = ()> + use<> {
    let limiter = Arc::new(ConnectionLimiter::new(&service.limits));
    let caller = Arc::new(limiter.admit([127, 0, 0, 1].into(), Instant::now()).unwrap());
    let socket = Scripted { frames: frames.into(), panics };
    let (session, rpc) = Session::new(socket, &RpcLimits::default(), Keepalive::Ping);
    let service = Arc::clone(service);
    let arrival = Arrival::Direct { local: ([127, 0, 0, 1], 1).into(), remote: [127, 0, 0, 1].into() };
    async move { serve(&service, Box::new(session), rpc, &caller, arrival, "nonce".to_owned()).await }
}

/// What the core hears until the socket is gone.
fn heard(reader: &mut InboxReader) -> Vec<Command> {
    let next = || match reader.next(Duration::ZERO)? {
        CoreMessage::Request { command, .. } | CoreMessage::OneWay(command) => Some(command),
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(next).collect()
}

#[tokio::test]
async fn a_socket_whose_task_panics_or_is_dropped_leaves_nothing_behind() {
    for panics in [true, false] {
        let (service, mut reader) = service(PoolLimits::default());
        let task = served(&service, panics);
        if !panics {
            while service.metrics.queue.get() == 0 {
                yield_now().await;
            }
            assert_eq!(service.metrics.sockets.get(), 1);
            task.abort();
        }
        let ended = task.await.unwrap_err();
        assert_eq!(ended.is_panic(), panics, "{ended}");
        assert_eq!(service.connections.open(), [], "its entry");
        assert_eq!(service.metrics.sockets.get(), 0, "its gauge");
        let heard = heard(&mut reader);
        let Some(Command::Connect { connection, .. }) = heard.first() else { panic!("{heard:?}") };
        assert_eq!(heard.last(), Some(&Command::Disconnected { connection: *connection }));
    }
}

#[tokio::test]
async fn a_large_call_ends_the_turn_of_its_socket_before_and_after_it_is_answered() {
    let limits = PoolLimits { frames_a_turn: 8, bytes_a_call: 1 << 10, burst: 1_000, ..PoolLimits::default() };
    for (bytes, most) in [(0, 8), (8 << 10, 1)] {
        let (service, _reader) = service(limits.clone());
        let ping = format!(r#"{{"id":1,"method":"vipnode_ping","params":["{}"]}}"#, "x".repeat(bytes));
        let mut serving = Box::pin(serve_frames(&service, vec![Frame::Text(ping); 20], false));
        let (mut before, mut in_a_turn) = (0, 0);
        while before < 20 {
            assert!(poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx))).await.is_pending());
            let answered = service.metrics.requests.get();
            in_a_turn = in_a_turn.max(answered - before);
            before = answered;
        }
        assert_eq!(in_a_turn, most, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_status_does_not_overtake_an_earlier_call_of_its_socket() {
    let (service, mut reader) = service(PoolLimits::default());
    let status = Frame::Text(r#"{"id":2,"method":"pool_status","params":[]}"#.to_owned());
    let task = served_frames(&service, vec![connect(), status], false);
    let mut next = async || loop {
        match reader.next(Duration::ZERO) {
            Some(message) => break message,
            None => yield_now().await,
        }
    };
    let CoreMessage::Request { command: Command::Connect { connection, .. }, .. } = next().await else { panic!() };
    let CoreMessage::Barrier { connection: of, done } = next().await else {
        panic!("the status waits for the connect")
    };
    assert_eq!(of, connection);
    done.send(()).unwrap();
    let CoreMessage::Request { command, .. } = next().await else { panic!() };
    assert!(matches!(command, Command::Status { .. }), "{command:?}");
    task.abort();
}

#[tokio::test]
async fn a_socket_whose_connect_waits_for_the_core_is_not_closed_as_unauthenticated() {
    let (service, mut reader) =
        service(PoolLimits { unauthenticated: Duration::from_millis(1), ..PoolLimits::default() });
    let waiting = served(&service, false);
    while service.metrics.queue.get() == 0 {
        yield_now().await;
    }
    let open = service.connections.open();
    assert_eq!(open.len(), 1);
    let silent = served_frames(&service, Vec::new(), false);
    while service.metrics.unauthenticated.get() == 0 {
        yield_now().await;
    }
    assert_eq!(service.connections.open(), open, "only the silent one is closed");
    // The core refuses the connect: now it is late.
    drop(reader.next(Duration::ZERO));
    while service.metrics.unauthenticated.get() == 1 {
        yield_now().await;
    }
    assert_eq!(service.connections.open(), []);
    waiting.abort();
    silent.abort();
}

#[tokio::test]
async fn the_task_of_a_socket_is_small() {
    let (service, _reader) = service(PoolLimits::default());
    let limiter = Arc::new(ConnectionLimiter::new(&service.limits));
    let caller = limiter.admit([127, 0, 0, 1].into(), Instant::now()).unwrap();
    let task = async {
        let serving = pin!(serve_frames(&service, Vec::new(), false));
        fair_poll(&caller, serving).await;
    };
    let bytes = size_of_val(&task);
    assert!(bytes <= 4_500, "{bytes} bytes");
}
