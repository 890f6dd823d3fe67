//! The thread that owns the pool's core and its clock, and carries out its effects.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::oneshot};
use vipnode_pool_core::{Command, Core, Effect, Limits, Row};
use vipnode_store::StoreError;
use vipnode_types::Ms;

use crate::{
    auth::AccessControl,
    close_reason::CloseReason,
    engine::{
        clock::PoolClock,
        connections::Connections,
        health_error::HealthError,
        inbox::{Inbox, InboxReader, Message},
        outbox::Outbox,
        pool_call::AgentCaller,
        replies::Replies,
        store_thread::{Job, StoreThread},
    },
    error::Refusal,
    metrics::Metrics,
};

/// Commands that one batch of rows takes together, at most. A pace: a further one is in the next batch.
const BATCH: usize = 256;

/// What the core's thread is made of.
pub(crate) struct CoreThreadParts {
    pub(crate) limits: Limits,
    pub(crate) seed: [u8; 32],
    pub(crate) access: Arc<AccessControl>,
    pub(crate) retry_ms: u64,
    /// A store that cannot be read is tried again after this time.
    pub(crate) store_retry: Duration,
    pub(crate) inbox: Inbox,
    pub(crate) reader: InboxReader,
    pub(crate) connections: Arc<Connections>,
    pub(crate) store: StoreThread,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Handle,
}

/// The core, and what joins it to the rest of the pool.
pub(crate) struct CoreThread {
    core: Core,
    limits: Limits,
    seed: [u8; 32],
    clock: PoolClock,
    last_tick: Ms,
    /// Counts the cores of this process, so that the end of a call never reaches a later one.
    life: u64,
    reader: InboxReader,
    replies: Replies,
    calls: AgentCaller,
    outbox: Outbox,
    store: StoreThread,
    store_retry: Duration,
    retry_ms: u64,
    access: Arc<AccessControl>,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    /// Kept for its capacity.
    effects: Vec<Effect>,
}

/// Why the core cannot go on.
struct Broken(String);

impl CoreThread {
    /// Reads the store and builds the core.
    pub(crate) fn new(parts: CoreThreadParts) -> Result<Self, StoreError> {
        let CoreThreadParts { limits, seed, access, retry_ms, store_retry, inbox, reader, .. } = parts;
        let CoreThreadParts { connections, store, metrics, runtime, .. } = parts;
        let rows = store.load()?;
        let clock = PoolClock::new();
        let core = build(&limits, seed, clock.now(), rows);
        let clock = clock.not_before(core.now());
        Ok(Self {
            core,
            limits,
            seed,
            last_tick: clock.now(),
            clock,
            life: 0,
            reader,
            replies: Replies::new(Arc::clone(&access), Arc::clone(&connections), Arc::clone(&metrics)),
            calls: AgentCaller::new(inbox, Arc::clone(&connections), Arc::clone(&metrics), runtime),
            outbox: Outbox::default(),
            store,
            store_retry,
            retry_ms,
            access,
            connections,
            metrics,
            effects: Vec::new(),
        })
    }

