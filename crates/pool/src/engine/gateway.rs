use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::{Mutex, Semaphore, oneshot},
    time::{Instant, timeout},
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use vipnode_pool_core::{Command, Limits, Reply, RequestId};
use vipnode_rpc::Responder;
use vipnode_types::wire::{ErrorCode, WireError};

use crate::{
    PoolConfig, PoolLimits, Welcome,
    auth::{access_rules::Rules, audience::Audience},
    engine::{
        connections::{Connections, NOBODY},
        inbox::{Answer, Inbox, Message, ReplyTo},
    },
    error,
    fairness::{
        block::Block,
        command_permits::{CommandPermit, CommandPermits, PermitClass},
        connection_limiter::ConnectionLimiter,
        fair_semaphore::{FairPermit, FairSemaphore},
    },
    methods::{http_sessions::HttpAgents, protocol2::HttpNodes},
    metrics::Metrics,
    net::{proxy::TrustedProxies, tls::Handshakes},
};

/// What all sockets share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) limits: PoolLimits,
    pub(crate) audience: Audience,
    pub(crate) limiter: Arc<ConnectionLimiter>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) handshakes: Arc<Handshakes>,
    rules: RwLock<Arc<Rules>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) http_agents: HttpAgents,
    pub(crate) http_nodes: HttpNodes,
    pub(crate) metrics: Arc<Metrics>,
    inbox: Inbox,
    permits: Arc<CommandPermits>,
    checks: Arc<FairSemaphore>,
    /// Ports that may be tried at once.
    pub(crate) reaches: Arc<Semaphore>,
    /// Stands for the pool's own requests.
    own: Arc<Block>,
    next_request: AtomicU64,
    in_flight: TaskTracker,
    draining: AtomicBool,
    kept_status: Mutex<Option<(Instant, Box<RawValue>)>>,
}

/// A request that has its name, and no place before the core yet.
#[derive(Debug)]
pub(crate) struct Request {
    id: RequestId,
    command: Command,
}

/// A request that is on its way to the core.
#[derive(Debug)]
pub(crate) struct PendingReply {
    answer: oneshot::Receiver<Answer>,
    retry_ms: u64,
    /// Held so that the end of the pool waits for the answer.
    _in_flight: TaskTrackerToken,
}

impl PendingReply {
    /// The core's answer.
    pub(crate) async fn answer(self) -> Answer {
        self.answer.await.unwrap_or_else(|_| Err(error::rebuilding(self.retry_ms)))
    }
}

impl Gateway {
    pub(crate) fn new(
        config: PoolConfig,
        audience: Audience,
        connections: Arc<Connections>,
        metrics: Arc<Metrics>,
        inbox: Inbox,
    ) -> Self {
        let rules = RwLock::new(Arc::new(Rules::of(&config)));
        let PoolConfig { limits, core, proxies, .. } = config;
        let checks = match limits.signature_checks {
            0 => available_parallelism().map_or(1, |cores| cores.get() / 2).max(1),
            checks => checks,
        };
        Self {
            audience,
            http_agents: HttpAgents::new(limits.http_agents, &core),
            http_nodes: HttpNodes::new(limits.http_agents),
            permits: Arc::new(CommandPermits::new(&limits)),
            checks: Arc::new(FairSemaphore::new(checks)),
            reaches: Arc::new(Semaphore::new(limits.reaches)),
            own: Arc::new(Block::new(&limits, std::time::Instant::now())),
            limiter: Arc::new(ConnectionLimiter::new(&limits)),
            handshakes: Arc::new(Handshakes::new(limits.tls_handshakes)),
            proxies,
            rules,
            connections,
            metrics,
            inbox,
            next_request: AtomicU64::new(1),
            in_flight: TaskTracker::new(),
            draining: AtomicBool::new(false),
            kept_status: Mutex::new(None),
            limits,
        }
    }

