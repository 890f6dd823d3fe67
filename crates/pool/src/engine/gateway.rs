use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};
use tokio_util::task::TaskTracker;
use vipnode_pool_core::{Command, ConnectionId, LedgerChange, Limits, PoolLimits, RequestId};
use vipnode_rpc::Responder;
use vipnode_store::{Store, StoreError};
use vipnode_types::{QuotedPrice, wire::WireError};

use crate::{
    ReloadChanges,
    call_refusal::CallRefusal,
    engine::{
        health_error::HealthError,
        inbox::{CoreAnswer, CoreMessage, Inbox, ReplyTo},
        operator_query::OperatorQuery,
        store_thread::StoreWork,
    },
    fairness::{Block, CommandPermit, CommandPermits, PermitClass},
};

/// The entry to the core: it numbers requests, limits those that wait, and hands them over.
#[derive(Debug)]
pub(crate) struct Gateway {
    inbox: Inbox,
    permits: Arc<CommandPermits>,
    next_request: AtomicU64,
    /// Requests that are not answered; the shutdown of the pool waits for them.
    in_flight: TaskTracker,
    draining: AtomicBool,
    retry_ms: u64,
    /// The time limit for core and store to answer a probe.
    health: Duration,
}

/// A command that has its request id and no permit yet.
#[derive(Debug)]
pub(crate) struct PreparedCommand {
    request: RequestId,
    command: Command,
    class: PermitClass,
    /// Translates refusals to the protocol of the command.
    refuse: fn(WireError) -> WireError,
}

impl PreparedCommand {
    /// Sets the translation of refusals.
    pub(crate) fn refused_by(self, refuse: fn(WireError) -> WireError) -> Self {
        Self { refuse, ..self }
    }

    /// Translates a refusal to the protocol of the command.
    pub(crate) fn refusal(&self, error: WireError) -> WireError {
        (self.refuse)(error)
    }
}

impl Gateway {
    pub(crate) fn new(limits: &PoolLimits, inbox: Inbox) -> Self {
        Self {
            inbox,
            permits: Arc::new(CommandPermits::new(limits)),
            next_request: AtomicU64::new(1),
            in_flight: TaskTracker::new(),
            draining: AtomicBool::new(false),
            retry_ms: limits.retry_ms(),
            health: limits.health,
        }
    }

