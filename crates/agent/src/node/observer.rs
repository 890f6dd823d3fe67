use std::{io::ErrorKind, sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use vipnode_agent_core::Event;
use vipnode_node::{Node, NodeError, PeerEvent, PeerEvents};
use vipnode_types::{Failure, NodeFacts, NodeId};

use crate::{
    AgentError, AgentNotice, clock,
    limits::{HEAD_EVERY, LOOK_CALM, LOOK_FIRST, NODE_RETRY_FIRST, NODE_RETRY_MAX, NODE_STEADY},
    notifier::Notifier,
};

/// Observes the node: whether it answers, its peers, its newest block.
pub(crate) struct Observer {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) id: NodeId,
    /// Until when a connection is expected, so that it is looked for closely.
    pub(crate) fast_poll_until: watch::Receiver<Instant>,
    pub(crate) up: watch::Sender<bool>,
    pub(crate) notifier: Notifier,
    pub(crate) out: mpsc::Sender<Result<Event, AgentError>>,
}

/// The newest block is missing this often, one look after the other, before that is reported.
const HEADS_MISSED: u32 = 2;

/// The receiver of the events is gone.
struct ReceiverGone;

impl Observer {
    /// Runs until the receiver of its events is gone, or another node answers.
    pub(crate) async fn run(mut self, facts: NodeFacts) {
        let mut facts = Some(facts);
        let mut wait = Duration::ZERO;
        while let Some(up) = facts {
            let found = Instant::now();
            facts = match self.watch(up).await {
                Ok(()) => {
                    // A node that returns its facts but no peers must not be found and lost without a pause.
                    if found.elapsed() > NODE_STEADY {
                        wait = Duration::ZERO;
                    }
                    self.find_again(&mut wait).await
                }
                Err(ReceiverGone) => None,
            };
        }
    }

    async fn report(&self, event: Event) -> Result<(), ReceiverGone> {
        self.out.send(Ok(event)).await.map_err(|_closed| ReceiverGone)
    }

    /// Watches the node from the moment it answers until it no longer does.
    async fn watch(&mut self, facts: NodeFacts) -> Result<(), ReceiverGone> {
        self.up.send_replace(true);
        // The newest block first, so that a host's first message to the pool already has its slots.
        let mut failures = 0;
        self.report_head(&mut failures).await?;
        self.report(Event::NodeUp(Box::new(facts))).await?;
        let why = self.look_until_lost(failures).await?;
        self.up.send_replace(false);
        self.report(Event::NodeDown { why }).await
    }

    /// Returns why the node counts as offline.
    async fn look_until_lost(&mut self, mut failures: u32) -> Result<Failure, ReceiverGone> {
        let mut events = self.node.events().await;
        let mut wait = LOOK_FIRST;
        let mut looked = Instant::now() - LOOK_FIRST;
        let (mut next_look, mut next_head) = (Instant::now(), Instant::now() + HEAD_EVERY);
        loop {
            tokio::select! {
                biased;
                event = next(&mut events) => {
                    match event {
                        // The node may have been restarted and have forgotten which peers it trusts.
                        None => return Ok(self.broke()),
                        Some(PeerEvent::Gone(id, cause)) => self.report(Event::PeerGone(id, cause)).await?,
                        Some(PeerEvent::Added(_) | PeerEvent::Look) => wait = LOOK_FIRST,
                    }
                    next_look = next_look.min(looked + LOOK_FIRST);
                }
                changed = self.fast_poll_until.changed() => {
                    changed.map_err(|_closed| ReceiverGone)?;
                    wait = LOOK_FIRST;
                    next_look = next_look.min(Instant::now() + wait);
                }
                () = sleep_until(next_look) => {
                    match self.node.peers().await {
                        Ok(peers) => self.report(Event::Peers(peers)).await?,
                        Err(error) => return Ok(Failure::of(&error)),
                    }
                    looked = Instant::now();
                    wait = if looked < *self.fast_poll_until.borrow() { wait } else { LOOK_CALM };
                    next_look = looked + wait;
                    wait = wait.saturating_mul(2).min(LOOK_CALM);
                }
                () = sleep_until(next_head) => {
                    self.report_head(&mut failures).await?;
                    next_head = Instant::now() + HEAD_EVERY;
                }
            }
        }
    }

    fn broke(&self) -> Failure {
        let why = "the connection to it broke".to_owned();
        Failure::of(&NodeError::Unreachable { at: self.node.at(), kind: ErrorKind::ConnectionReset, why })
    }

    /// Reports the newest block. `failures` counts how often in a row it could not be read: a node that has just started has none
    /// for a moment, and one that never has one is named once.
    async fn report_head(&self, failures: &mut u32) -> Result<(), ReceiverGone> {
        let head = self.node.head().await;
        *failures = if head.is_ok() { 0 } else { failures.saturating_add(1) };
        match head {
            Ok(head) => self.report(Event::Head { head, wall_s: clock::wall().get() / 1_000 }).await,
            Err(error) => {
                if *failures == HEADS_MISSED {
                    let failure = Failure::of(&error);
                    self.notifier.notify(match error {
                        NodeError::NoBlock { .. } => AgentNotice::NoBlock(failure),
                        _ => AgentNotice::Fault(failure),
                    });
                }
                Ok(())
            }
        }
    }

    /// Waits until the node is back; `None` if the receiver is gone or another node answers. `wait` passes first.
    async fn find_again(&self, wait: &mut Duration) -> Option<NodeFacts> {
        loop {
            tokio::select! {
                () = self.out.closed() => return None,
                () = sleep(*wait) => {}
            }
            *wait = longer(*wait);
            match self.node.facts().await {
                Ok(facts) if facts.id == self.id => return Some(facts),
                Ok(other) => {
                    let (was, now) = (self.id.short(), other.id.short());
                    let _gone = self.out.send(Err(AgentError::OtherNode { at: self.node.at(), was, now })).await;
                    return None;
                }
                Err(error) => tracing::debug!("the node is still offline: {error}"),
            }
        }
    }
}

/// The next wait for a node that is offline.
pub(crate) fn longer(wait: Duration) -> Duration {
    wait.saturating_mul(2).clamp(NODE_RETRY_FIRST, NODE_RETRY_MAX)
}

async fn next(events: &mut Option<PeerEvents>) -> Option<PeerEvent> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}
