use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use vipnode_agent_core::{FromPool, PoolAnswer, RequestTag, ToPool};
use vipnode_rpc::{Closed, Incoming, Opened, Responder, RpcClient};
use vipnode_types::wire::WireError;

use super::{Door, Line, Voice, protocol3::Proof};
use crate::{limits::QUESTIONS, local::Question};

/// The connection to the pool: opened, served, and opened again when the mind says so.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) door: Arc<dyn Door>,
    pub(crate) voice: Voice,
    /// What the agent's user wants to know of the pool.
    pub(crate) questions: mpsc::Receiver<Question>,
}

/// Which connection is to be open: the next round begins no sooner than `after` from when it was ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) after: Duration,
}

/// What is to be said to the pool in a round. It is forgotten with its round.
#[derive(Debug)]
pub(crate) struct Say {
    pub(crate) round: u64,
    pub(crate) tag: RequestTag,
    pub(crate) request: ToPool,
}

/// What happens on the link. What is of an earlier round is not for the mind any more.
#[derive(Debug)]
pub(crate) struct FromLink {
    pub(crate) round: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Open,
    Lost(String),
    Answer(RequestTag, Result<PoolAnswer, WireError>),
    Call(FromPool, Responder),
}

/// Why a connection is no longer served.
enum End {
    Lost(String),
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
        mut orders: mpsc::Receiver<Say>,
        events: mpsc::Sender<FromLink>,
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
            match end {
                End::Again => {}
                End::Over => return,
                End::Lost(why) => {
                    let lost = FromLink { round: number, what: What::Lost(why) };
                    if events.send(lost).await.is_err() || rounds.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn open(&self, after: Duration) -> Result<Line, String> {
        sleep(after).await;
        self.door.open().await.map_err(|error| error.to_string())
    }

    async fn serve(
        &mut self,
        line: Line,
        round: u64,
        rounds: &mut watch::Receiver<Round>,
        orders: &mut mpsc::Receiver<Say>,
        events: &mpsc::Sender<FromLink>,
    ) -> End {
        let mut wire = match Wire::of(line, self.voice.needs_challenge()) {
            Ok(wire) => wire,
            Err(why) => return End::Lost(why),
        };
        let tell = |what| events.send(FromLink { round, what });
        if tell(What::Open).await.is_err() {
            return End::Over;
        }
        let proof = wire.proof.clone();
        let (voice, questions) = (&self.voice, &mut self.questions);
        let mut said: FuturesUnordered<BoxFuture<'_, _>> = FuturesUnordered::new();
        let mut answered: FuturesUnordered<BoxFuture<'_, _>> = FuturesUnordered::new();
        let end = loop {
            // Answers first: they were on the wire before what the pool calls because of them.
            let told = tokio::select! {
                biased;
                Some((tag, answer)) = said.next() => match answer {
                    Ok(Some(answer)) => tell(What::Answer(tag, answer)).await,
                    Ok(None) => Ok(()),
                    Err(why) => break End::Lost(why),
                },
                order = orders.recv() => match order {
                    Some(Say { round: of, tag, request }) if of == round => {
                        let (client, proof) = (wire.client.clone(), &proof);
                        said.push(Box::pin(async move { (tag, voice.say(&client, proof, request).await) }));
                        Ok(())
                    }
                    Some(_of_another_round) => Ok(()),
                    None => break End::Over,
                },
                changed = rounds.changed() => break if changed.is_ok() { End::Again } else { End::Over },
                Some(()) = answered.next() => Ok(()),
                Some(question) = questions.recv(), if answered.len() < QUESTIONS => {
                    let (client, proof) = (wire.client.clone(), &proof);
                    answered.push(Box::pin(async move { voice.ask(&client, proof, question).await }));
                    Ok(())
                }
                incoming = wire.next() => match incoming {
                    Some(incoming) => match hear(voice, incoming) {
                        Some(what) => tell(what).await,
                        None => Ok(()),
                    },
                    None => break End::Lost(wire.why().await),
                },
            };
            if told.is_err() {
                break End::Over;
            }
        };
        wire.close().await;
        end
    }
}

fn hear(voice: &Voice, incoming: Incoming) -> Option<What> {
    match incoming {
        Incoming::Request { method, params, responder } => match voice.read(&method, &params) {
            Ok(call) => Some(What::Call(call, responder)),
            Err(error) => {
                responder.respond::<()>(Err(error));
                None
            }
        },
        Incoming::Notification { method, .. } => {
            tracing::debug!(method, "a notification of the pool, which an agent has no use for");
            None
        }
    }
}

/// One open connection.
struct Wire {
    client: RpcClient,
    proof: Proof,
    socket: Option<(mpsc::Receiver<Incoming>, Closed)>,
}

impl Wire {
    fn of(line: Line, needs_challenge: bool) -> Result<Self, String> {
        match line {
            Line::Http(http) => Ok(Self { client: RpcClient::Http(http), proof: Proof::Number, socket: None }),
            Line::Socket(opened) => {
                let Opened { peer, incoming, challenge, closed, .. } = *opened;
                let proof = match challenge {
                    Some(challenge) => Proof::Challenge(challenge),
                    None if needs_challenge => {
                        return Err("what answers there is no pool of protocol 3: it gave no challenge \
                                    (--protocol 2 speaks to a pool of the original)"
                            .to_owned());
                    }
                    None => Proof::Number,
                };
                Ok(Self { client: RpcClient::Socket(peer), proof, socket: Some((incoming, closed)) })
            }
        }
    }

    /// What the pool says; `None` once the socket is gone. Over HTTP it says nothing.
    async fn next(&mut self) -> Option<Incoming> {
        match &mut self.socket {
            Some((incoming, _)) => incoming.recv().await,
            None => std::future::pending().await,
        }
    }

    async fn why(&self) -> String {
        match &self.socket {
            Some((_, closed)) => closed.wait().await,
            None => "the connection is closed".to_owned(),
        }
    }

    async fn close(self) {
        if let (RpcClient::Socket(peer), Some((_, closed))) = (&self.client, &self.socket) {
            peer.close("the agent closes this socket");
            let _late = timeout(FLUSH, closed.wait()).await;
        }
    }
}
