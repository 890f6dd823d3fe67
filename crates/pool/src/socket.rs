//! One WebSocket: requests in, answers out, until either side ends it.

use std::{net::IpAddr, pin::pin, sync::Arc, time::Instant};

use futures_util::{FutureExt as _, StreamExt, stream::FuturesUnordered};
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::sleep;
use vipnode_core::{Command, Identity, Peer, Reply};
use vipnode_rpc::{Incoming, Opened, Responder, RpcPeer};
use vipnode_types::wire::{ByeRequest, WireError, method};

use crate::{
    call::{self, Call},
    errors,
    gateway::{Asked, Gateway, reply_text},
    rate::{Pace, Rate},
    sockets::{Leave, Line},
};

/// Serves an open WebSocket to its end.
pub(crate) async fn serve(gateway: Arc<Gateway>, mut opened: Opened, address: IpAddr, challenge: String) {
    let leave = Leave::default();
    let peer = gateway.sockets.add(Line { rpc: Some(opened.peer.clone()), leave: leave.clone() });
    let limits = &gateway.limits;
    let mut socket = Socket {
        rate: Rate::new(limits.calls_a_second, limits.burst, Instant::now()),
        rpc: opened.peer.clone(),
        gateway: &gateway,
        peer,
        address,
        challenge,
        claimed: None,
        authenticated: false,
    };
    let mut pending = FuturesUnordered::new();
    let mut late = pin!(sleep(limits.unauthenticated));
    loop {
        tokio::select! {
            biased;
            Some(authenticated) = pending.next() => socket.authenticated |= authenticated,
            reason = leave.asked() => {
                // What is answered already goes out before the end.
                while pending.next().now_or_never().flatten().is_some() {}
                opened.peer.close(&reason);
                break;
            }
            _ = opened.closed.wait() => break,
            () = &mut late, if !socket.authenticated => {
                gateway.metrics.unauthenticated.inc();
                opened.peer.close(&format!(
                    "nobody said who this is within {} s: begin with a signed vipnode_connect",
                    limits.unauthenticated.as_secs()
                ));
                break;
            }
            Ok(()) = opened.rtt_us.changed(), if socket.authenticated => {
                let rtt_us = *opened.rtt_us.borrow_and_update();
                gateway.note(Command::Latency { peer, rtt_us });
            }
            incoming = opened.incoming.recv() => {
                let Some(incoming) = incoming else { break };
                let Incoming::Request { method, params, responder } = incoming else { continue };
                // No more than `requests_a_socket` can be pending: the connection answers "busy" beyond.
                if let Some(asked) = socket.request(&method, &params, responder).await {
                    pending.push(asked.finish(&gateway));
                }
            }
        }
    }
    let reason = opened.closed.wait().await;
    tracing::debug!(%address, reason, "socket ended");
    gateway.metrics.dropped_answers.inc_by(opened.peer.dropped_answers());
    gateway.sockets.remove(peer);
    if socket.claimed.is_some() {
        gateway.note(Command::Disconnected { peer });
    }
}

struct Socket<'a> {
    gateway: &'a Gateway,
    rpc: RpcPeer,
    peer: Peer,
    address: IpAddr,
    challenge: String,
    rate: Rate,
    /// Who this is, by a signature that holds; the mind may still say no.
    claimed: Option<Identity>,
    /// The mind said yes.
    authenticated: bool,
}

/// A request that is yet to be answered.
struct Pending {
    of: Awaited,
    responder: Responder,
}

enum Awaited {
    Mind(Asked),
    Status,
}

impl Pending {
    /// Answers; true where a connect was taken.
    async fn finish(self, gateway: &Gateway) -> bool {
        let (answer, connected) = match self.of {
            Awaited::Status => (gateway.status().await, false),
            Awaited::Mind(asked) => {
                let reply = asked.answer().await;
                let connected = matches!(reply, Ok(Reply::Connect(_)));
                (reply.and_then(|reply| reply_text(&reply)), connected)
            }
        };
        if answer.is_err() {
            gateway.metrics.errors.inc();
        }
        self.responder.respond_raw(answer);
        connected
    }
}

