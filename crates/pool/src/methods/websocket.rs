//! One WebSocket: requests in, answers out, until either side ends it. One task does all of it; the
//! core answers straight into the session's queue.

use std::{fmt::Display, sync::Arc, time::Instant};

use futures_util::{Sink, Stream};
use serde_json::value::RawValue;
use tokio::{task::yield_now, time::sleep};
use vipnode_pool_core::{Command, ConnectionId, Identity};
use vipnode_rpc::{Frame, Heard, Incoming, Responder, RpcPeer, Session};
use vipnode_types::{
    NodeId,
    wire::{WireError, method},
};

use crate::{
    auth::signed_params::{self, Call},
    engine::{
        connections::{ConnectionEntry, Transport},
        gateway::{Gateway, Request},
    },
    error,
    fairness::{
        connection_limiter::Caller,
        fair_semaphore::FairPermit,
        token_bucket::{Pace, SharedTokenBucket, TokenBucket},
    },
    methods::{
        agent_call::AgentCall,
        dispatch::Route,
        protocol2::{self, SignedBy},
        reach,
    },
    metrics::Counted,
};

/// Serves an open WebSocket to its end.
pub(crate) async fn serve<S, E>(
    gateway: &Arc<Gateway>,
    mut session: Box<Session<S>>,
    rpc: RpcPeer,
    caller: &Caller,
    challenge: String,
) where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Display,
{
    let _open = Counted::by(&gateway.metrics.sockets);
    let entry = gateway.connections.add(Transport::WebSocket(rpc.clone()));
    let rate = || TokenBucket::new(gateway.limits.calls_a_second, gateway.limits.burst, Instant::now());
    let (rate, noise) = (rate(), rate());
    let mut socket = Socket { gateway, rpc, entry, caller, challenge, rate, noise, claimed: None, signed_by: None };
    let reason = match socket.serve(&mut session).await {
        Ok(never) => match never {},
        Err(reason) => reason,
    };
    // Before the farewell, so that nobody waits for it.
    drop(socket);
    tracing::debug!(address = %caller.address, reason, "socket ends");
    // Few sockets end at a time, and none needs the room before.
    Box::pin(session.end(reason)).await;
}

struct Socket<'a> {
    gateway: &'a Arc<Gateway>,
    rpc: RpcPeer,
    entry: ConnectionEntry,
    caller: &'a Caller,
    challenge: String,
    rate: TokenBucket,
    /// The same for frames that are no calls.
    noise: TokenBucket,
    /// Who this is, by a signature that holds; the core may still say no.
    claimed: Option<Identity>,
    /// The node whose key signs the calls here, by protocol 2.
    signed_by: Option<NodeId>,
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.gateway.metrics.dropped_answers.inc_by(self.rpc.dropped_answers());
    }
}

