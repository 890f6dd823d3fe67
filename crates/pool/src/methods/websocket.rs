//! One WebSocket: requests in, answers out, until either side ends it. One task serves it; the core puts its answers
//! directly into the session's queue.

mod socket_client;
#[cfg(test)]
mod tests;
mod turn;

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Instant};

use futures_util::{Sink, Stream};
use serde_json::value::RawValue;
use tokio::time::sleep;
use vipnode_pool_core::{Command, ConnectionId, Identity};
use vipnode_rpc::{Frame, Incoming, Responder, RpcHandle, Session, SessionEnd, SessionInput};
use vipnode_types::{NodeId, wire::WireError};

use self::{socket_client::SocketClient, turn::Turn};
use crate::{
    auth::Arrival,
    call_refusal::CallRefusal,
    close_reason::CloseReason,
    engine::{ConnectionEntry, Transport},
    fairness::{Caller, Pace, Rate, TokenBucket},
    methods::{
        Service,
        dispatch::{CallEnd, Dispatched, ReachCall, dispatch},
        pacing::Pacing,
        reach,
        statements::StatementCall,
    },
    metrics::Counted,
};

/// Serves an open WebSocket until it ends. A connect on it has to sign `challenge`.
pub(crate) async fn serve<S, E>(
    service: &Arc<Service>,
    mut session: Box<Session<S>>,
    rpc: RpcHandle,
    caller: &Arc<Caller>,
    arrival: Arrival,
    challenge: String,
) where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Into<SessionEnd>,
{
    let _open = Counted::by(&service.metrics.sockets);
    let entry = service.connections.add(Transport::WebSocket { rpc: rpc.clone(), address: caller.address });
    let rate = || TokenBucket::new(service.limits.calls_a_second, service.limits.burst, Instant::now());
    let (rate, noise) = (rate(), rate());
    let mut socket =
        Socket { service, rpc, entry, caller, arrival, challenge, rate, noise, claimed: None, signed_by: None };
    let Err(end) = socket.serve(&mut session).await;
    // Before the close frame, so that nobody waits for it.
    drop(socket);
    tracing::debug!(address = %caller.address, reason = %end, "socket closed");
    // On the heap: few sockets end at a time, and none needs the memory before.
    Box::pin(session.end(end)).await;
}

/// One WebSocket, without its session.
struct Socket<'a> {
    service: &'a Arc<Service>,
    rpc: RpcHandle,
    entry: ConnectionEntry,
    caller: &'a Arc<Caller>,
    arrival: Arrival,
    challenge: String,
    rate: TokenBucket,
    /// The same for frames that are not calls.
    noise: TokenBucket,
    /// The identity that signed a connect here; the core may still refuse it.
    claimed: Option<Identity>,
    /// The node whose key signs the calls here, in protocol 2.
    signed_by: Option<NodeId>,
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.service.metrics.dropped_answers.inc_by(self.rpc.dropped_answers());
    }
}