impl Socket<'_> {
    fn refuse(&self, responder: Responder, error: WireError) {
        self.gateway.metrics.errors.inc();
        responder.respond::<()>(Err(error));
    }

    /// Takes up a request; `None` where it is answered already.
    async fn request(&mut self, method: &str, params: &RawValue, responder: Responder) -> Option<Pending> {
        self.gateway.metrics.requests.inc();
        if let Pace::TooFast { retry_ms, in_a_row } = self.rate.take(Instant::now()) {
            self.gateway.metrics.too_fast.inc();
            self.refuse(responder, errors::too_fast(retry_ms));
            if in_a_row >= self.gateway.limits.flood {
                self.rpc.close("too many calls a second, again and again");
            }
            return None;
        }
        let asked = match method {
            method::PING => {
                responder.respond(Ok("pong"));
                return None;
            }
            method::STATUS => return Some(Pending { of: Awaited::Status, responder }),
            method::CONNECT => self.connect(params).await,
            _ => self.command(method, params).await,
        };
        match asked {
            Ok(asked) => Some(Pending { of: Awaited::Mind(asked), responder }),
            Err(error) => {
                self.refuse(responder, error);
                None
            }
        }
    }

    async fn connect(&mut self, params: &RawValue) -> Result<Asked, WireError> {
        let call = Call::read(params)?;
        let (identity, nonce) = call.verify(self.gateway, method::CONNECT)?;
        if nonce != self.challenge {
            return Err(errors::unauthorized(
                "the nonce is not the challenge of this connection",
                "sign the value of the header vipnode-challenge of this very connection",
            ));
        }
        if self.claimed.as_ref().is_some_and(|claimed| claimed.node != identity.node) {
            return Err(errors::other_node());
        }
        let hello = call::admitted(self.gateway, &call, &identity, nonce)?;
        let (peer, address) = (self.peer, self.address);
        let make = |request| Command::Connect { peer, request, identity, address, callable: true, hello };
        let asked = self.gateway.ask(make).await?;
        self.claimed = Some(identity);
        Ok(asked)
    }

    /// A call of an agent that said who it is; the mind knows whether it was believed.
    async fn command(&self, method: &str, params: &RawValue) -> Result<Asked, WireError> {
        if !is_agent_method(method) {
            return Err(errors::unknown_method(method));
        }
        if self.claimed.is_none() {
            return Err(errors::not_authenticated());
        }
        let make = command(method, &Call::read(params)?, self.peer)?;
        self.gateway.ask(make).await
    }
}

/// Whether an agent calls it once it has connected.
pub(crate) fn is_agent_method(method: &str) -> bool {
    matches!(method, method::REPORT | method::ASK | method::LEAVE | method::BYE)
}

/// The command that a method of a connected agent means.
pub(crate) fn command(
    method: &str,
    call: &Call<'_>,
    peer: Peer,
) -> Result<Box<dyn FnOnce(vipnode_core::RequestId) -> Command + Send>, WireError> {
    Ok(match method {
        method::REPORT => {
            let report = call.parse()?;
            Box::new(move |request| Command::Report { peer, request, report })
        }
        method::ASK => {
            let ask = call.parse()?;
            Box::new(move |request| Command::Ask { peer, request, ask })
        }
        method::LEAVE => {
            let leave = call.parse()?;
            Box::new(move |request| Command::Leave { peer, request, leave })
        }
        method::BYE => {
            let ByeRequest {} = call.parse()?;
            Box::new(move |request| Command::Bye { peer, request })
        }
        _ => return Err(errors::unknown_method(method)),
    })
}

/// `"pong"`.
pub(crate) fn pong() -> Result<Box<RawValue>, WireError> {
    to_raw_value("pong").map_err(|error| errors::invalid_params(&error.to_string()))
}
