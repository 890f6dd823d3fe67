//! One WebSocket: requests in, answers out, until either side ends it. One task does all of it; the
//! mind answers straight into the session's queue.

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
    agent_call::AgentCall,
    call::{self, Call},
    door::Guest,
    errors,
    gateway::{Gateway, Request},
    protocol2::{self, SignedBy},
    rate::{Pace, Rate, SharedRate},
    reach,
    route::Route,
    sockets::Line,
    turns::Turn,
};

/// Serves an open WebSocket to its end.
pub(crate) async fn serve<S, E>(
    gateway: &Arc<Gateway>,
    mut session: Box<Session<S>>,
    rpc: RpcPeer,
    guest: &Guest,
    challenge: String,
) where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Display,
{
    let peer = gateway.sockets.add(Line::Socket(rpc.clone()));
    let rate = || Rate::new(gateway.limits.calls_a_second, gateway.limits.burst, Instant::now());
    let (rate, noise) = (rate(), rate());
    let mut socket = Socket { gateway, rpc, peer, guest, challenge, rate, noise, claimed: None, signed_by: None };
    let reason = match socket.serve(&mut session).await {
        Ok(never) => match never {},
        Err(reason) => reason,
    };
    gateway.sockets.remove(peer);
    if socket.is_known() {
        gateway.note(Command::Disconnected { peer });
    }
    gateway.metrics.dropped_answers.inc_by(socket.rpc.dropped_answers());
    tracing::debug!(address = %guest.address, reason, "socket ends");
    // Few sockets end at a time, and none waits for it before.
    Box::pin(session.end(reason)).await;
}

