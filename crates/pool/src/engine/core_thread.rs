//! The thread that owns the pool's core and its clock, and carries out its effects.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use serde_json::value::to_raw_value;
use tokio::{runtime::Handle, sync::oneshot, time::Instant};
use vipnode_pool_core::{
    CallId, CallOutcome, Command, ConnectionId, Core, Effect, Limits, PoolCall, Reply, RequestId, Row,
};
use vipnode_rpc::{CallError, PendingCall};
use vipnode_types::{Ms, protocol2, wire::method};

use crate::{
    Membership, Welcome,
    engine::{
        clock::PoolClock,
        connections::Connections,
        inbox::{Answer, Inbox, InboxReader, Message, ReplyTo},
        outbox::Outbox,
        store_thread::{Job, StoreThread},
    },
    error,
    metrics::{EXPIRED, LOST, Metrics, REFUSED},
};

/// Commands that one batch of rows takes together, at most. A pace: a further one is in the next batch.
const BATCH: usize = 256;

/// What the core's thread is made of.
pub(crate) struct CoreThreadParts {
    pub(crate) limits: Limits,
    pub(crate) seed: [u8; 32],
    pub(crate) welcome: Option<Welcome>,
    pub(crate) retry_ms: u64,
    /// A store that cannot be read is tried again after this time.
    pub(crate) store_retry: Duration,
    pub(crate) inbox: Inbox,
    pub(crate) items: InboxReader,
    pub(crate) connections: Arc<Connections>,
    pub(crate) store: StoreThread,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Handle,
}

/// The core and what it waits for.
pub(crate) struct CoreThread {
    parts: CoreThreadParts,
    core: Core,
    clock: PoolClock,
    /// Counts the minds of this process, so that the end of a call is never told to a later one.
    life: u64,
    waiting: BTreeMap<RequestId, ReplyTo>,
    outbox: Outbox,
    /// What may leave at the end of the batch.
    ready: Vec<Effect>,
    rows: Vec<Row>,
    ticket: Option<u64>,
    last_tick: Ms,
    out: Vec<Effect>,
}

/// The core cannot go on.
struct Broken(String);

impl CoreThread {
    /// Reads the store and builds the core.
    pub(crate) fn new(parts: CoreThreadParts) -> Result<Self, vipnode_store::StoreError> {
        let rows = parts.store.load()?;
        let clock = PoolClock::new();
        let core = build(&parts, clock.now(), rows);
        let clock = clock.not_before(core.now());
        let last_tick = clock.now();
        Ok(Self {
            parts,
            core,
            clock,
            life: 0,
            waiting: BTreeMap::new(),
            outbox: Outbox::default(),
            ready: Vec::new(),
            rows: Vec::new(),
            ticket: None,
            last_tick,
            out: Vec::new(),
        })
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        loop {
            match self.work() {
                Ok(()) => return,
                Err(broken) => {
                    if !self.rebuild(&broken.0) {
                        return;
                    }
                }
            }
        }
    }

    /// `Ok` at the end, `Err` where the core is to be built again.
    fn work(&mut self) -> Result<(), Broken> {
        loop {
            let mut wait = self.wait();
            for _ in 0..BATCH {
                let Some(item) = self.parts.items.next(wait) else { break };
                if matches!(item, Message::Stop) {
                    self.deliver();
                    return self.send_rows();
                }
                self.take(item)?;
                wait = Duration::ZERO;
            }
            if self.is_tick_due() {
                self.tick()?;
            }
            self.send_rows()?;
            self.deliver();
        }
    }

    fn wait(&self) -> Duration {
        let due = self.last_tick.plus(self.parts.limits.tick_ms);
        let due = self.core.next_wake().map_or(due, |wake| wake.min(due));
        self.clock.until(due)
    }

    fn is_tick_due(&self) -> bool {
        self.wait().is_zero()
    }

    fn tick(&mut self) -> Result<(), Broken> {
        self.last_tick = self.clock.now();
        // Whoever asked may be gone, and then needs no answer.
        self.waiting.retain(|_, reply| !reply.is_closed());
        self.parts.metrics.show(&self.core.gauges(), self.core.counters());
        self.handle(Command::Tick)
    }

