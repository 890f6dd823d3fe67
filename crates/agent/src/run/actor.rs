use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use vipnode_agent_core::{
    Action, AgentConfig, AgentCore, CallReply, Event, JournalEntry, NodeCall, NodeTask, RequestTag, StopCause,
};
use vipnode_node::Node;
use vipnode_types::{Failure, NodeFacts, NodeId};

use super::runner::Notifier;
use crate::{
    AgentError, AgentMetrics, AgentNotice, Connector, Resolver,
    clock::Clock,
    limits::{NODE_CALLS, NODE_EVENTS, POOL_CALLS, POOL_EVENTS, POOL_ORDERS, STOP_DEADLINE},
    local::{About, AgentStatus, Queries, StatusQuery},
    node::{Executor, NodeEvent, NodeOrder, Observer, TaskError},
    pool::{CallResponder, Link, LinkEvent, LinkEventKind, Order, Protocol, Round},
    request_error::{RETRY_MS, RequestError},
    state::Journal,
};

/// What the actor connects: the node, the pool and the user.
pub(crate) struct Parts {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) facts: NodeFacts,
    /// The pool, where there is one.
    pub(crate) pool: Option<(Arc<dyn Connector>, Protocol)>,
    pub(crate) resolver: Arc<dyn Resolver>,
    /// What the user wants, when that changes.
    pub(crate) wanted: watch::Receiver<AgentConfig>,
    pub(crate) metrics: Option<AgentMetrics>,
    /// What the user wants to know.
    pub(crate) queries: Queries,
    pub(crate) about: About,
}

/// The task that owns the agent core.
pub(crate) struct Actor {
    core: AgentCore,
    clock: Clock,
    notifier: Notifier,
    metrics: Option<AgentMetrics>,
    /// Taken out only while an entry is written.
    journal: Option<Journal>,
    /// Peers whose grant could not be journaled, so that the node must not be called for them.
    unwritten: BTreeSet<NodeId>,
    node: Arc<dyn Node>,
    id: NodeId,
    about: About,
    status_queries: mpsc::Receiver<StatusQuery>,
    executor: mpsc::Sender<NodeOrder>,
    closely: watch::Sender<Instant>,
    orders: mpsc::Sender<Order>,
    rounds: watch::Sender<Round>,
    calls: BTreeMap<RequestTag, CallResponder>,
    last_call: RequestTag,
    /// Events that the actor owes the agent core itself.
    owed: VecDeque<Event>,
    resolver: Arc<dyn Resolver>,
    /// Names that are being looked up; the agent core asks for each once.
    lookups: FuturesUnordered<BoxFuture<'static, Event>>,
}

/// A closing link may take this long to say what is queued.
const FLUSH: Duration = Duration::from_secs(1);

impl Actor {
    /// Runs an agent to its end.
    pub(crate) async fn run(
        config: AgentConfig,
        journal: Journal,
        parts: Parts,
        stop: CancellationToken,
        notifier: Notifier,
    ) -> Result<(), AgentError> {
        let clock = Clock::start();
        let mut tasks = JoinSet::new();
        let (executor, node_calls) = mpsc::channel(NODE_CALLS);
        let (node_out, mut node_events) = mpsc::channel(NODE_EVENTS);
        let (orders, orders_given) = mpsc::channel(POOL_ORDERS);
        let (rounds, rounds_given) = watch::channel(Round { number: 0, after: Duration::ZERO });
        let (link_out, mut link_events) = mpsc::channel(POOL_EVENTS);
        let (closely, closely_seen) = watch::channel(Instant::now());
        let (up, up_seen) = watch::channel(true);
        let (node, id) = (parts.node, parts.facts.id);
        tasks.spawn(Executor { node: node.clone(), up: up_seen }.run(node_calls, node_out.clone()));
        let observer = Observer { node: node.clone(), id, closely: closely_seen, up, out: node_out };
        tasks.spawn(observer.run(parts.facts));
        let Queries { status: status_queries, pool: queries } = parts.queries;
        let link = parts.pool.map(|(connector, protocol)| Link { connector, protocol, queries });
        let link_task = link.map(|link| tokio::spawn(link.run(rounds_given, orders_given, link_out)));
        let mut actor = Self {
            core: AgentCore::new(config, journal.alive().cloned(), clock.now()),
            clock,
            notifier,
            metrics: parts.metrics,
            journal: Some(journal),
            unwritten: BTreeSet::new(),
            node,
            id,
            about: parts.about,
            status_queries,
            executor,
            closely,
            orders,
            rounds,
            calls: BTreeMap::new(),
            last_call: 0,
            owed: VecDeque::new(),
            resolver: parts.resolver,
            lookups: FuturesUnordered::new(),
        };
        let ended = actor.serve(&mut node_events, &mut link_events, parts.wanted, &stop).await;
        // The link says its last words and closes the socket once nobody can give it orders. It must not
        // wait for us to hear what else comes.
        drop(actor);
        link_events.close();
        if let Some(mut link_task) = link_task
            && timeout(FLUSH, &mut link_task).await.is_err()
        {
            link_task.abort();
        }
        ended
    }