    /// Works until [`Message::Stop`].
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
                let Some(message) = self.reader.next(wait) else { break };
                if matches!(message, Message::Stop) {
                    self.deliver();
                    return self.send_rows();
                }
                self.take(message)?;
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
        let due = self.last_tick.plus(self.limits.tick_ms);
        let due = self.core.next_wake().map_or(due, |wake| wake.min(due));
        self.clock.until(due)
    }

    fn is_tick_due(&self) -> bool {
        self.wait().is_zero()
    }

    fn tick(&mut self) -> Result<(), Broken> {
        self.last_tick = self.clock.now();
        self.replies.forget_closed();
        self.metrics.show(&self.core.gauges(), self.core.counters());
        self.handle(Command::Tick)
    }

    fn take(&mut self, message: Message) -> Result<(), Broken> {
        match message {
            Message::Request { command, request, reply_to, permit } => {
                self.replies.expect(request, reply_to);
                drop(permit);
                self.handle(command)
            }
            Message::Note(command) => self.handle(command),
            Message::CallDone { life, call, outcome } if life == self.life => {
                self.handle(Command::CallDone { call, outcome })
            }
            Message::CallDone { .. } | Message::Stop => Ok(()),
            Message::Committed(ticket) => {
                self.metrics.commits.inc();
                self.outbox.committed(ticket);
                Ok(())
            }
            Message::CommitFailed(error) => Err(Broken(format!("what changed could not be written: {error}"))),
            Message::Reload { limits, done } => {
                self.reload(*limits, done);
                Ok(())
            }
            Message::Probe(answer) => {
                self.store.send(Job::Probe(answer));
                Ok(())
            }
        }
    }

    /// Takes other limits, and closes the connections of nodes that are no longer on the list of members. A node that
    /// knew another join secret cannot be recognized: it is refused when it connects again.
    fn reload(&mut self, limits: Limits, done: oneshot::Sender<Vec<&'static str>>) {
        let refused = self.core.set_limits(limits.clone());
        self.limits = limits;
        for peer in self.connections.peers() {
            if self.core.node_at(peer).is_some_and(|node| self.access.excludes(&node)) {
                self.connections.close(peer, &CloseReason::NoLongerMember.to_string());
            }
        }
        let _nobody_waits = done.send(refused);
    }

    fn handle(&mut self, command: Command) -> Result<(), Broken> {
        self.handle_by(|core, now, effects| {
            let _steps = core.handle(now, command, effects);
        })
    }

    /// A panic of `work` breaks the core, and nothing else.
    fn handle_by(&mut self, work: impl FnOnce(&mut Core, Ms, &mut Vec<Effect>)) -> Result<(), Broken> {
        let mut effects = std::mem::take(&mut self.effects);
        let (core, now) = (&mut self.core, self.clock.now());
        let handled = catch_unwind(AssertUnwindSafe(|| work(core, now, &mut effects)));
        if handled.is_err() {
            return Err(Broken("a fault in the pool's core; please report the lines above".to_owned()));
        }
        for effect in effects.drain(..) {
            self.outbox.push(effect);
        }
        self.effects = effects;
        Ok(())
    }

    fn send_rows(&mut self) -> Result<(), Broken> {
        let Some((ticket, rows)) = self.outbox.take_batch() else { return Ok(()) };
        if self.store.send(Job::Apply { ticket, rows }) {
            return Ok(());
        }
        Err(Broken("the store's thread is gone".to_owned()))
    }

    /// Carries out what a batch of commands made, in order. A task that it wakes finds all of it done.
    fn deliver(&mut self) {
        let Self { outbox, core, replies, calls, connections, life, .. } = self;
        outbox.deliver(|effect| match effect {
            Effect::Persist(_) => {}
            Effect::Reply { connection: peer, request, reply, .. } => {
                replies.answer(peer, core.node_at(peer), request, reply);
            }
            Effect::Close { connection: peer, reason } => connections.close(peer, &reason),
            Effect::Call { connection: peer, call, message, answer_ms, .. } => {
                calls.call(*life, peer, call, &message, Duration::from_millis(answer_ms));
            }
        });
    }

    /// Discards the core and builds another from what is durable; false where the thread is to stop.
    fn rebuild(&mut self, why: &str) -> bool {
        tracing::error!(why, "rebuilding the pool's state from the store");
        self.metrics.rebuilds.inc();
        self.replies.refuse_all(&Refusal::Rebuilding { retry_ms: self.retry_ms }.into());
        self.outbox.discard();
        self.effects = Vec::new();
        self.life = self.life.saturating_add(1);
        self.connections.close_all(&CloseReason::Restoring.to_string());
        loop {
            match self.store.load() {
                Ok(rows) => {
                    self.core = build(&self.limits, self.seed, self.clock.now(), rows);
                    self.clock = self.clock.not_before(self.core.now());
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the store cannot be read; trying again");
                    if !self.refuse_for(self.store_retry, &error) {
                        return false;
                    }
                }
            }
        }
    }

    /// Answers "busy" for a while; false where the thread is to stop.
    fn refuse_for(&mut self, time: Duration, why: &StoreError) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.reader.next(until.saturating_duration_since(Instant::now())) {
                Some(Message::Request { reply_to, .. }) => {
                    reply_to.send(Err(Refusal::Rebuilding { retry_ms: self.retry_ms }.into()));
                }
                Some(Message::Probe(answer)) => {
                    let _gone = answer.send(Err(HealthError::Store { source: why.clone() }));
                }
                Some(Message::Reload { limits, done }) => {
                    self.limits = *limits;
                    let _nobody_waits = done.send(Vec::new());
                }
                Some(Message::Stop) => return false,
                Some(_) => {}
                None => return true,
            }
        }
    }
}

fn build(limits: &Limits, seed: [u8; 32], now: Ms, rows: Vec<Row>) -> Core {
    let mut core = if rows.is_empty() {
        Core::new(limits.clone(), seed, now)
    } else {
        Core::restore(limits.clone(), seed, now, rows)
    };
    // An agent may hold leases that the store lost, or never kept: their numbers are not given out again. No pool gives
    // out a million a second.
    core.number_leases_from(now.get().saturating_mul(1_000));
    core
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::{Release, Reply};
    use vipnode_store::MemoryStore;
    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::{
        PoolConfig, PoolMetrics,
        auth::Audience,
        engine::{NOBODY, inbox, inbox::ReplyTo},
    };

    fn core_thread() -> CoreThread {
        let metrics = PoolMetrics::default().shared();
        let (inbox, reader) = inbox(metrics.queue.clone());
        let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
        let access = AccessControl::new(Audience::new(config.bind, &[], None), config.access_rules());
        let (store, _thread) = StoreThread::start(Box::new(MemoryStore::new()), inbox.clone(), 4).unwrap();
        let parts = CoreThreadParts {
            limits: Limits { tick_ms: 1_000, ..Limits::default() },
            seed: [1; 32],
            access: Arc::new(access),
            retry_ms: 7,
            store_retry: Duration::from_secs(1),
            connections: Arc::new(Connections::new(inbox.clone())),
            inbox,
            reader,
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
        thread.replies.expect(3, ReplyTo::Task(reply));
        let broken = thread.handle_by(|_, _, out| {
            let reply = Ok(Reply::Done(vipnode_types::wire::Done {}));
            out.push(Effect::Reply { connection: NOBODY, request: 3, reply, release: Release::Now });
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
        assert_eq!((thread.life, thread.metrics.rebuilds.get()), (1, 1));
        thread.handle(Command::Tick).ok().unwrap();
    }
}