struct Socket<'a> {
    gateway: &'a Arc<Gateway>,
    rpc: RpcPeer,
    peer: ConnectionId,
    guest: &'a Guest,
    challenge: String,
    rate: Rate,
    /// The same for frames that are no calls.
    noise: Rate,
    /// Who this is, by a signature that holds; the mind may still say no.
    claimed: Option<Identity>,
    /// The node whose key signs the calls here, by protocol 2.
    signed_by: Option<NodeId>,
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
                        if !self.gateway.sockets.is_confirmed(self.peer) {
                            return Err(self.is_late());
                        }
                        late = None;
                        continue;
                    }
                },
            };
            match heard {
                Heard::RoundTrip(rtt_us) if self.is_known() => {
                    self.gateway.note(Command::Latency { peer: self.peer, rtt_us });
                }
                Heard::RoundTrip(_) => {}
                Heard::Noise | Heard::Incoming(Incoming::Notification { .. }) => {
                    let pace = self.noise.take(Instant::now());
                    // It needs no answer: that it waited is enough.
                    let _waited = self.paced(session, pace, &self.guest.block.noise).await?;
                }
                Heard::Incoming(Incoming::Request { method, params, responder }) => {
                    self.request(session, &method, &params, responder).await?;
                }
            }
            if late.is_some() && self.gateway.sockets.is_confirmed(self.peer) {
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

    /// Answers a request, or hands it to the mind. Fails where the socket ends meanwhile.
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
        if let Err(error) = self.paced(session, pace, &self.guest.block.calls).await? {
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
            Some(Route::Node) => match self.turn(session).await? {
                Ok(_turn) => self.node_call(method, params).map_err(WireError::for_protocol2),
                Err(error) => Err(error.for_protocol2()),
            },
            Some(Route::Wallet) => {
                let turn = self.turn(session).await?;
                responder.respond_raw(turn.and_then(|_turn| protocol2::wallet(method, params)));
                return Ok(());
            }
            Some(Route::Connect) => match self.turn(session).await? {
                Ok(_turn) => self.connect(params).await,
                Err(error) => Err(error),
            },
            Some(Route::Agent) => self.agent_call(method, params),
            None => Err(errors::unknown_method(method)),
        };
        let request = match made {
            Ok(request) => request,
            Err(error) => {
                self.refuse(responder, error);
                return Ok(());
            }
        };
        match self.gateway.permit(&self.guest.block, &request) {
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
        neighbours: &SharedRate,
    ) -> Result<Result<(), WireError>, String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        let (limits, now) = (&self.gateway.limits, Instant::now());
        let pause = || self.guest.block.pause(now, limits.flood_pause);
        let (wait, paced) = match pace {
            Pace::TooFast { refused, .. } if refused >= limits.flood => {
                return Err("too many calls a second, again and again".to_owned());
            }
            Pace::TooFast { retry_ms, .. } => (pause(), Err(errors::too_fast(retry_ms))),
            Pace::Fine => match neighbours.reserve(now, limits.block_wait) {
                Ok(wait) => (wait, Ok(())),
                Err(retry_ms) => (pause(), Err(errors::block_too_fast(retry_ms))),
            },
        };
        if !wait.is_zero() {
            session.work_while(Box::pin(sleep(wait))).await?;
        }
        Ok(paced)
    }

    /// Waits for a turn to check a signature. Fails where the socket ends meanwhile.
    async fn turn<S, E>(&self, session: &mut Session<S>) -> Result<Result<Turn, WireError>, String>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Display,
    {
        match self.gateway.turn(&self.guest.block) {
            Ok(turn) => Ok(Ok(turn)),
            Err(wait) => session.work_while(Box::pin(self.gateway.wait_for_turn(wait))).await,
        }
    }

    /// No more than `requests_a_socket` of these can wait: the session answers "busy" beyond.
    fn status(&self, responder: Responder) {
        let (gateway, peer) = (Arc::clone(self.gateway), self.peer);
        tokio::spawn(async move {
            let status = gateway.status(gateway.sockets.is_confirmed(peer)).await;
            if status.is_err() {
                gateway.metrics.errors.inc();
            }
            responder.respond_raw(status);
        });
    }

    /// As many can wait as of [`Socket::status`].
    fn reach(&self, params: &RawValue, responder: Responder) {
        let (gateway, address, block) = (Arc::clone(self.gateway), self.guest.address, Arc::clone(&self.guest.block));
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
            return Err(errors::unauthorized(
                "the nonce is not the challenge of this connection",
                "sign the value of the header vipnode-challenge of this very connection",
            ));
        }
        let other = self.claimed.as_ref().is_some_and(|claimed| claimed.node != identity.node);
        if other || self.signed_by.is_some() {
            return Err(errors::other_node());
        }
        let hello = call::admitted(self.gateway, &call, &identity, nonce)?;
        let (peer, address) = (self.peer, self.guest.address);
        let make = |request| Command::Connect { peer, request, identity, address, callable: true, hello };
        let request = self.gateway.begin(make)?;
        self.claimed = Some(identity);
        Ok(request)
    }

    /// A call of protocol 2. One socket speaks for one node, in one protocol.
    fn node_call(&mut self, method: &str, params: &RawValue) -> Result<Request, WireError> {
        let call = SignedBy::read(method, params, self.gateway)?;
        if self.claimed.is_some() || self.signed_by.is_some_and(|node| node != call.node) {
            return Err(errors::other_node());
        }
        if self.signed_by.is_none() && !call.connects() {
            return Err(errors::not_authenticated());
        }
        self.signed_by = Some(call.node);
        self.gateway.begin(|request| call.command(self.peer, self.guest, true, request))
    }

    fn is_known(&self) -> bool {
        self.claimed.is_some() || self.signed_by.is_some()
    }

    /// A call of an agent that said who it is; the mind knows whether it was believed.
    fn agent_call(&self, method: &str, params: &RawValue) -> Result<Request, WireError> {
        if self.claimed.is_none() {
            return Err(errors::not_authenticated());
        }
        let call = AgentCall::read(method, &Call::read(params)?)?;
        self.gateway.begin(|request| call.command(self.peer, request))
    }
}