    /// Numbers a request and creates its command.
    ///
    /// # Errors
    /// The pool is shutting down.
    pub(crate) fn prepare(
        &self,
        class: PermitClass,
        make: impl FnOnce(RequestId) -> Command,
    ) -> Result<PreparedCommand, WireError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(CallRefusal::ShuttingDown { retry_ms: self.retry_ms }.into());
        }
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        Ok(PreparedCommand { request, command: make(request), class, refuse: std::convert::identity })
    }

    /// Returns the permit of a command.
    ///
    /// # Errors
    /// No permit is free, or none for this address block.
    pub(crate) fn permit(&self, block: &Arc<Block>, prepared: &PreparedCommand) -> Result<CommandPermit, WireError> {
        let permit = self.permits.take(block, prepared.class);
        permit.ok_or_else(|| prepared.refusal(CallRefusal::Overloaded { retry_ms: self.retry_ms }.into()))
    }

    /// Hands a command to the core, which answers the socket itself.
    pub(crate) fn hand_over(
        &self,
        prepared: PreparedCommand,
        responder: Responder,
        block: &Arc<Block>,
        permit: CommandPermit,
    ) {
        let reply_to = ReplyTo::Socket { responder, block: Arc::clone(block), _in_flight: self.in_flight.token() };
        self.push(prepared, reply_to, permit);
    }

    /// Waits until the core has handled everything about a connection that was handed over before.
    pub(crate) async fn passed(&self, connection: ConnectionId) {
        let (done, is_done) = oneshot::channel();
        self.inbox.push(CoreMessage::Barrier { connection, done });
        // If the core stops, nothing is left to wait for.
        let _stopped = is_done.await;
    }

    /// Returns the core's answer to a command of an address block.
    pub(crate) async fn answer(&self, block: &Arc<Block>, prepared: PreparedCommand) -> CoreAnswer {
        let permit = self.permit(block, &prepared)?;
        let refuse = prepared.refuse;
        let (reply, answer) = oneshot::channel();
        let _in_flight = self.in_flight.token();
        self.push(prepared, ReplyTo::Task(reply), permit);
        answer.await.unwrap_or_else(|_| Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into())).map_err(refuse)
    }

    fn push(&self, prepared: PreparedCommand, reply_to: ReplyTo, permit: CommandPermit) {
        let PreparedCommand { request, command, .. } = prepared;
        self.inbox.push(CoreMessage::Request { command, request, reply_to, permit });
    }

    /// Hands over a command that needs no answer.
    pub(crate) fn note(&self, command: Command) {
        self.inbox.push(CoreMessage::OneWay(command));
    }

    /// Hands over an order of the operator.
    pub(crate) fn query(&self, query: OperatorQuery) {
        self.inbox.push(CoreMessage::Operator(query));
    }

    /// Changes the ledger. Returns the core's answer, once the change is durable.
    pub(crate) async fn change_ledger(&self, change: LedgerChange) -> CoreAnswer {
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let _in_flight = self.in_flight.token();
        self.query(OperatorQuery::Ledger { request, change: Box::new(change), reply_to: ReplyTo::Task(reply) });
        answer.await.unwrap_or_else(|_| Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into()))
    }

    /// Announces a price. Returns the core's answer, once the announcement is durable.
    pub(crate) async fn announce_price(&self, price: QuotedPrice, fee_bps: Option<u16>) -> CoreAnswer {
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let _in_flight = self.in_flight.token();
        self.query(OperatorQuery::Price { request, price, fee_bps, reply_to: ReplyTo::Task(reply) });
        answer.await.unwrap_or_else(|_| Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into()))
    }

    /// Asks about the epochs, or has one begin. Returns the core's answer, once the beginning is durable.
    pub(crate) async fn epoch(&self, run: bool) -> CoreAnswer {
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let _in_flight = self.in_flight.token();
        self.query(OperatorQuery::Epoch { request, run, reply_to: ReplyTo::Task(reply) });
        answer.await.unwrap_or_else(|_| Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into()))
    }

    /// Returns the answer to a question of the operator; `None` if the core ended or was discarded in the meantime.
    pub(crate) async fn ask<T>(&self, query: impl FnOnce(oneshot::Sender<T>) -> OperatorQuery) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.query(query(answer));
        answered.await.ok()
    }

    /// Has the store do something between two commits; `None` if it cannot write.
    pub(crate) async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<Result<T, StoreError>> {
        let (work, result) = StoreWork::new(work);
        self.inbox.push(CoreMessage::Work(work));
        result.await.ok()
    }

    /// Applies new limits of the core, and closes the connections of nodes that are no longer members. Returns the names of
    /// changed limits that take effect only at the next start.
    pub(crate) async fn reload(&self, limits: Limits) -> ReloadChanges {
        let (done, changes) = oneshot::channel();
        self.inbox.push(CoreMessage::Reload { limits: Box::new(limits), done });
        changes.await.unwrap_or_default()
    }

    /// Whether the core answers and the store writes.
    pub(crate) async fn health(&self) -> Result<(), HealthError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(HealthError::ShuttingDown);
        }
        let (answer, well) = oneshot::channel();
        self.inbox.push(CoreMessage::Probe(answer));
        match timeout(self.health, well).await {
            Ok(Ok(well)) => well,
            Ok(Err(_dropped)) => Err(HealthError::CoreStopped),
            Err(_elapsed) => Err(HealthError::Slow { limit_ms: self.health.as_millis() }),
        }
    }

    /// Refuses further requests and waits for the answers to those in flight, for at most `time`.
    pub(crate) async fn finish_requests(&self, time: Duration) {
        self.draining.store(true, Ordering::Relaxed);
        self.in_flight.close();
        if timeout(time, self.in_flight.wait()).await.is_err() {
            tracing::warn!(requests = self.in_flight.len(), "requests were not answered in time");
        }
    }

    /// Ends the core's thread after the messages sent before.
    pub(crate) fn stop(&self) {
        self.inbox.push(CoreMessage::Stop);
    }
}
