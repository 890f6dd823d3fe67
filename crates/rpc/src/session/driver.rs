use std::{fmt::Display, pin::pin, time::Duration};

use futures_util::{Sink, Stream};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use crate::{
    Frame, Incoming, Keepalive, OpenSession, PoolHeaders, RpcLimits, Session, SessionEnd, SessionInput,
    protocol::FrameError,
};

/// After so many frames that say nothing, such as pings, the session pauses.
const NOISE: u32 = 64;
/// How long it pauses: 640 such frames a second are read at most.
const NOISE_PAUSE: Duration = Duration::from_millis(100);

/// Runs a [`Session`] as a task of its own.
///
/// The task ends when the socket does, when [`crate::RpcHandle::close`] is called, or when all
/// handles have been dropped.
pub fn drive<S, E>(socket: S, limits: &RpcLimits, keepalive: Keepalive) -> OpenSession
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin + Send + 'static,
    <S as Sink<Frame>>::Error: Display + Send,
    E: Into<SessionEnd> + Send + 'static,
{
    let (session, peer) = Session::new(socket, limits, keepalive);
    let closed = session.closed();
    let (incoming, taken) = mpsc::channel(limits.incoming.max(1));
    let (rtt, rtt_us) = watch::channel(0);
    tokio::spawn(run(session, incoming, rtt));
    OpenSession {
        peer,
        incoming: taken,
        challenge: None,
        pool_headers: PoolHeaders::default(),
        remote: None,
        closed,
        rtt_us,
    }
}

async fn run<S, E>(mut session: Session<S>, incoming: mpsc::Sender<Incoming>, rtt: watch::Sender<u32>)
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Into<SessionEnd>,
{
    let shared = session.closed().0;
    let mut unused = pin!(async {
        shared.until_no_callers().await;
        incoming.closed().await;
    });
    let mut noise = 0_u32;
    let end = loop {
        let heard = tokio::select! {
            biased;
            heard = session.next() => heard,
            () = &mut unused => break SessionEnd::Unused,
        };
        match heard {
            // The other side is not read for a moment, so that frames that say nothing cost no core.
            Ok(SessionInput::Noise) if noise >= NOISE => {
                noise = 0;
                if let Err(end) = session.work_while(sleep(NOISE_PAUSE)).await {
                    break end;
                }
            }
            Ok(SessionInput::Noise) => noise = noise.saturating_add(1),
            Ok(SessionInput::RoundTrip(us)) => {
                let _nobody = rtt.send(us);
            }
            Ok(SessionInput::Incoming(next)) => match session.work_while(incoming.reserve()).await {
                Ok(Ok(permit)) => permit.send(next),
                Ok(Err(_nobody_takes)) => refuse(next),
                Err(end) => break end,
            },
            Err(end) => break end,
        }
    };
    session.end(end).await;
}

/// Nobody takes requests here.
fn refuse(incoming: Incoming) {
    if let Incoming::Request { method, responder, .. } = incoming {
        let error = FrameError::NoMethod { method: method.chars().take(64).collect() };
        responder.respond(Err::<(), _>(error.into()));
    }
}
