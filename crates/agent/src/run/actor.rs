use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use vipnode_agent_core::{AgentConfig, AgentCore, Event, StopCause};
use vipnode_node::Node;
use vipnode_types::NodeFacts;

use super::{journal_queue::JournalQueue, open_calls::OpenCalls, prepare::PreparedPool};
use crate::{
    AgentError, AgentMetrics, Connector, Resolver,
    clock::Clock,
    limits::{NODE_CALLS, NODE_EVENTS, POOL_EVENTS, POOL_REQUESTS, STOP_DEADLINE},
    local::{AgentStatus, Queries, StaticStatus, StatusQuery},
    node::{Executor, NodeCommand, Observer},
    notifier::Notifier,
    pool::{Attempt, PoolClient, PoolEvent, PoolEventKind, PoolRequest},
    state::{Journal, KeptPrices, SignedVouchers},
};

/// The task that owns the agent core.
pub(crate) struct Actor {
    pub(super) core: AgentCore,
    pub(super) clock: Clock,
    pub(super) notifier: Notifier,
    pub(super) metrics: Option<AgentMetrics>,
    pub(super) journal: JournalQueue,
    /// Where there is a pool.
    pub(super) kept_prices: Option<KeptPrices>,
    /// Where there is a pool.
    pub(super) vouchers: Option<SignedVouchers>,
    /// The record of the newest voucher could not be written, so it must not leave.
    pub(super) is_voucher_unkept: bool,
    pub(super) node: Arc<dyn Node>,
    pub(super) static_status: StaticStatus,
    pub(super) status_queries: mpsc::Receiver<StatusQuery>,
    pub(super) executor: mpsc::Sender<NodeCommand>,
    pub(super) fast_poll_until: watch::Sender<Instant>,
    pub(super) requests: mpsc::Sender<PoolRequest>,
    pub(super) attempts: watch::Sender<Attempt>,
    pub(super) calls: OpenCalls,
    /// Events that the actor itself reports to the agent core, next.
    pub(super) own_events: VecDeque<Event>,
    pub(super) resolver: Arc<dyn Resolver>,
    /// Names that are being looked up; the agent core asks for each once.
    pub(super) lookups: FuturesUnordered<BoxFuture<'static, Event>>,
}

/// What the actor connects: the node, the pool and the user.
pub(crate) struct ActorParts {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) facts: NodeFacts,
    /// The pool, where there is one.
    pub(crate) pool: Option<(Arc<dyn Connector>, PreparedPool)>,
    pub(crate) resolver: Arc<dyn Resolver>,
    /// The settings, when they change.
    pub(crate) wanted: watch::Receiver<AgentConfig>,
    pub(crate) metrics: Option<AgentMetrics>,
    /// Queries of the user.
    pub(crate) queries: Queries,
    pub(crate) static_status: StaticStatus,
}

/// How long a closing link may take to send what is queued.
const FLUSH: Duration = Duration::from_secs(1);

impl Actor {
    /// Runs an agent to its end.
    pub(crate) async fn run(
        config: AgentConfig,
        journal: Journal,
        parts: ActorParts,
        stop: CancellationToken,
        notifier: Notifier,
    ) -> Result<(), AgentError> {
        let clock = Clock::start();
        let mut tasks = JoinSet::new();
        let (executor, node_calls) = mpsc::channel(NODE_CALLS);
        let (node_out, mut node_events) = mpsc::channel(NODE_EVENTS);
        let (requests, requests_given) = mpsc::channel(POOL_REQUESTS);
        let (attempts, attempts_given) = watch::channel(Attempt { number: 0, after: Duration::ZERO });
        let (events_out, mut pool_events) = mpsc::channel(POOL_EVENTS);
        let (fast_poll_until, fast_poll_seen) = watch::channel(Instant::now());
        let (up, up_seen) = watch::channel(true);
        let node = parts.node;
        tasks.spawn(Executor { node: node.clone(), up: up_seen }.run(node_calls, node_out.clone()));
        let (id, notifier_of_node) = (parts.facts.id, notifier.clone());
        let observer = Observer {
            node: node.clone(),
            id,
            fast_poll_until: fast_poll_seen,
            up,
            notifier: notifier_of_node,
            out: node_out,
        };
        tasks.spawn(observer.run(parts.facts));
        let Queries { status: status_queries, pool: queries } = parts.queries;
        let (client, kept) = parts
            .pool
            .map(|(connector, pool)| {
                let PreparedPool { protocol, identity, prices, vouchers } = pool;
                (PoolClient { connector, protocol, identity, queries }, (prices, vouchers))
            })
            .unzip();
        let (kept_prices, vouchers): (Option<KeptPrices>, Option<SignedVouchers>) = kept.unzip();
        let mut core = AgentCore::new(config, journal.alive().cloned(), clock.now());
        if let Some(price) = kept_prices.as_ref().and_then(KeptPrices::get) {
            core.restore_kept_price(price);
        }
        vouchers.iter().flat_map(SignedVouchers::records).for_each(|record| core.restore_vouchers(record));
        let client_task = client.map(|client| tokio::spawn(client.run(attempts_given, requests_given, events_out)));
        let mut actor = Self {
            core,
            clock,
            notifier,
            metrics: parts.metrics,
            journal: JournalQueue::new(journal),
            kept_prices,
            vouchers,
            is_voucher_unkept: false,
            node,
            static_status: parts.static_status,
            status_queries,
            executor,
            fast_poll_until,
            requests,
            attempts,
            calls: OpenCalls::default(),
            own_events: VecDeque::new(),
            resolver: parts.resolver,
            lookups: FuturesUnordered::new(),
        };
        let ended = actor.serve(&mut node_events, &mut pool_events, parts.wanted, &stop).await;
        // The client sends what is queued and closes the socket once its queue of requests is closed. It must not wait for
        // the actor to receive its events.
        drop(actor);
        pool_events.close();
        if let Some(mut client_task) = client_task
            && timeout(FLUSH, &mut client_task).await.is_err()
        {
            client_task.abort();
        }
        ended
    }

    async fn serve(
        &mut self,
        node_events: &mut mpsc::Receiver<Result<Event, AgentError>>,
        pool_events: &mut mpsc::Receiver<PoolEvent>,
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
                () = at(stop_by) => return Err(AgentError::NotUndone { left: self.journal.left() }),
                () = std::future::ready(()), if !self.own_events.is_empty() => self.own_events.pop_front(),
                Some(event) = node_events.recv() => Some(event?),
                Some(event) = pool_events.recv() => self.pool_event(event),
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
                let _gone = asker.send(AgentStatus::of(&self.static_status, &self.core.view()));
            }
            // The actor's own events must not keep other tasks from running.
            tokio::task::yield_now().await;
        }
    }

    fn pool_event(&mut self, from: PoolEvent) -> Option<Event> {
        if from.attempt != self.attempts.borrow().number {
            return None;
        }
        Some(match from.what {
            PoolEventKind::Open => Event::PoolOpen,
            PoolEventKind::Lost(why) => {
                self.calls.clear();
                Event::PoolLost { why }
            }
            PoolEventKind::Untrusted(why) => {
                self.calls.clear();
                Event::PoolUntrusted { why }
            }
            PoolEventKind::Address(address) => Event::PoolAddress(address),
            PoolEventKind::Answer(tag, answer) => Event::PoolAnswers { tag, answer },
            PoolEventKind::Call(call, responder) => Event::PoolCalls { tag: self.calls.open(responder)?, call },
        })
    }
}

/// Waits for a moment; for ever without one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