    async fn serve(
        &mut self,
        node_events: &mut mpsc::Receiver<NodeEvent>,
        link_events: &mut mpsc::Receiver<LinkEvent>,
        mut wanted: watch::Receiver<AgentConfig>,
        stop: &CancellationToken,
    ) -> Result<(), AgentError> {
        let mut stop_by: Option<Instant> = None;
        let mut actions = Vec::new();
        loop {
            let wake = self.core.next_wake().map(|moment| self.clock.instant(moment));
            let mut status = None;
            let event = tokio::select! {
                biased;
                () = stop.cancelled(), if stop_by.is_none() => {
                    stop_by = Some(Instant::now() + STOP_DEADLINE);
                    Some(Event::Stop(StopCause::Signal))
                }
                () = at(stop_by) => return Err(AgentError::NotUndone { left: self.left() }),
                () = std::future::ready(()), if !self.owed.is_empty() => self.owed.pop_front(),
                Some(what) = node_events.recv() => Some(self.of_node(what)?),
                Some(what) = link_events.recv() => self.of_link(what),
                Some(resolved) = self.lookups.next() => Some(resolved),
                Ok(()) = wanted.changed() => Some(Event::Configured(Box::new(wanted.borrow_and_update().clone()))),
                Some(query) = self.status_queries.recv() => {
                    status = Some(query);
                    Some(Event::Tick)
                }
                () = at(wake) => Some(Event::Tick),
            };
            let Some(event) = event else { continue };
            self.core.handle(self.clock.now(), event, &mut actions);
            if let Some(metrics) = &self.metrics {
                metrics.show(&self.core);
            }
            for action in actions.drain(..) {
                if let Some(ended) = self.carry_out(action).await? {
                    return ended;
                }
            }
            if let Some(StatusQuery(asker)) = status {
                let _gone = asker.send(AgentStatus::of(&self.about, &self.core.view()));
            }
            // What is owed must not keep the others from running.
            tokio::task::yield_now().await;
        }
    }

    fn of_node(&self, what: NodeEvent) -> Result<Event, AgentError> {
        Ok(match what {
            NodeEvent::Up(facts) => Event::NodeUp(facts),
            NodeEvent::Down(why) => Event::NodeDown { why: why.to_string() },
            NodeEvent::Peers(peers) => Event::Peers(peers),
            NodeEvent::Gone(id, cause) => Event::PeerGone(id, cause),
            NodeEvent::Head { head, wall_s } => Event::Head { head, wall_s },
            NodeEvent::Listed { task, result } => Event::Listed { task, result: result.map_err(|why| why.to_string()) },
            NodeEvent::Done { task, result } => Event::NodeDone { task, result: result.map_err(|why| why.to_string()) },
            NodeEvent::Other(now) => {
                let (was, now) = (self.id.short(), now.short());
                return Err(AgentError::OtherNode { at: self.node.at(), was, now });
            }
        })
    }

    fn of_link(&mut self, from: LinkEvent) -> Option<Event> {
        if from.round != self.rounds.borrow().number {
            return None;
        }
        Some(match from.what {
            LinkEventKind::Open => Event::PoolOpen,
            LinkEventKind::Lost(why) => {
                self.calls.clear();
                Event::PoolLost { why }
            }
            LinkEventKind::Answer(tag, answer) => Event::PoolAnswers { tag, answer },
            LinkEventKind::Call(call, responder) => {
                if self.calls.len() >= POOL_CALLS {
                    responder.respond(Err(RequestError::NodeBusy { retry_ms: RETRY_MS }.into()));
                    return None;
                }
                self.last_call += 1;
                self.calls.insert(self.last_call, responder);
                Event::PoolCalls { tag: self.last_call, call }
            }
        })
    }