    fn take(&mut self, item: Message) -> Result<(), Broken> {
        match item {
            Message::Request { command, request, reply_to, permit } => {
                self.waiting.insert(request, reply_to);
                drop(permit);
                self.handle(command)
            }
            Message::Note(command) => self.handle(command),
            Message::CallDone { life, call, outcome } if life == self.life => {
                self.handle(Command::CallDone { call, outcome })
            }
            Message::CallDone { .. } | Message::Stop => Ok(()),
            Message::Committed(ticket) => {
                self.parts.metrics.commits.inc();
                self.ready.extend(self.outbox.committed(ticket));
                Ok(())
            }
            Message::CommitFailed(error) => Err(Broken(format!("what changed could not be written: {error}"))),
            Message::Reload { limits, welcome, members, done } => {
                self.reload(*limits, welcome, &members, done);
                Ok(())
            }
            Message::Probe(answer) => {
                self.parts.store.send(Job::Probe(answer));
                Ok(())
            }
        }
    }

    /// Other settings. Whoever is no member any more is told so when it connects again; who knew another secret
    /// cannot be told apart before.
    fn reload(
        &mut self,
        limits: Limits,
        welcome: Option<Welcome>,
        members: &Membership,
        done: oneshot::Sender<Vec<&'static str>>,
    ) {
        let refused = self.core.set_limits(limits.clone());
        self.parts.limits = limits;
        self.parts.welcome = welcome;
        if let Membership::Members(members) = members {
            for peer in self.parts.connections.peers() {
                if self.core.node_at(peer).is_some_and(|node| !members.contains(&node)) {
                    self.parts.connections.close(peer, "this node is not a member of this pool any more");
                }
            }
        }
        let _nobody_waits = done.send(refused);
    }

    fn handle(&mut self, command: Command) -> Result<(), Broken> {
        self.handle_by(|core, now, out| core.handle(now, command, out))
    }

    /// A panic of `work` breaks the core, and nothing else.
    fn handle_by(&mut self, work: impl FnOnce(&mut Core, Ms, &mut Vec<Effect>)) -> Result<(), Broken> {
        let mut out = std::mem::take(&mut self.out);
        let (core, now) = (&mut self.core, self.clock.now());
        let handled = catch_unwind(AssertUnwindSafe(|| work(core, now, &mut out)));
        if handled.is_err() {
            return Err(Broken("a fault in the pool's core; please report the lines above".to_owned()));
        }
        for effect in out.drain(..) {
            if let Effect::Persist(rows) = effect {
                self.rows.extend(rows);
                self.ticket.get_or_insert_with(|| self.outbox.begin());
            } else {
                self.ready.extend(self.outbox.hold_or_pass(effect));
            }
        }
        self.out = out;
        Ok(())
    }

    fn send_rows(&mut self) -> Result<(), Broken> {
        let Some(ticket) = self.ticket.take() else { return Ok(()) };
        let rows = std::mem::take(&mut self.rows);
        if self.parts.store.send(Job::Apply { ticket, rows }) {
            return Ok(());
        }
        Err(Broken("the store's thread is gone".to_owned()))
    }