impl Socket<'_> {
    /// Serves until the socket ends. Returns the reason.
    async fn serve<S, E>(&mut self, session: &mut Session<S>) -> Result<Infallible, SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Into<SessionEnd>,
    {
        let limit = self.service.limits.unauthenticated;
        let mut late = Some(Box::pin(sleep(limit)));
        let mut turn = Turn::new(self.service.limits.frames_a_turn);
        loop {
            let heard = match &mut late {
                None => session.next().await?,
                Some(timer) => tokio::select! {
                    biased;
                    heard = session.next() => heard?,
                    () = timer => {
                        let is_confirmed = self.service.connections.is_confirmed(self.connection());
                        // It signed, and the core has not answered, for instance because the store fails. An agent of protocol 3
                        // was answered "busy" then, and repeats its connect.
                        let waits = (self.entry.is_reported() && session.unanswered() > 0)
                            || self.service.connections.take_put_off(self.connection());
                        if !is_confirmed && !waits {
                            return Err(self.is_late());
                        }
                        late = (!is_confirmed).then(|| Box::pin(sleep(limit)));
                        continue;
                    }
                },
            };
            // Reading a large frame and answering it are two steps: others have their turn in between, and after it.
            let calls = self.service.limits.calls_of(session.take_read_bytes());
            turn.count(calls).await;
            match heard {
                SessionInput::RoundTrip(rtt_us) if self.entry.is_reported() => {
                    self.service.gateway.note(Command::Latency { connection: self.connection(), rtt_us });
                }
                SessionInput::RoundTrip(_) => {}
                SessionInput::Noise | SessionInput::Incoming(Incoming::Notification { .. }) => {
                    // It gets no answer: the wait is enough.
                    let _waited = self.paced(session, Rate::Noise, calls).await?;
                }
                SessionInput::Incoming(Incoming::Request { method, params, responder }) => {
                    self.request(session, (&method, &params), calls, responder).await?;
                    if calls > 1 {
                        turn.count(calls).await;
                    }
                }
            }
            if late.is_some() && self.service.connections.is_confirmed(self.connection()) {
                late = None;
            }
        }
    }

    fn is_late(&self) -> SessionEnd {
        self.service.metrics.unauthenticated.inc();
        CloseReason::Unauthenticated { limit_s: self.service.limits.unauthenticated.as_secs() }.into()
    }

    fn refuse(&self, responder: Responder, error: WireError) {
        self.service.metrics.count_error(&error);
        responder.respond::<()>(Err(error));
    }

    /// Answers a request, which counts as `calls`, or hands it to the core.
    ///
    /// # Errors
    /// The socket floods, or ended in the meantime.
    async fn request<S, E>(
        &mut self,
        session: &mut Session<S>,
        (method, params): (&str, &RawValue),
        calls: u32,
        responder: Responder,
    ) -> Result<(), SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Into<SessionEnd>,
    {
        self.service.metrics.requests.inc();
        if let Err(error) = self.paced(session, Rate::Calls, calls).await? {
            self.service.metrics.too_fast.inc();
            self.refuse(responder, error.into());
            return Ok(());
        }
        let dispatched = dispatch(self.service, &mut SocketClient { socket: self, session }, method, params).await;
        match dispatched {
            Ok(Dispatched::Answer(answer)) => {
                self.caller.charged_to().owe_bytes(answer.get().len(), Instant::now());
                responder.respond_raw(Ok(answer));
            }
            Ok(Dispatched::Status) => self.status(responder),
            Ok(Dispatched::Statement(call)) => self.statement(call, responder),
            Ok(Dispatched::Reach(call)) => self.reach(*call, responder),
            Ok(Dispatched::Command(command)) => match self.service.gateway.permit(self.caller.charged_to(), &command) {
                Ok(permit) => self.service.gateway.hand_over(command, responder, self.caller.charged_to(), permit),
                Err(error) => self.refuse(responder, error),
            },
            Err(CallEnd::Refused(error)) => self.refuse(responder, error),
            Err(CallEnd::Ended(end)) => return Err(end),
        }
        Ok(())
    }

    /// Slows down a socket that is too fast, by itself or together with its address block. The call or frame counts as
    /// `calls`.
    ///
    /// # Errors
    /// The socket floods, or ended in the meantime.
    async fn paced<S, E>(
        &mut self,
        session: &mut Session<S>,
        shared: Rate,
        calls: u32,
    ) -> Result<Result<(), CallRefusal>, SessionEnd>
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
        <S as Sink<Frame>>::Error: Display,
        E: Into<SessionEnd>,
    {
        let (limits, block, now) = (&self.service.limits, self.caller.charged_to(), Instant::now());
        let further = calls.saturating_sub(1);
        let own = if shared == Rate::Calls { &mut self.rate } else { &mut self.noise };
        let pace = own.take(now);
        match pace {
            Pace::TooFast { refused, .. } if refused >= limits.flood => return Err(CloseReason::Flood.into()),
            Pace::TooFast { .. } => {}
            Pace::Fine => own.owe(further, now),
        }
        let pacing = match shared {
            Rate::Calls => Pacing::of_call(pace, block, limits, now),
            _ => Pacing::of(pace, block, shared, limits, now),
        };
        pacing.owe(block, shared, further, now);
        let Pacing { wait, result } = pacing;
        if !wait.is_zero() {
            session.work_while(Box::pin(sleep(wait))).await?;
        }
        Ok(result)
    }

    /// Answers with the status, once the core has handled the earlier calls of this socket. At most `requests_a_socket` of
    /// these can wait: the session answers further ones "busy".
    fn status(&self, responder: Responder) {
        let (service, connection) = (Arc::clone(self.service), self.connection());
        let (block, calls) = (Arc::clone(self.caller.charged_to()), self.entry.is_reported());
        tokio::spawn(async move {
            if calls {
                service.gateway.passed(connection).await;
            }
            let status = service.status_for(service.connections.is_confirmed(connection), &block).await;
            if let Err(error) = &status {
                service.metrics.count_error(error);
            }
            responder.respond_raw(status);
        });
    }

    /// The limit is that of [`Socket::status`].
    fn reach(&self, call: ReachCall, responder: Responder) {
        let (service, caller) = (Arc::clone(self.service), Arc::clone(self.caller));
        let challenge = self.challenge.clone();
        tokio::spawn(async move {
            let mut reached = reach::answer(&service, &caller, &challenge, call).await;
            if let Ok(answer) = &reached
                && let Err(busy) = service.charge(caller.charged_to(), answer.get().len()).await
            {
                reached = Err(busy.into());
            }
            if let Err(error) = &reached {
                service.metrics.count_error(error);
            }
            responder.respond_raw(reached);
        });
    }

    /// The limit is that of [`Socket::status`].
    fn statement(&self, call: StatementCall, responder: Responder) {
        let (service, caller) = (Arc::clone(self.service), Arc::clone(self.caller));
        tokio::spawn(async move {
            let mut statement = call.answer(&service, &caller).await;
            if let Ok(answer) = &statement
                && let Err(busy) = service.charge(caller.charged_to(), answer.get().len()).await
            {
                statement = Err(busy.into());
            }
            if let Err(error) = &statement {
                service.metrics.count_error(error);
            }
            responder.respond_raw(statement);
        });
    }

    const fn connection(&self) -> ConnectionId {
        self.entry.connection()
    }
}