    /// Whom the pool takes, at this moment.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other rules, and has the core take other limits and words. Names the limits that it cannot take.
    pub(crate) async fn reload(&self, config: &PoolConfig) -> Vec<&'static str> {
        let rules = Rules::of(config);
        let limits = Limits { closed: rules.members.is_closed(), ..config.core.clone() };
        let welcome: Option<Welcome> = config.welcome.clone();
        let members = rules.members.clone();
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        let (done, refused) = oneshot::channel();
        self.inbox.push(Message::Reload { limits: Box::new(limits), welcome, members, done });
        let mut refused = refused.await.unwrap_or_default();
        let own = PoolLimits::TABLE.iter().filter(|row| (row.get)(&self.limits) != (row.get)(&config.limits));
        refused.extend(own.map(|row| row.name));
        refused
    }

    /// Hands a request of somebody in an address block to the core.
    pub(crate) fn ask(
        &self,
        block: &Arc<Block>,
        make: impl FnOnce(RequestId) -> Command,
    ) -> Result<PendingReply, WireError> {
        let request = self.begin(make)?;
        let permit = self.permit(block, &request)?;
        let (reply, answer) = oneshot::channel();
        let asked = PendingReply { answer, retry_ms: self.limits.retry_ms(), _in_flight: self.in_flight.token() };
        self.hand(request, ReplyTo::Task(reply), permit);
        Ok(asked)
    }

    /// The core's answer to a request of somebody in an address block.
    pub(crate) async fn answered(&self, block: &Arc<Block>, make: impl FnOnce(RequestId) -> Command) -> Answer {
        self.ask(block, make)?.answer().await
    }

    /// Names a request.
    pub(crate) fn begin(&self, make: impl FnOnce(RequestId) -> Command) -> Result<Request, WireError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(error::going_down(self.limits.retry_ms()));
        }
        let id = self.next_request.fetch_add(1, Ordering::Relaxed);
        Ok(Request { id, command: make(id) })
    }

    /// A place before the core.
    pub(crate) fn permit(&self, block: &Arc<Block>, request: &Request) -> Result<CommandPermit, WireError> {
        let permit = self.permits.take(block, PermitClass::of(&request.command));
        permit.ok_or_else(|| error::crowded(self.limits.retry_ms()))
    }

    /// Returns a permit to check a signature, or what [`Gateway::wait_for_check`] waits for.
    pub(crate) fn try_check(&self, block: &Arc<Block>) -> Result<FairPermit, oneshot::Receiver<FairPermit>> {
        self.checks.acquire(block)
    }

    /// Waits for a permit to check a signature, at most for [`PoolLimits::check_wait`].
    pub(crate) async fn acquire_check(&self, block: &Arc<Block>) -> Result<FairPermit, WireError> {
        match self.try_check(block) {
            Ok(permit) => Ok(permit),
            Err(wait) => self.wait_for_check(wait).await,
        }
    }

    /// Waits at most for [`PoolLimits::check_wait`].
    pub(crate) async fn wait_for_check(&self, wait: oneshot::Receiver<FairPermit>) -> Result<FairPermit, WireError> {
        let permit = timeout(self.limits.check_wait, wait).await.ok().and_then(Result::ok);
        permit.ok_or_else(|| error::crowded(self.limits.retry_ms()))
    }

    /// Hands a request to the core, which answers the socket itself.
    pub(crate) fn hand_for(&self, request: Request, responder: Responder, permit: CommandPermit) {
        self.hand(request, ReplyTo::Socket(responder, self.in_flight.token()), permit);
    }

    fn hand(&self, request: Request, reply_to: ReplyTo, permit: CommandPermit) {
        let Request { id: request, command } = request;
        self.inbox.push(Message::Request { command, request, reply_to, permit });
    }

    /// Tells the core something that needs no answer.
    pub(crate) fn note(&self, command: Command) {
        self.inbox.push(Message::Note(command));
    }

    /// The status, for somebody who has connected or not; made at most once in [`PoolLimits::status_age`].
    pub(crate) async fn status(&self, connected: bool) -> Result<Box<RawValue>, WireError> {
        self.rules().status.admits(connected)?;
        let mut kept = self.kept_status.lock().await;
        if let Some((made, status)) = &*kept
            && made.elapsed() < self.limits.status_age
        {
            return Ok(status.clone());
        }
        let reply = self.ask(&self.own, |request| Command::Status { peer: NOBODY, request })?.answer().await?;
        let status = reply_text(&reply)?;
        *kept = Some((Instant::now(), status.clone()));
        Ok(status)
    }

    /// Whether the core answers and the store writes.
    pub(crate) async fn health(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("the pool is going down".to_owned());
        }
        let (answer, well) = oneshot::channel();
        self.inbox.push(Message::Probe(answer));
        match timeout(self.limits.health, well).await {
            Ok(Ok(well)) => well,
            Ok(Err(_dropped)) => Err("the pool's core does not run".to_owned()),
            Err(_elapsed) => {
                let ms = self.limits.health.as_millis();
                Err(format!("the pool's core and its store did not answer within {ms} ms"))
            }
        }
    }

    /// Takes no further requests and waits for the answers of those in flight, at most for `time`.
    pub(crate) async fn drain(&self, time: Duration) {
        self.draining.store(true, Ordering::Relaxed);
        self.in_flight.close();
        if timeout(time, self.in_flight.wait()).await.is_err() {
            tracing::warn!(requests = self.in_flight.len(), "requests were not answered in time");
        }
    }

    /// Ends the core's thread after what came before.
    pub(crate) fn stop(&self) {
        self.inbox.push(Message::Stop);
    }
}

/// A reply as JSON.
pub(crate) fn reply_text(reply: &Reply) -> Result<Box<RawValue>, WireError> {
    let text = match reply {
        Reply::Connect(reply) => to_raw_value(reply),
        Reply::Report(reply) => to_raw_value(reply),
        Reply::Ask(reply) => to_raw_value(reply),
        Reply::Explain(reply) => to_raw_value(reply),
        Reply::Done(reply) => to_raw_value(reply),
        Reply::Status(reply) => to_raw_value(reply),
        Reply::Protocol2(reply) => to_raw_value(reply),
    };
    text.map_err(|error| WireError::new(ErrorCode::Internal, error.to_string(), ""))
}

#[cfg(test)]
mod tests {
    use vipnode_metrics::Gauge;

    use super::*;
    use crate::PoolMetrics;

    #[tokio::test]
    async fn so_many_signatures_are_checked_at_once_and_the_next_waits_no_longer_than_allowed() {
        let limits = PoolLimits { signature_checks: 1, check_wait: Duration::ZERO, ..PoolLimits::default() };
        let (inbox, _items) = crate::engine::inbox::inbox(Gauge::default());
        let connections = Arc::new(Connections::new(inbox.clone()));
        let audience = Audience::new(([127, 0, 0, 1], 1).into(), &[], None);
        let metrics = PoolMetrics::default().shared();
        let config = PoolConfig { limits, ..PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap() };
        let gateway = Gateway::new(config, audience, connections, metrics, inbox);
        let permit = gateway.try_check(&gateway.own).unwrap();
        let wait = gateway.try_check(&gateway.own).unwrap_err();
        assert!(gateway.wait_for_check(wait).await.unwrap_err().is(ErrorCode::Busy));
        drop(permit);
        assert!(gateway.try_check(&gateway.own).is_ok());
    }
}
