use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use vipnode_agent_core::{FromPool, PoolAnswer, RequestTag, ToPool};
use vipnode_rpc::{Closed, Incoming, OpenSession, RpcClient};
use vipnode_types::{Failure, wire::WireError};

use super::{CallResponder, Connector, PoolConnection, Protocol, pool_id_check::PoolIdCheck, protocol3::Proof};
use crate::{AgentError, limits::QUERIES, local::PoolQuery};

/// The connection to the pool: opened, served, and opened again when the agent core requests it.
#[derive(Debug)]
pub(crate) struct PoolClient {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) protocol: Protocol,
    pub(crate) identity: PoolIdCheck,
    /// What the agent's user asks the pool.
    pub(crate) queries: mpsc::Receiver<PoolQuery>,
}

/// Which connection to keep open: the next attempt begins no sooner than `after` from when it was ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) number: u64,
    pub(crate) after: Duration,
}

/// A request to send to the pool in an attempt. It is forgotten with its attempt.
#[derive(Debug)]
pub(crate) struct PoolRequest {
    pub(crate) attempt: u64,
    pub(crate) tag: RequestTag,
    pub(crate) request: ToPool,
}

/// Something that happened on the connection. Events of an earlier attempt are not for the agent core any more.
#[derive(Debug)]
pub(crate) struct PoolEvent {
    pub(crate) attempt: u64,
    pub(crate) what: PoolEventKind,
}

#[derive(Debug)]
pub(crate) enum PoolEventKind {
    Open,
    Lost(Failure),
    /// Another pool answers than the agent remembers; nothing was signed.
    Untrusted(Failure),
    /// The address that the next answers and calls come from.
    Address(IpAddr),
    Answer(RequestTag, Result<PoolAnswer, WireError>),
    Call(FromPool, CallResponder),
}

/// Why a connection is no longer served.
enum End {
    Lost(Failure),
    Untrusted(Failure),
    /// Another attempt was ordered.
    Again,
    /// Nobody sends requests or receives events any more.
    Over,
}

/// A closing socket may take this long to write what is queued.
const FLUSH: Duration = Duration::from_millis(500);

impl PoolClient {
    /// Runs until nobody sends requests or receives events.
    pub(crate) async fn run(
        mut self,
        mut attempts: watch::Receiver<Attempt>,
        mut requests: mpsc::Receiver<PoolRequest>,
        events: mpsc::Sender<PoolEvent>,
    ) {
        loop {
            let Attempt { number, after } = *attempts.borrow_and_update();
            let end = tokio::select! {
                biased;
                changed = attempts.changed() => if changed.is_ok() { End::Again } else { End::Over },
                connection = self.open(after) => match connection {
                    Ok(connection) => self.serve(connection, number, &mut attempts, &mut requests, &events).await,
                    Err(why) => End::Lost(why),
                },
            };
            let what = match end {
                End::Again => continue,
                End::Over => return,
                End::Lost(why) => PoolEventKind::Lost(why),
                End::Untrusted(why) => PoolEventKind::Untrusted(why),
            };
            if events.send(PoolEvent { attempt: number, what }).await.is_err() || attempts.changed().await.is_err() {
                return;
            }
        }
    }

    async fn open(&self, after: Duration) -> Result<PoolConnection, Failure> {
        sleep(after).await;
        self.connector.open().await.map_err(|error| Failure::of(&error))
    }

