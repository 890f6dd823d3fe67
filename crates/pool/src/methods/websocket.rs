//! One WebSocket: requests in, answers out, until either side ends it. One task does all of it; the
//! core answers straight into the session's queue.

use std::{convert::Infallible, fmt::Display, net::IpAddr, sync::Arc, time::Instant};

use futures_util::{Sink, Stream};
use serde_json::value::RawValue;
use tokio::{task::yield_now, time::sleep};
use vipnode_pool_core::{Command, ConnectionId, Identity};
use vipnode_rpc::{Frame, Heard, Incoming, Responder, RpcHandle, Session, SessionEnd};
use vipnode_types::{
    NodeId, PoolMethod,
    wire::{ReachRequest, WireError},
};

use crate::{
    auth::SignedParams,
    close_reason::CloseReason,
    engine::{ConnectionEntry, Transport, wall_clock},
    error::Refusal,
    fairness::{Caller, FairPermit, Pace, SharedTokenBucket, TokenBucket},
    methods::{
        Service,
        dispatch::{Client, Dispatched, Failure, dispatch},
        reach,
        request::{AgentCall, AgentSender},
    },
    metrics::Counted,
};

/// Serves an open WebSocket to its end. `challenge` is what a connect here has to sign.
pub(crate) async fn serve<S, E>(
    service: &Arc<Service>,
    mut session: Box<Session<S>>,
    rpc: RpcHandle,
    caller: &Arc<Caller>,
    challenge: String,
) where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Display,
{
    let _open = Counted::by(&service.metrics.sockets);
    let entry = service.connections.add(Transport::WebSocket(rpc.clone()));
    let rate = || TokenBucket::new(service.limits.calls_a_second, service.limits.burst, Instant::now());
    let (rate, noise) = (rate(), rate());
    let mut socket = Socket { service, rpc, entry, caller, challenge, rate, noise, claimed: None, signed_by: None };
    let Err(end) = socket.serve(&mut session).await;
    // Before the farewell, so that nobody waits for it.
    drop(socket);
    tracing::debug!(address = %caller.address, reason = %end, "socket ends");
    // Few sockets end at a time, and none needs the room before.
    Box::pin(session.end(end)).await;
}

struct Socket<'a> {
    service: &'a Arc<Service>,
    rpc: RpcHandle,
    entry: ConnectionEntry,
    caller: &'a Arc<Caller>,
    challenge: String,
    rate: TokenBucket,
    /// The same for frames that are not calls.
    noise: TokenBucket,
    /// Who this is, by a signature that holds; the core may still refuse it.
    claimed: Option<Identity>,
    /// The node whose key signs the calls here, by protocol 2.
    signed_by: Option<NodeId>,
}

/// A socket that makes a call, and its session, which works on while something is waited for.
struct SocketClient<'a, 'b, S> {
    socket: &'a mut Socket<'b>,
    session: &'a mut Session<S>,
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.service.metrics.dropped_answers.inc_by(self.rpc.dropped_answers());
    }
}

