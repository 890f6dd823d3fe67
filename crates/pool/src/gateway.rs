use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout},
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use vipnode_core::{Command, Reply, RequestId};
use vipnode_rpc::Responder;
use vipnode_types::wire::{ErrorCode, WireError};

use crate::{
    Membership, PoolLimits,
    audience::Audience,
    errors,
    http_agents::HttpAgents,
    inbox::{Answer, Inbox, Item, ReplyTo},
    metrics::Metrics,
    sockets::{NOBODY, Sockets},
};

/// What all sockets share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) limits: PoolLimits,
    pub(crate) members: Membership,
    pub(crate) audience: Audience,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) http_agents: HttpAgents,
    pub(crate) metrics: Arc<Metrics>,
    inbox: Inbox,
    permits: Permits,
    next_request: AtomicU64,
    in_flight: TaskTracker,
    draining: AtomicBool,
    status: Mutex<Option<(Instant, Box<RawValue>)>>,
}

/// Places before the pool's mind, apart for what must not crowd out the other.
#[derive(Debug)]
struct Permits {
    connect: Arc<Semaphore>,
    report: Arc<Semaphore>,
    other: Arc<Semaphore>,
}

/// A request that has its name, and no place before the mind yet.
#[derive(Debug)]
pub(crate) struct Request {
    id: RequestId,
    command: Command,
}

/// A request that is on its way to the mind.
#[derive(Debug)]
pub(crate) struct Asked {
    answer: oneshot::Receiver<Answer>,
    retry_ms: u64,
    /// Held so that the end of the pool waits for the answer.
    _in_flight: TaskTrackerToken,
}

impl Asked {
    /// The mind's answer.
    pub(crate) async fn answer(self) -> Answer {
        self.answer.await.unwrap_or_else(|_| Err(errors::rebuilding(self.retry_ms)))
    }
}

impl Gateway {
    pub(crate) fn new(
        limits: PoolLimits,
        members: Membership,
        audience: Audience,
        sockets: Arc<Sockets>,
        metrics: Arc<Metrics>,
        inbox: Inbox,
    ) -> Self {
        let semaphore = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self {
            members,
            audience,
            http_agents: HttpAgents::new(limits.http_agents),
            permits: Permits {
                connect: semaphore(limits.permits_connect),
                report: semaphore(limits.permits_report),
                other: semaphore(limits.permits_other),
            },
            sockets,
            metrics,
            inbox,
            next_request: AtomicU64::new(1),
            in_flight: TaskTracker::new(),
            draining: AtomicBool::new(false),
            status: Mutex::new(None),
            limits,
        }
    }

    /// Hands a request to the mind, in the order of the caller's requests.
    pub(crate) async fn ask(&self, make: impl FnOnce(RequestId) -> Command) -> Result<Asked, WireError> {
        let request = self.begin(make)?;
        let permit = self.permit(&request).await?;
        let (reply, answer) = oneshot::channel();
        let asked = Asked { answer, retry_ms: self.limits.retry_ms(), _in_flight: self.in_flight.token() };
        self.hand(request, ReplyTo::Caller(reply), permit);
        Ok(asked)
    }

    /// Names a request.
    pub(crate) fn begin(&self, make: impl FnOnce(RequestId) -> Command) -> Result<Request, WireError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(errors::going_down(self.limits.retry_ms()));
        }
        let id = self.next_request.fetch_add(1, Ordering::Relaxed);
        Ok(Request { id, command: make(id) })
    }

    fn permits(&self, request: &Request) -> Arc<Semaphore> {
        Arc::clone(match request.command {
            Command::Connect { .. } => &self.permits.connect,
            Command::Report { .. } => &self.permits.report,
            _ => &self.permits.other,
        })
    }

    /// A place before the mind, if there is one now.
    pub(crate) fn try_permit(&self, request: &Request) -> Option<OwnedSemaphorePermit> {
        self.permits(request).try_acquire_owned().ok()
    }

    /// Waits for a place before the mind, at most for [`PoolLimits::permit_wait`].
    pub(crate) async fn permit(&self, request: &Request) -> Result<OwnedSemaphorePermit, WireError> {
        let permit = timeout(self.limits.permit_wait, self.permits(request).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| errors::crowded(self.limits.retry_ms()))
    }

    /// Hands a request to the mind, which answers the socket itself.
    pub(crate) fn hand_for(&self, request: Request, responder: Responder, permit: OwnedSemaphorePermit) {
        self.hand(request, ReplyTo::Socket(responder, self.in_flight.token()), permit);
    }

    fn hand(&self, request: Request, reply_to: ReplyTo, permit: OwnedSemaphorePermit) {
        let Request { id: request, command } = request;
        self.inbox.push(Item::Request { command, request, reply_to, permit });
    }

    /// Tells the mind something that needs no answer.
    pub(crate) fn note(&self, command: Command) {
        self.inbox.push(Item::Note(command));
    }

    /// What everybody may see; made at most once in [`PoolLimits::status_age`].
    pub(crate) async fn status(&self) -> Result<Box<RawValue>, WireError> {
        let mut kept = self.status.lock().await;
        if let Some((made, status)) = &*kept
            && made.elapsed() < self.limits.status_age
        {
            return Ok(status.clone());
        }
        let reply = self.ask(|request| Command::Status { peer: NOBODY, request }).await?.answer().await?;
        let status = reply_text(&reply)?;
        *kept = Some((Instant::now(), status.clone()));
        Ok(status)
    }

    /// Whether the mind answers and the store writes.
    pub(crate) async fn health(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("the pool is going down".to_owned());
        }
        let (answer, well) = oneshot::channel();
        self.inbox.push(Item::Probe(answer));
        match timeout(self.limits.health, well).await {
            Ok(Ok(well)) => well,
            Ok(Err(_dropped)) => Err("the pool's mind does not run".to_owned()),
            Err(_elapsed) => {
                let ms = self.limits.health.as_millis();
                Err(format!("the pool's mind and its store did not answer within {ms} ms"))
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

    /// Ends the mind's thread after what came before.
    pub(crate) fn stop(&self) {
        self.inbox.push(Item::Stop);
    }
}

/// A reply as JSON.
pub(crate) fn reply_text(reply: &Reply) -> Result<Box<RawValue>, WireError> {
    let text = match reply {
        Reply::Connect(reply) => to_raw_value(reply),
        Reply::Report(reply) => to_raw_value(reply),
        Reply::Ask(reply) => to_raw_value(reply),
        Reply::Done(reply) => to_raw_value(reply),
        Reply::Status(reply) => to_raw_value(reply),
    };
    text.map_err(|error| WireError::new(ErrorCode::Internal, error.to_string(), ""))
}