    async fn serve(
        &mut self,
        connection: PoolConnection,
        attempt: u64,
        attempts: &mut watch::Receiver<Attempt>,
        requests: &mut mpsc::Receiver<PoolRequest>,
        events: &mpsc::Sender<PoolEvent>,
    ) -> End {
        let met = match self.identity.meet(&connection) {
            Ok(presented) => presented,
            Err(why) => return End::Untrusted(why),
        };
        let mut pool = match OpenPool::of(connection, self.protocol.needs_challenge()) {
            Ok(pool) => pool,
            Err(why) => return End::Lost(why),
        };
        let report = |what| events.send(PoolEvent { attempt, what });
        for what in std::iter::once(PoolEventKind::Open).chain(pool.remote.map(PoolEventKind::Address)) {
            if report(what).await.is_err() {
                return End::Over;
            }
        }
        let proof = pool.proof.clone();
        let (protocol, queries, identity) = (&self.protocol, &mut self.queries, &mut self.identity);
        let mut sent: FuturesUnordered<BoxFuture<'_, _>> = FuturesUnordered::new();
        let mut answered: FuturesUnordered<BoxFuture<'_, _>> = FuturesUnordered::new();
        let end = loop {
            // Answers first: they were on the wire before what the pool calls because of them.
            let reported = tokio::select! {
                biased;
                Some((tag, answer)) = sent.next() => match answer {
                    Ok(Some(answer)) => {
                        if let Err(why) = identity.check_answer(met, &answer) {
                            break End::Untrusted(why);
                        }
                        // Over HTTP only an answer shows the address.
                        match pool.remote_of_answer() {
                            Some(address) if report(PoolEventKind::Address(address)).await.is_err() => break End::Over,
                            _ => report(PoolEventKind::Answer(tag, answer)).await,
                        }
                    }
                    Ok(None) => Ok(()),
                    Err(why) => break End::Lost(why),
                },
                order = requests.recv() => match order {
                    Some(PoolRequest { attempt: of, tag, request }) if of == attempt => {
                        let (client, proof) = (pool.client.clone(), &proof);
                        sent.push(Box::pin(async move { (tag, protocol.send(&client, proof, request).await) }));
                        Ok(())
                    }
                    Some(_of_another_attempt) => Ok(()),
                    None => break End::Over,
                },
                changed = attempts.changed() => break if changed.is_ok() { End::Again } else { End::Over },
                Some(()) = answered.next() => Ok(()),
                Some(query) = queries.recv(), if answered.len() < QUERIES => {
                    let (client, proof) = (pool.client.clone(), &proof);
                    answered.push(Box::pin(async move { protocol.ask(&client, proof, met, query).await }));
                    Ok(())
                }
                incoming = pool.next() => match incoming {
                    Some(incoming) => match read_incoming(protocol, incoming) {
                        Some(what) => report(what).await,
                        None => Ok(()),
                    },
                    None => break End::Lost(pool.why().await),
                },
            };
            if reported.is_err() {
                break End::Over;
            }
        };
        pool.close().await;
        end
    }
}

fn read_incoming(protocol: &Protocol, incoming: Incoming) -> Option<PoolEventKind> {
    match incoming {
        Incoming::Request { method, params, responder } => match protocol.read_call(&method, &params) {
            Ok(call) => Some(PoolEventKind::Call(call, protocol.responder(responder))),
            Err(error) => {
                responder.respond::<()>(Err(error));
                None
            }
        },
        Incoming::Notification { method, .. } => {
            tracing::debug!(method, "ignored a notification from the pool");
            None
        }
    }
}

/// One open connection.
struct OpenPool {
    client: RpcClient,
    proof: Proof,
    socket: Option<(mpsc::Receiver<Incoming>, Closed)>,
    /// The address that the socket is connected to.
    remote: Option<IpAddr>,
}

impl OpenPool {
    fn of(connection: PoolConnection, needs_challenge: bool) -> Result<Self, Failure> {
        match connection {
            PoolConnection::Http(http) => {
                Ok(Self { client: RpcClient::Http(http), proof: Proof::Number, socket: None, remote: None })
            }
            PoolConnection::Socket(opened) => {
                let OpenSession { peer, incoming, challenge, closed, remote, .. } = *opened;
                let proof = match challenge {
                    Some(challenge) => Proof::Challenge(challenge),
                    None if needs_challenge => return Err(Failure::of(&AgentError::NoChallenge)),
                    None => Proof::Number,
                };
                Ok(Self { client: RpcClient::Socket(peer), proof, socket: Some((incoming, closed)), remote })
            }
        }
    }

    /// Returns the address that the newest answer came from, over HTTP.
    fn remote_of_answer(&self) -> Option<IpAddr> {
        match &self.client {
            RpcClient::Http(http) => http.remote(),
            RpcClient::Socket(_) => None,
        }
    }

    /// Returns the next message of the pool; `None` once the socket is closed. Over HTTP there is none.
    async fn next(&mut self) -> Option<Incoming> {
        match &mut self.socket {
            Some((incoming, _)) => incoming.recv().await,
            None => std::future::pending().await,
        }
    }

    async fn why(&self) -> Failure {
        // The agent reconnects by itself, so there is nothing for a person to do.
        match &self.socket {
            Some((_, closed)) => Failure::of(&closed.wait().await).without_hint(),
            None => "the connection is closed".into(),
        }
    }

    async fn close(self) {
        if let (RpcClient::Socket(peer), Some((_, closed))) = (&self.client, &self.socket) {
            peer.close("the agent closes this socket");
            let _late = timeout(FLUSH, closed.wait()).await;
        }
    }
}