impl Socket<'_> {
    /// Serves until the end; returns the reason.
    async fn serve<S, E>(&mut self, session: &mut Session<S>) -> Result<Infallible, SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        let limit = self.service.limits.unauthenticated;
        let mut late = Some(Box::pin(sleep(limit)));
        let mut in_a_row = 0;
        loop {
            let heard = match &mut late {
                None => session.next().await?,
                Some(timer) => tokio::select! {
                    biased;
                    heard = session.next() => heard?,
                    () = timer => {
                        if !self.service.connections.is_confirmed(self.peer()) {
                            return Err(self.is_late());
                        }
                        late = None;
                        continue;
                    }
                },
            };
            match heard {
                Heard::RoundTrip(rtt_us) if self.entry.is_known() => {
                    self.service.gateway.note(Command::Latency { connection: self.peer(), rtt_us });
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
            if late.is_some() && self.service.connections.is_confirmed(self.peer()) {
                late = None;
            }
            in_a_row += 1;
            if in_a_row >= self.service.limits.frames_a_turn {
                in_a_row = 0;
                yield_now().await;
            }
        }
    }

    fn is_late(&self) -> SessionEnd {
        self.service.metrics.unauthenticated.inc();
        CloseReason::Unauthenticated { limit_s: self.service.limits.unauthenticated.as_secs() }.into()
    }

    fn refuse(&self, responder: Responder, error: WireError) {
        self.service.metrics.errors.inc();
        responder.respond::<()>(Err(error));
    }

    /// Answers a request, or hands it to the core. Fails where the socket ends meanwhile.
    async fn request<S, E>(
        &mut self,
        session: &mut Session<S>,
        method: &str,
        params: &RawValue,
        responder: Responder,
    ) -> Result<(), SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        self.service.metrics.requests.inc();
        let pace = self.rate.take(Instant::now());
        if let Err(error) = self.paced(session, pace, &self.caller.block.calls).await? {
            self.service.metrics.too_fast.inc();
            self.refuse(responder, error.into());
            return Ok(());
        }
        let dispatched = dispatch(self.service, &mut SocketClient { socket: self, session }, method, params).await;
        match dispatched {
            Ok(Dispatched::Answer(answer)) => responder.respond_raw(Ok(answer)),
            Ok(Dispatched::Status) => self.status(responder),
            Ok(Dispatched::Reach(request)) => self.reach(request, responder),
            Ok(Dispatched::Command(command)) => match self.service.gateway.permit(&self.caller.block, &command) {
                Ok(permit) => self.service.gateway.hand_over(command, responder, permit),
                Err(error) => self.refuse(responder, error),
            },
            Err(Failure::Refused(error)) => self.refuse(responder, error),
            Err(Failure::Ended(end)) => return Err(end),
        }
        Ok(())
    }

    /// Slows a socket down that is too fast, by itself or together with its address block: it is not read meanwhile, which
    /// costs nothing and holds back the other side. Fails where it floods, or ends meanwhile.
    async fn paced<S, E>(
        &self,
        session: &mut Session<S>,
        pace: Pace,
        neighbors: &SharedTokenBucket,
    ) -> Result<Result<(), Refusal>, SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        let (limits, now) = (&self.service.limits, Instant::now());
        let pause = || self.caller.block.pause(now, limits.flood_pause);
        let (wait, paced) = match pace {
            Pace::TooFast { refused, .. } if refused >= limits.flood => {
                return Err(CloseReason::Flood.into());
            }
            Pace::TooFast { retry_ms, .. } => (pause(), Err(Refusal::TooFast { retry_ms })),
            Pace::Fine => match neighbors.reserve(now, limits.block_wait) {
                Ok(wait) => (wait, Ok(())),
                Err(retry_ms) => (pause(), Err(Refusal::BlockTooFast { retry_ms })),
            },
        };
        if !wait.is_zero() {
            session.work_while(Box::pin(sleep(wait))).await?;
        }
        Ok(paced)
    }

    /// No more than `requests_a_socket` of these can wait: the session answers "busy" beyond.
    fn status(&self, responder: Responder) {
        let (service, peer) = (Arc::clone(self.service), self.peer());
        tokio::spawn(async move {
            let status = service.status(service.connections.is_confirmed(peer)).await;
            if status.is_err() {
                service.metrics.errors.inc();
            }
            responder.respond_raw(status);
        });
    }

    /// As many can wait as of [`Socket::status`].
    fn reach(&self, request: ReachRequest, responder: Responder) {
        let (service, caller) = (Arc::clone(self.service), Arc::clone(self.caller));
        let challenge = self.challenge.clone();
        tokio::spawn(async move {
            let reached = reach::answer(&service, &caller, &challenge, request).await;
            if reached.is_err() {
                service.metrics.errors.inc();
            }
            responder.respond_raw(reached);
        });
    }

    const fn peer(&self) -> ConnectionId {
        self.entry.peer()
    }

    /// Verifies a connect by its signature over the challenge.
    async fn connect(
        &mut self,
        signed: &SignedParams<'_>,
        call: Result<AgentCall, WireError>,
    ) -> Result<(Identity, AgentCall), WireError> {
        let (identity, nonce) = signed.verify(&self.service.access, PoolMethod::Connect.name(), wall_clock()).await?;
        if nonce != self.challenge {
            return Err(Refusal::Challenge.into());
        }
        let other = self.claimed.as_ref().is_some_and(|claimed| claimed.node != identity.node);
        if other || self.signed_by.is_some() {
            return Err(Refusal::OtherNode.into());
        }
        let call = call?;
        if let AgentCall::Connect(hello) = &call {
            self.service.access.admit(&identity, hello, nonce)?;
        }
        self.claimed = Some(identity);
        self.entry.set_known();
        Ok((identity, call))
    }
}

