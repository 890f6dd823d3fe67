use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use vipnode_agent_core::{FromPool, PoolAnswer, RequestTag, ToPool};
use vipnode_rpc::{Closed, Incoming, OpenSession, RpcClient};
use vipnode_types::{Failure, wire::WireError};

use super::{CallResponder, Connector, PoolConnection, Protocol, pool_identity::PoolIdentity, protocol3::Proof};
use crate::{AgentError, limits::QUERIES, local::PoolQuery};

/// The connection to the pool: opened, served, and opened again when the agent core requests it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) protocol: Protocol,
    pub(crate) identity: PoolIdentity,
    /// What the agent's user asks the pool.
    pub(crate) queries: mpsc::Receiver<PoolQuery>,
}

/// Which connection is to be open: the next round begins no sooner than `after` from when it was ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) after: Duration,
}

/// A request to send to the pool in a round. It is forgotten with its round.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) round: u64,
    pub(crate) tag: RequestTag,
    pub(crate) request: ToPool,
}

/// Something that happened on the link. Events of an earlier round are not for the agent core any more.
#[derive(Debug)]
pub(crate) struct LinkEvent {
    pub(crate) round: u64,
    pub(crate) what: LinkEventKind,
}

#[derive(Debug)]
pub(crate) enum LinkEventKind {
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
    /// Another round was ordered.
    Again,
    /// Nobody gives orders or hears any more.
    Over,
}

/// A closing socket may take this long to write what is queued.
const FLUSH: Duration = Duration::from_millis(500);

impl Link {
    /// Runs until nobody gives orders or hears.
    pub(crate) async fn run(
        mut self,
        mut rounds: watch::Receiver<Round>,
        mut orders: mpsc::Receiver<Order>,
        events: mpsc::Sender<LinkEvent>,
    ) {
        loop {
            let Round { number, after } = *rounds.borrow_and_update();
            let end = tokio::select! {
                biased;
                changed = rounds.changed() => if changed.is_ok() { End::Again } else { End::Over },
                line = self.open(after) => match line {
                    Ok(line) => self.serve(line, number, &mut rounds, &mut orders, &events).await,
                    Err(why) => End::Lost(why),
                },
            };
            let what = match end {
                End::Again => continue,
                End::Over => return,
                End::Lost(why) => LinkEventKind::Lost(why),
                End::Untrusted(why) => LinkEventKind::Untrusted(why),
            };
            if events.send(LinkEvent { round: number, what }).await.is_err() || rounds.changed().await.is_err() {
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
        line: PoolConnection,
        round: u64,
        rounds: &mut watch::Receiver<Round>,
        orders: &mut mpsc::Receiver<Order>,
        events: &mpsc::Sender<LinkEvent>,
    ) -> End {
        let met = match self.identity.meet(&line) {
            Ok(presented) => presented,
            Err(why) => return End::Untrusted(why),
        };
        let mut wire = match Wire::of(line, self.protocol.needs_challenge()) {
            Ok(wire) => wire,
            Err(why) => return End::Lost(why),
        };
        let report = |what| events.send(LinkEvent { round, what });
        for what in std::iter::once(LinkEventKind::Open).chain(wire.remote.map(LinkEventKind::Address)) {
            if report(what).await.is_err() {
                return End::Over;
            }
        }
        let proof = wire.proof.clone();
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
                        match wire.remote_of_answer() {
                            Some(address) if report(LinkEventKind::Address(address)).await.is_err() => break End::Over,
                            _ => report(LinkEventKind::Answer(tag, answer)).await,
                        }
                    }
                    Ok(None) => Ok(()),
                    Err(why) => break End::Lost(why),
                },
                order = orders.recv() => match order {
                    Some(Order { round: of, tag, request }) if of == round => {
                        let (client, proof) = (wire.client.clone(), &proof);
                        sent.push(Box::pin(async move { (tag, protocol.send(&client, proof, request).await) }));
                        Ok(())
                    }
                    Some(_of_another_round) => Ok(()),
                    None => break End::Over,
                },
                changed = rounds.changed() => break if changed.is_ok() { End::Again } else { End::Over },
                Some(()) = answered.next() => Ok(()),
                Some(query) = queries.recv(), if answered.len() < QUERIES => {
                    let (client, proof) = (wire.client.clone(), &proof);
                    answered.push(Box::pin(async move { protocol.ask(&client, proof, query).await }));
                    Ok(())
                }
                incoming = wire.next() => match incoming {
                    Some(incoming) => match hear(protocol, incoming) {
                        Some(what) => report(what).await,
                        None => Ok(()),
                    },
                    None => break End::Lost(wire.why().await),
                },
            };
            if reported.is_err() {
                break End::Over;
            }
        };
        wire.close().await;
        end
    }
}

fn hear(protocol: &Protocol, incoming: Incoming) -> Option<LinkEventKind> {
    match incoming {
        Incoming::Request { method, params, responder } => match protocol.read_call(&method, &params) {
            Ok(call) => Some(LinkEventKind::Call(call, protocol.responder(responder))),
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
struct Wire {
    client: RpcClient,
    proof: Proof,
    socket: Option<(mpsc::Receiver<Incoming>, Closed)>,
    /// The address that the socket is connected to.
    remote: Option<IpAddr>,
}

impl Wire {
    fn of(line: PoolConnection, needs_challenge: bool) -> Result<Self, Failure> {
        match line {
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
            Some((_, closed)) => closed.wait().await.to_string().as_str().into(),
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