impl Socket<'_> {
    /// Serves until the end; returns the reason.
    async fn serve<S, E>(&mut self, session: &mut Session<S>) -> Result<std::convert::Infallible, String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        let limit = self.gateway.limits.unauthenticated;
        let mut late = Some(Box::pin(sleep(limit)));
        let mut in_a_row = 0;
        loop {
            let heard = match &mut late {
                None => session.next().await?,
                Some(timer) => tokio::select! {
                    biased;
                    heard = session.next() => heard?,
                    () = timer => {
                        if !self.gateway.connections.is_confirmed(self.peer()) {
                            return Err(self.is_late());
                        }
                        late = None;
                        continue;
                    }
                },
            };
            match heard {
                Heard::RoundTrip(rtt_us) if self.entry.is_known() => {
                    self.gateway.note(Command::Latency { peer: self.peer(), rtt_us });
                }
                Heard::RoundTrip(_) => {}
                Heard::Noise | Heard::Incoming(Incoming::Notification { .. }) => {
                    let pace = self.noise.take(Instant::now());
                    // It needs no answer: that it waited is enough.
                    let _waited = self.paced(session, pace, &self.caller.block.noise).await?;
                }
                Heard::Incoming(Incoming::Request { method, params, responder }) => {
                    self.request(session, &method, &params, responder).await?;
                }
            }
            if late.is_some() && self.gateway.connections.is_confirmed(self.peer()) {
                late = None;
            }
            in_a_row += 1;
            if in_a_row >= self.gateway.limits.frames_a_turn {
                in_a_row = 0;
                yield_now().await;
            }
        }
    }

    fn is_late(&self) -> String {
        self.gateway.metrics.unauthenticated.inc();
        format!(
            "nobody said who this is within {} s: begin with a signed vipnode_connect",
            self.gateway.limits.unauthenticated.as_secs()
        )
    }

    fn refuse(&self, responder: Responder, error: WireError) {
        self.gateway.metrics.errors.inc();
        responder.respond::<()>(Err(error));
    }

    /// Answers a request, or hands it to the core. Fails where the socket ends meanwhile.
    async fn request<S, E>(
        &mut self,
        session: &mut Session<S>,
        method: &str,
        params: &RawValue,
        responder: Responder,
    ) -> Result<(), String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        self.gateway.metrics.requests.inc();
        let pace = self.rate.take(Instant::now());
        if let Err(error) = self.paced(session, pace, &self.caller.block.calls).await? {
            self.gateway.metrics.too_fast.inc();
            self.refuse(responder, error);
            return Ok(());
        }
        let made = match Route::of(method, params) {
            Some(Route::Ping) => {
                responder.respond(Ok("pong"));
                return Ok(());
            }
            Some(Route::Status) => {
                self.status(responder);
                return Ok(());
            }
            Some(Route::Reach) => {
                self.reach(params, responder);
                return Ok(());
            }
            Some(Route::Node) => match self.acquire_check(session).await? {
                Ok(_permit) => self.node_call(method, params).map_err(WireError::for_protocol2),
                Err(error) => Err(error.for_protocol2()),
            },
            Some(Route::Wallet) => {
                let permit = self.acquire_check(session).await?;
                responder.respond_raw(permit.and_then(|_permit| protocol2::wallet(method, params)));
                return Ok(());
            }
            Some(Route::Connect) => match self.acquire_check(session).await? {
                Ok(_permit) => self.connect(params).await,
                Err(error) => Err(error),
            },
            Some(Route::Agent) => self.agent_call(method, params),
            None => Err(error::unknown_method(method)),
        };
        let request = match made {
            Ok(request) => request,
            Err(error) => {
                self.refuse(responder, error);
                return Ok(());
            }
        };
        match self.gateway.permit(&self.caller.block, &request) {
            Ok(permit) => self.gateway.hand_for(request, responder, permit),
            Err(error) => self.refuse(responder, error),
        }
        Ok(())
    }

    /// Slows a socket down that is too fast, by itself or with its neighbours: it is not read meanwhile, which
    /// costs nothing and holds back the other side. Fails where it floods, or ends meanwhile.
    async fn paced<S, E>(
        &self,
        session: &mut Session<S>,
        pace: Pace,
        neighbours: &SharedTokenBucket,
    ) -> Result<Result<(), WireError>, String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        let (limits, now) = (&self.gateway.limits, Instant::now());
        let pause = || self.caller.block.pause(now, limits.flood_pause);
        let (wait, paced) = match pace {
            Pace::TooFast { refused, .. } if refused >= limits.flood => {
                return Err("too many calls a second, again and again".to_owned());
            }
            Pace::TooFast { retry_ms, .. } => (pause(), Err(error::too_fast(retry_ms))),
            Pace::Fine => match neighbours.reserve(now, limits.block_wait) {
                Ok(wait) => (wait, Ok(())),
                Err(retry_ms) => (pause(), Err(error::block_too_fast(retry_ms))),
            },
        };
        if !wait.is_zero() {
            session.work_while(Box::pin(sleep(wait))).await?;
        }
        Ok(paced)
    }

    /// Waits for a permit to check a signature. Fails where the socket ends meanwhile.
    async fn acquire_check<S, E>(&self, session: &mut Session<S>) -> Result<Result<FairPermit, WireError>, String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        match self.gateway.try_check(&self.caller.block) {
            Ok(permit) => Ok(Ok(permit)),
            Err(wait) => session.work_while(Box::pin(self.gateway.wait_for_check(wait))).await,
        }
    }

    /// No more than `requests_a_socket` of these can wait: the session answers "busy" beyond.
    fn status(&self, responder: Responder) {
        let (gateway, peer) = (Arc::clone(self.gateway), self.peer());
        tokio::spawn(async move {
            let status = gateway.status(gateway.connections.is_confirmed(peer)).await;
            if status.is_err() {
                gateway.metrics.errors.inc();
            }
            responder.respond_raw(status);
        });
    }

    /// As many can wait as of [`Socket::status`].
    fn reach(&self, params: &RawValue, responder: Responder) {
        let (gateway, address, block) = (Arc::clone(self.gateway), self.caller.address, Arc::clone(&self.caller.block));
        let (challenge, params) = (self.challenge.clone(), params.to_owned());
        tokio::spawn(async move {
            let reached = reach::answer(&gateway, address, &block, &challenge, &params).await;
            if reached.is_err() {
                gateway.metrics.errors.inc();
            }
            responder.respond_raw(reached);
        });
    }

    async fn connect(&mut self, params: &RawValue) -> Result<Request, WireError> {
        let call = Call::read(params)?;
        let (identity, nonce) = call.verify(self.gateway, method::CONNECT).await?;
        if nonce != self.challenge {
            return Err(error::unauthorized(
                "the nonce is not the challenge of this connection",
                "sign the value of the header vipnode-challenge of this very connection",
            ));
        }
        let other = self.claimed.as_ref().is_some_and(|claimed| claimed.node != identity.node);
        if other || self.signed_by.is_some() {
            return Err(error::other_node());
        }
        let hello = signed_params::admitted(self.gateway, &call, &identity, nonce)?;
        let (peer, address) = (self.peer(), self.caller.address);
        let make = |request| Command::Connect { peer, request, identity, address, callable: true, hello };
        let request = self.gateway.begin(make)?;
        self.claimed = Some(identity);
        self.entry.set_known();
        Ok(request)
    }

    /// A call of protocol 2. One socket speaks for one node, in one protocol.
    fn node_call(&mut self, method: &str, params: &RawValue) -> Result<Request, WireError> {
        let call = SignedBy::read(method, params, self.gateway)?;
        if self.claimed.is_some() || self.signed_by.is_some_and(|node| node != call.node) {
            return Err(error::other_node());
        }
        if self.signed_by.is_none() && !call.connects() {
            return Err(error::not_authenticated());
        }
        self.signed_by = Some(call.node);
        self.entry.set_known();
        self.gateway.begin(|request| call.command(self.peer(), self.caller, true, request))
    }

    const fn peer(&self) -> ConnectionId {
        self.entry.peer()
    }

    /// A call of an agent that said who it is; the core knows whether it was believed.
    fn agent_call(&self, method: &str, params: &RawValue) -> Result<Request, WireError> {
        if self.claimed.is_none() {
            return Err(error::not_authenticated());
        }
        let call = AgentCall::read(method, &Call::read(params)?)?;
        self.gateway.begin(|request| call.command(self.peer(), request))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use serde_json::value::to_raw_value;
    use vipnode_rpc::{Keepalive, RpcLimits};
    use vipnode_types::{AgentKey, ChainSpec, Delegation, Ms, NodeKey, signed::Envelope, wire::ConnectRequest};

    use super::*;
    use crate::{
        PoolConfig, PoolMetrics,
        auth::audience::Audience,
        engine::{
            clock::wall,
            connections::Connections,
            inbox::{InboxReader, Message},
        },
        fairness::connection_limiter::ConnectionLimiter,
    };

    const URL: &str = "ws://127.0.0.1:1";

    /// Brings some frames, and then nothing or a panic.
    struct Scripted {
        frames: VecDeque<Frame>,
        panics: bool,
    }

    impl Stream for Scripted {
        type Item = Result<Frame, String>;

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

    fn gateway() -> (Arc<Gateway>, InboxReader) {
        let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
        let metrics = PoolMetrics::default().shared();
        let (inbox, items) = crate::engine::inbox::inbox(metrics.queue.clone());
        let audience = Audience::new(config.bind, &[], None);
        let connections = Arc::new(Connections::new(inbox.clone()));
        (Arc::new(Gateway::new(config, audience, connections, metrics, inbox)), items)
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
        let (issued, ends) = (Ms::ZERO, wall().plus(60_000));
        let delegation = Delegation::sign(&node, agent.public(), issued, ends);
        let envelope = Envelope::sign(&agent, delegation, method::CONNECT, URL, "nonce", object.get());
        let params = serde_json::to_string(&(object, envelope)).unwrap();
        Frame::Text(format!(r#"{{"id":1,"method":"vipnode_connect","params":{params}}}"#))
    }

    /// Serves a socket that connects. With `panics` its task then panics by itself, without it stands still.
    fn served(gateway: &Arc<Gateway>, panics: bool) -> tokio::task::JoinHandle<()> {
        let limiter = Arc::new(ConnectionLimiter::new(&gateway.limits));
        let caller = limiter.admit([127, 0, 0, 1].into(), Instant::now()).unwrap();
        let socket = Scripted { frames: VecDeque::from([connect()]), panics };
        let (session, rpc) = Session::new(socket, &RpcLimits::default(), Keepalive::Ping);
        let gateway = Arc::clone(gateway);
        tokio::spawn(async move { serve(&gateway, Box::new(session), rpc, &caller, "nonce".to_owned()).await })
    }

    /// What the core hears until the socket is gone.
    fn heard(items: &mut InboxReader) -> Vec<Command> {
        let next = || match items.next(Duration::ZERO)? {
            Message::Request { command, .. } | Message::Note(command) => Some(command),
            other => panic!("{other:?}"),
        };
        std::iter::from_fn(next).collect()
    }

    #[tokio::test]
    async fn a_socket_whose_task_panics_or_is_dropped_leaves_nothing_behind() {
        for panics in [true, false] {
            let (gateway, mut items) = gateway();
            let task = served(&gateway, panics);
            if !panics {
                while gateway.metrics.queue.get() == 0 {
                    yield_now().await;
                }
                assert_eq!(gateway.metrics.sockets.get(), 1);
                task.abort();
            }
            let ended = task.await.unwrap_err();
            assert_eq!(ended.is_panic(), panics, "{ended}");
            assert_eq!(gateway.connections.peers(), [], "its entry");
            assert_eq!(gateway.metrics.sockets.get(), 0, "its gauge");
            let heard = heard(&mut items);
            let Some(Command::Connect { peer, .. }) = heard.first() else { panic!("{heard:?}") };
            assert_eq!(heard.last(), Some(&Command::Disconnected { peer: *peer }));
        }
    }
}