impl<S, E> Client for SocketClient<'_, '_, S>
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Display,
{
    type Ended = SessionEnd;

    async fn check_permit(&mut self) -> Result<FairPermit, Failure<SessionEnd>> {
        let service = self.socket.service;
        match service.try_check(&self.socket.caller.block) {
            Ok(permit) => Ok(permit),
            Err(wait) => {
                let waited = self.session.work_while(Box::pin(service.wait_for_check(wait))).await;
                Ok(waited.map_err(Failure::Ended)??)
            }
        }
    }

    /// Only a connect is signed; later calls are made by whom it presented, and the core knows whether it accepted that.
    async fn agent(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
        call: Result<AgentCall, WireError>,
    ) -> Result<(AgentSender, AgentCall), Failure<SessionEnd>> {
        let (identity, call) = if method == PoolMethod::Connect {
            let _permit = self.check_permit().await?;
            self.socket.connect(signed, call).await?
        } else {
            (self.socket.claimed.ok_or(Refusal::NotAuthenticated)?, call?)
        };
        let (address, callable) = self.origin();
        Ok((AgentSender { peer: self.socket.peer(), identity, address, callable }, call))
    }

    fn origin(&self) -> (IpAddr, bool) {
        (self.socket.caller.address, true)
    }

    /// One socket speaks for one node, in one protocol.
    fn node(&mut self, node: NodeId, connects: bool) -> Result<ConnectionId, WireError> {
        let socket = &mut *self.socket;
        if socket.claimed.is_some() || socket.signed_by.is_some_and(|other| other != node) {
            return Err(Refusal::OtherNode.into());
        }
        if socket.signed_by.is_none() && !connects {
            return Err(Refusal::NotAuthenticated.into());
        }
        socket.signed_by = Some(node);
        socket.entry.set_known();
        Ok(socket.peer())
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
        PoolLimits,
        engine::{InboxReader, Message},
        fairness::ConnectionLimiter,
        methods::service::tests::service,
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
        let (issued, ends) = (Ms::ZERO, wall_clock().plus(60_000));
        let delegation = Delegation::sign(&node, agent.public(), issued, ends);
        let envelope = Envelope::sign(&agent, delegation, PoolMethod::Connect.name(), URL, "nonce", object.get());
        let params = serde_json::to_string(&(object, envelope)).unwrap();
        Frame::Text(format!(r#"{{"id":1,"method":"vipnode_connect","params":{params}}}"#))
    }

    /// Serves a socket that connects. With `panics` its task then panics by itself, without it stands still.
    fn served(service: &Arc<Service>, panics: bool) -> tokio::task::JoinHandle<()> {
        let limiter = Arc::new(ConnectionLimiter::new(&service.limits));
        let caller = Arc::new(limiter.admit([127, 0, 0, 1].into(), Instant::now()).unwrap());
        let socket = Scripted { frames: VecDeque::from([connect()]), panics };
        let (session, rpc) = Session::new(socket, &RpcLimits::default(), Keepalive::Ping);
        let service = Arc::clone(service);
        tokio::spawn(async move { serve(&service, Box::new(session), rpc, &caller, "nonce".to_owned()).await })
    }

    /// What the core hears until the socket is gone.
    fn heard(reader: &mut InboxReader) -> Vec<Command> {
        let next = || match reader.next(Duration::ZERO)? {
            Message::Request { command, .. } | Message::Note(command) => Some(command),
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
            assert_eq!(service.connections.peers(), [], "its entry");
            assert_eq!(service.metrics.sockets.get(), 0, "its gauge");
            let heard = heard(&mut reader);
            let Some(Command::Connect { connection: peer, .. }) = heard.first() else { panic!("{heard:?}") };
            assert_eq!(heard.last(), Some(&Command::Disconnected { connection: *peer }));
        }
    }
}