    /// Carries out what a batch of commands made, in order. Whoever is woken by it finds all of it.
    fn deliver(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        for effect in ready.drain(..) {
            self.carry_out(effect);
        }
        self.ready = ready;
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(_) => {}
            Effect::Reply { peer, request, reply, .. } => self.answer(peer, request, reply),
            Effect::Close { peer, reason } => self.parts.connections.close(peer, &reason),
            Effect::Call { peer, call, message, answer_ms, .. } => self.call(peer, call, &message, answer_ms),
        }
    }

    fn answer(&mut self, peer: ConnectionId, request: RequestId, mut answer: Answer) {
        let Some(waiting) = self.waiting.remove(&request) else { return };
        match &mut answer {
            Ok(Reply::Connect(connect)) => {
                connect.welcome = self.welcome(peer);
                self.parts.connections.confirm(peer);
            }
            Ok(Reply::Protocol2(reply)) => {
                let message = match &mut **reply {
                    protocol2::Reply::Connect(reply) => Some(&mut reply.message),
                    protocol2::Reply::Client(reply) => Some(&mut reply.message),
                    protocol2::Reply::Host(_) => None,
                    protocol2::Reply::Update(_) | protocol2::Reply::Peer(_) => return waiting.send(answer),
                };
                if let (Some(message), Some(welcome)) = (message, self.welcome(peer)) {
                    *message = welcome;
                }
                self.parts.connections.confirm(peer);
            }
            Ok(_) => {}
            Err(_) => {
                self.parts.metrics.errors.inc();
            }
        }
        waiting.send(answer);
    }

    /// The operator's words to whoever is on a connection.
    fn welcome(&self, peer: ConnectionId) -> Option<String> {
        self.parts.welcome.as_ref().map(|welcome| welcome.to(self.core.node_at(peer)))
    }

    /// Queues a call, so that calls to one agent keep their order; a task of its own waits for the end
    /// and tells it, once.
    fn call(&self, peer: ConnectionId, call: CallId, message: &PoolCall, answer_ms: u64) {
        self.parts.metrics.calls.inc();
        let wait = Duration::from_millis(answer_ms);
        let mut begun = BegunCall {
            inbox: self.parts.inbox.clone(),
            connections: Arc::clone(&self.parts.connections),
            metrics: Arc::clone(&self.parts.metrics),
            life: self.life,
            peer,
            call,
            admits: matches!(message, PoolCall::Admit(_) | PoolCall::Whitelist(_)),
            outcome: CallOutcome::Lost,
        };
        match self.begin(peer, message) {
            Ok(pending) => {
                self.parts.runtime.spawn(async move {
                    let answer = pending.wait_until(Instant::now() + wait).await;
                    begun.end(answer.map(|_done| ()));
                });
            }
            Err(error) => begun.end(Err(error)),
        }
    }

    fn begin(&self, peer: ConnectionId, message: &PoolCall) -> Result<PendingCall, CallError> {
        let rpc =
            self.parts.connections.rpc(peer).ok_or_else(|| CallError::Lost("the connection is gone".to_owned()))?;
        let (method, params) = match message {
            PoolCall::Admit(call) => (method::ADMIT, to_raw_value(&[call])),
            PoolCall::Evict(call) => (method::EVICT, to_raw_value(&[call])),
            PoolCall::Dial(call) => (method::DIAL, to_raw_value(&[call])),
            PoolCall::Whitelist(client) => (protocol2::method::WHITELIST, to_raw_value(&[client])),
        };
        rpc.begin_call(method, params.map_err(|error| CallError::Json(error.to_string()))?)
    }

    /// Discards the core and builds another from what is durable; false where it is to stop.
    fn rebuild(&mut self, why: &str) -> bool {
        tracing::error!(why, "the pool rebuilds its state from the store");
        self.parts.metrics.rebuilds.inc();
        let busy = || error::rebuilding(self.parts.retry_ms);
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            waiting.send(Err(busy()));
        }
        self.outbox.discard();
        (self.rows, self.ticket, self.out, self.ready) = (Vec::new(), None, Vec::new(), Vec::new());
        self.life = self.life.saturating_add(1);
        self.parts.connections.close_all("the pool brings its state back; leases go on, connect again");
        loop {
            match self.parts.store.load() {
                Ok(rows) => {
                    self.core = build(&self.parts, self.clock.now(), rows);
                    self.clock = self.clock.not_before(self.core.now());
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the store cannot be read; trying again");
                    if !self.refuse_for(self.parts.store_retry, &error.to_string()) {
                        return false;
                    }
                }
            }
        }
    }

    /// Answers "busy" for a while; false where it is to stop.
    fn refuse_for(&mut self, time: Duration, why: &str) -> bool {
        let until = std::time::Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            match self.parts.items.next(left) {
                Some(Message::Request { reply_to, .. }) => {
                    reply_to.send(Err(error::rebuilding(self.parts.retry_ms)));
                }
                Some(Message::Probe(answer)) => {
                    let _gone = answer.send(Err(format!("the store cannot be read: {why}")));
                }
                Some(Message::Reload { limits, welcome, done, .. }) => {
                    self.parts.limits = *limits;
                    self.parts.welcome = welcome;
                    let _nobody_waits = done.send(Vec::new());
                }
                Some(Message::Stop) => return false,
                Some(_) => {}
                None => return true,
            }
        }
    }
}

/// A call whose end the core hears once: as lost where nothing else is known when this is dropped.
struct BegunCall {
    inbox: Inbox,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    life: u64,
    peer: ConnectionId,
    call: CallId,
    admits: bool,
    outcome: CallOutcome,
}