    /// `Some` at the end.
    async fn carry_out(&mut self, action: Action) -> Result<Option<Result<(), AgentError>>, AgentError> {
        match action {
            Action::Journal(entry) => self.write(entry).await?,
            Action::Node { task, call } => self.have_node_do(task, call),
            Action::List { task } => {
                if self.executor.try_send(NodeOrder::List(task)).is_err() {
                    self.owed.push_back(Event::Listed { task, result: Err(TaskError::Full.to_string()) });
                }
            }
            Action::Watch { for_ms } => {
                self.closely.send_replace(Instant::now() + Duration::from_millis(for_ms));
            }
            Action::Resolve { name } => {
                let resolver = self.resolver.clone();
                let look = async move {
                    let result = resolver.resolve(&name).await;
                    Event::Resolved { name, result }
                };
                self.lookups.push(look.boxed());
            }
            Action::Pool { tag, request } => {
                let say = Order { round: self.rounds.borrow().number, tag, request };
                if self.orders.try_send(say).is_err() {
                    let busy = RequestError::LinkBusy { retry_ms: RETRY_MS };
                    self.owed.push_back(Event::PoolAnswers { tag, answer: Err(busy.into()) });
                }
            }
            Action::Answer { tag, reply } => self.answer(tag, reply),
            Action::Reconnect { after_ms } => {
                self.calls.clear();
                self.rounds.send_modify(|round| {
                    *round = Round { number: round.number + 1, after: Duration::from_millis(after_ms) };
                });
            }
            Action::Notice(notice) => self.notifier.notify(AgentNotice::Notice(notice)),
            Action::Stopped { error } => {
                self.node.settle().await;
                return Ok(Some(error.map_or(Ok(()), |error| Err(AgentError::Stopped(error)))));
            }
        }
        Ok(None)
    }

    /// Durable when this returns, or the node is not called.
    async fn write(&mut self, entry: JournalEntry) -> Result<(), AgentError> {
        let fault = |why: &str| AgentError::fault(format_args!("the journal: {why}"));
        let mut journal = self.journal.take().ok_or_else(|| fault("it is being written already"))?;
        let peer = match &entry {
            JournalEntry::Done(grant) => Some(grant.peer.id),
            JournalEntry::Undone { .. } => None,
        };
        let written = tokio::task::spawn_blocking(move || {
            let result = journal.append(&entry);
            (journal, result)
        });
        let (journal, result) = written.await.map_err(|error| fault(&error.to_string()))?;
        self.journal = Some(journal);
        match (result, peer) {
            (Ok(()), Some(peer)) => {
                self.unwritten.remove(&peer);
            }
            (Ok(()), None) => {}
            (Err(error), peer) => {
                self.unwritten.extend(peer);
                self.notifier.notify(AgentNotice::Fault(Failure::of(&error)));
                tracing::error!("{error}");
            }
        }
        Ok(())
    }

    fn have_node_do(&mut self, task: NodeTask, call: NodeCall) {
        let refused = match &call {
            NodeCall::Admit(peer) | NodeCall::Dial(peer) if self.unwritten.contains(&peer.id) => {
                Some(TaskError::NotJournaled)
            }
            _ => None,
        };
        let refused =
            refused.or_else(|| self.executor.try_send(NodeOrder::Call(task, call)).is_err().then_some(TaskError::Full));
        if let Some(why) = refused {
            self.owed.push_back(Event::NodeDone { task, result: Err(why.to_string()) });
        }
    }

    fn answer(&mut self, tag: RequestTag, reply: CallReply) {
        match self.calls.remove(&tag) {
            Some(responder) => responder.respond(reply),
            None => tracing::debug!(tag, "an answer to a call of a socket that is gone"),
        }
    }

    fn left(&self) -> usize {
        self.journal.as_ref().map_or(0, |journal| journal.alive().len())
    }
}

/// Waits for a moment; for ever without one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