impl BegunCall {
    fn end(&mut self, answer: Result<(), CallError>) {
        if answer == Err(CallError::Full) {
            self.metrics.overflows.inc();
            self.connections.close(self.peer, "the agent does not take up its calls");
        }
        self.outcome = outcome(answer);
    }
}

impl Drop for BegunCall {
    fn drop(&mut self) {
        count_failure(&self.metrics, self.admits, &self.outcome);
        let outcome = std::mem::replace(&mut self.outcome, CallOutcome::Lost);
        self.inbox.push(Message::CallDone { life: self.life, call: self.call, outcome });
    }
}

fn build(parts: &CoreThreadParts, now: Ms, rows: Vec<Row>) -> Core {
    if rows.is_empty() {
        let mut core = Core::new(parts.limits.clone(), parts.seed, now);
        // An agent may hold leases of a pool that remembers nothing: their numbers are not given again. Nobody
        // gives out a million a second.
        core.number_leases_from(now.get().saturating_mul(1_000));
        return core;
    }
    Core::restore(parts.limits.clone(), parts.seed, now, rows)
}

fn count_failure(metrics: &Metrics, admits: bool, outcome: &CallOutcome) {
    let reason = match outcome {
        CallOutcome::Done => return,
        CallOutcome::Refused(_) => REFUSED,
        CallOutcome::Expired => EXPIRED,
        CallOutcome::Lost => LOST,
    };
    metrics.calls_failed.inc();
    if admits {
        metrics.admit_failures.inc(reason);
    }
}

fn outcome(answer: Result<(), CallError>) -> CallOutcome {
    match answer {
        Ok(()) => CallOutcome::Done,
        Err(CallError::Remote(error)) => CallOutcome::Refused(error),
        Err(CallError::Expired) => CallOutcome::Expired,
        Err(CallError::Lost(_) | CallError::Tls { .. } | CallError::Full | CallError::Json(_)) => CallOutcome::Lost,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::{Command, Release};
    use vipnode_store::MemoryStore;
    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::{PoolMetrics, engine::connections::NOBODY};

    fn core_thread() -> CoreThread {
        let metrics = PoolMetrics::default().shared();
        let (inbox, items) = crate::engine::inbox::inbox(metrics.queue.clone());
        let connections = Arc::new(Connections::new(inbox.clone()));
        let (store, _thread) = StoreThread::start(Box::new(MemoryStore::new()), inbox.clone(), 4).unwrap();
        let limits = Limits { tick_ms: 1_000, ..Limits::default() };
        let parts = CoreThreadParts {
            limits,
            seed: [1; 32],
            welcome: None,
            retry_ms: 7,
            store_retry: Duration::from_secs(1),
            inbox,
            items,
            connections,
            store,
            metrics,
            runtime: Handle::current(),
        };
        CoreThread::new(parts).unwrap()
    }

    #[tokio::test]
    async fn a_panic_of_the_core_is_answered_busy_and_what_is_durable_goes_on() {
        let mut thread = core_thread();
        thread.handle_by(|_, _, out| out.push(Effect::Persist(vec![Row::NextLease(5_000)]))).ok().unwrap();
        thread.send_rows().ok().unwrap();
        let (reply, answer) = tokio::sync::oneshot::channel();
        thread.waiting.insert(3, ReplyTo::Task(reply));
        let broken = thread.handle_by(|_, _, out| {
            let reply = Ok(Reply::Done(vipnode_types::wire::Done {}));
            out.push(Effect::Reply { peer: NOBODY, request: 3, reply, release: Release::Now });
            panic!("as the test wants it");
        });
        let broken = broken.err().unwrap();
        assert!(broken.0.contains("please report"), "{}", broken.0);
        assert!(thread.rebuild(&broken.0));
        thread.deliver();
        let busy = answer.await.unwrap().unwrap_err();
        assert!(busy.is(ErrorCode::Busy) && busy.data.unwrap().retry_ms == Some(7));
        let rows = thread.core.rows();
        assert!(rows.contains(&Row::NextLease(5_000)), "{rows:?}");
        assert_eq!((thread.life, thread.parts.metrics.rebuilds.get()), (1, 1));
        thread.handle(Command::Tick).ok().unwrap();
    }
}
