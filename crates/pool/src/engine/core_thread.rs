//! The thread that owns the pool's core and its clock, and carries out its effects.

mod clock_correction;
mod later_queue;
mod rebuild;
mod suspended;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::oneshot};
use vipnode_pool_core::{
    AddressBlock, Command, ConnectionId, Core, Effect, Limits, NextPricing, PricingRow, Row, Steps,
};
use vipnode_store::StoreError;
use vipnode_types::{
    Ms, TypedError,
    wire::{ErrorCode, WireError},
};

pub(crate) use self::clock_correction::{ClockAcceptance, RecordClock};
use self::{clock_correction::ClockCorrection, later_queue::LaterQueue, rebuild::Restored};
use crate::{
    auth::AccessControl,
    close_reason::CloseReason,
    engine::{
        agent_caller::AgentCaller,
        chain_port::ChainPort,
        clock::{EngineClock, wall_clock},
        connections::Connections,
        core_time::CoreTime,
        effect_queue::EffectQueue,
        event_log::EventLog,
        inbox::{CoreMessage, Inbox, InboxReader},
        operator_query::OperatorQuery,
        replies::{RefusedAs, Replies},
        start_error::StartError,
        step_time::StepTime,
        store_thread::{Job, StoreThread},
    },
    metrics::Metrics,
    reload_changes::ReloadChanges,
};

/// The most commands whose rows are in one batch; the next command is in the next batch.
const BATCH: usize = 256;

/// The core, with its connections to the rest of the pool.
pub(crate) struct CoreThread {
    core: Core,
    /// Whether what the pool charges in is stored, or about to be.
    has_asset: bool,
    limits: Limits,
    seed: [u8; 32],
    clock: EngineClock,
    correction: Option<ClockCorrection>,
    last_tick: Ms,
    /// The number of this core in the process, so that the end of a call never reaches a later core.
    core_generation: u64,
    reader: InboxReader,
    replies: Replies,
    calls: AgentCaller,
    effect_queue: EffectQueue,
    store: StoreThread,
    chain: ChainPort,
    store_retry: Duration,
    retry_ms: u64,
    batch_time: Duration,
    access: Arc<AccessControl>,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
    event_log: EventLog,
    /// Kept for its capacity.
    effects: Vec<Effect>,
    /// What waits until the store works again.
    later: LaterQueue,
    /// The steps of the commands that were not charged yet.
    steps: Steps,
    step_time: StepTime,
    core_time: CoreTime,
}

/// What the core's thread needs at its start.
pub(crate) struct CoreThreadParts {
    pub(crate) limits: Limits,
    pub(crate) seed: [u8; 32],
    /// The operator accepts a clock that is far from the latest time that is stored.
    pub(crate) accept_clock: Option<ClockAcceptance>,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) retry_ms: u64,
    /// The time of a batch: answers leave at its end, so nobody's waits for more than this of others' commands.
    pub(crate) batch_time: Duration,
    /// Address blocks whose time is counted for the operator.
    pub(crate) core_time_blocks: usize,
    /// A store that cannot be read is read again after this time.
    pub(crate) store_retry: Duration,
    pub(crate) inbox: Inbox,
    pub(crate) reader: InboxReader,
    pub(crate) connections: Arc<Connections>,
    pub(crate) store: StoreThread,
    pub(crate) chain: ChainPort,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Handle,
}

/// The ticket of a batch that no effect waits for.
const BEFORE_ALL: u64 = 0;

/// Why the core cannot continue.
#[derive(Debug)]
enum Broken {
    /// Batches could not be made durable.
    Commit(StoreError),
    /// A fault in the core or in the store's thread.
    Fault(&'static str),
}

impl CoreThread {
    /// Reads the store and builds the core.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) fn new(parts: CoreThreadParts) -> Result<Self, StartError> {
        let accept_clock = parts.accept_clock;
        let CoreThreadParts { limits, seed, access, retry_ms, batch_time, core_time_blocks, store_retry, .. } = parts;
        let CoreThreadParts { inbox, mut reader, connections, store, chain, metrics, runtime, .. } = parts;
        reader.set_members_only(limits.members_only);
        let clock = EngineClock::new();
        let restored = Restored::read(&store, &limits, seed, clock.now());
        let Restored { mut core, asset, floor, .. } = restored.map_err(|source| StartError::Store { source })?;
        let running = core.gauges().running;
        let correction = ClockCorrection::of((clock.now(), floor), accept_clock, running)?;
        let given = limits.price.asset();
        if let Some(stored) = asset.filter(|stored| *stored != given) {
            return Err(StartError::OtherAsset { stored, given });
        }
        core.set_drains(access.bans_and_drains().drains());
        let clock = clock.not_before(core.now());
        core.set_wall_clock(clock.now(), wall_clock());
        let mut thread = Self {
            core,
            has_asset: asset.is_some(),
            limits,
            seed,
            last_tick: clock.now(),
            clock,
            correction,
            core_generation: 0,
            reader,
            replies: Replies::new(Arc::clone(&access), Arc::clone(&connections), Arc::clone(&metrics)),
            calls: AgentCaller::new(inbox, Arc::clone(&connections), Arc::clone(&metrics), runtime),
            effect_queue: EffectQueue::default(),
            store,
            chain,
            store_retry,
            retry_ms,
            batch_time,
            access,
            connections,
            metrics,
            event_log: EventLog::new(Instant::now()),
            effects: Vec::new(),
            later: LaterQueue::default(),
            steps: Steps::default(),
            step_time: StepTime::new(),
            core_time: CoreTime::new(core_time_blocks),
        };
        thread.keep_asset();
        Ok(thread)
    }

    /// Stores what the pool charges in as soon as something costs something. Until then, or until the first amount is recorded
    /// ([`Row::is_in_asset`]), the operator may still start the pool with another asset.
    fn keep_asset(&mut self) {
        let price = self.limits.price;
        if !self.has_asset && !price.is_free() {
            self.has_asset = true;
            self.store.send(Job::Apply { ticket: BEFORE_ALL, rows: vec![Row::Asset(price.asset())] });
        }
    }

    /// Runs until [`CoreMessage::Stop`].
    pub(crate) fn run(mut self) {
        loop {
            match self.work() {
                Ok(()) => return,
                Err(broken) => {
                    if !self.rebuild(broken) {
                        return;
                    }
                }
            }
        }
    }

    /// Runs until the end, or until the core has to be rebuilt.
    ///
    /// # Errors
    /// Why the core has to be rebuilt.
    fn work(&mut self) -> Result<(), Broken> {
        self.correct_clock()?;
        self.handle_by(Core::settle_backup)?;
        self.handle_by(Core::settle_payment)?;
        self.handle_by(Core::write_clock)?;
        self.log_price();
        self.send_rows()?;
        while let Some(message) = self.later.pop() {
            self.take(message)?;
        }
        while !self.handle_batch()? {
            if self.is_tick_due() {
                self.tick()?;
            }
            self.send_rows()?;
            self.deliver();
        }
        self.deliver();
        self.handle_by(Core::write_all)?;
        self.send_rows()
    }

    /// Handles messages until there are none, or the batch is full, or its time is over. Returns whether the thread has to
    /// stop.
    fn handle_batch(&mut self) -> Result<bool, Broken> {
        let mut wait = self.wait();
        let mut batch = None;
        for _ in 0..BATCH {
            let Some(message) = self.reader.next(wait) else { break };
            if matches!(message, CoreMessage::Stop) {
                return Ok(true);
            }
            let (began, last) = *batch.get_or_insert_with(|| (Instant::now(), Instant::now()));
            self.take(message)?;
            wait = Duration::ZERO;
            let now = Instant::now();
            batch = Some((began, now));
            self.charge(now.saturating_duration_since(last), self.reader.served());
            if now.saturating_duration_since(began) >= self.batch_time {
                break;
            }
        }
        Ok(false)
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
        // It may have been set since.
        self.core.set_wall_clock(self.last_tick, wall_clock());
        self.replies.forget_closed();
        self.metrics.show(&self.core.gauges(), self.core.counters(), self.core.asset());
        let began = Instant::now();
        self.handle(Command::Tick)?;
        self.charge(began.elapsed(), None);
        Ok(())
    }

    /// Charges the time that a command took to the address blocks that it searched for, and the rest to the block that it
    /// came from.
    fn charge(&mut self, spent: Duration, own: Option<AddressBlock>) {
        let Self { reader, step_time, core_time, steps, .. } = self;
        let steps = std::mem::take(steps);
        if own.is_some() {
            step_time.learn(spent, &steps);
        }
        step_time.share_out(spent, &steps, own, |block, ns| {
            reader.charge(block, ns);
            core_time.add(block, ns);
        });
    }

    fn take(&mut self, message: CoreMessage) -> Result<(), Broken> {
        match message {
            CoreMessage::Request { command, request, reply_to, permit } => {
                if let Some(refusal) = self.banned(&command) {
                    self.metrics.count_error(&refusal);
                    reply_to.send(Err(refusal));
                    return Ok(());
                }
                self.replies.expect(request, reply_to, RefusedAs::of(&command));
                drop(permit);
                self.handle(command)
            }
            CoreMessage::OneWay(command) => self.handle(command),
            CoreMessage::CallDone { core_generation, call, outcome, .. } if core_generation == self.core_generation => {
                self.handle(Command::CallDone { call, outcome })
            }
            CoreMessage::CallDone { .. } | CoreMessage::Stop => Ok(()),
            CoreMessage::Operator(query) => self.answer_operator(query),
            CoreMessage::Barrier { done, .. } => {
                let _nobody_waits = done.send(());
                Ok(())
            }
            CoreMessage::Committed(ticket) => {
                self.metrics.commits.inc();
                self.effect_queue.committed(ticket);
                self.correction_committed(ticket);
                Ok(())
            }
            // Those before were taken care of when the core was built again.
            CoreMessage::CommitFailed { ticket, .. } if self.effect_queue.is_settled(ticket) => Ok(()),
            CoreMessage::CommitFailed { error, .. } => Err(Broken::Commit(error)),
            CoreMessage::Reload { limits, done } => {
                self.reload(*limits, done);
                Ok(())
            }
            CoreMessage::Work(work) => {
                self.store.send(Job::Work(work));
                Ok(())
            }
            CoreMessage::Probe(answer) => {
                self.store.send(Job::Probe(answer));
                Ok(())
            }
        }
    }

    /// Writes what slots cost, and what was announced, to the log of a pool whose clients pay.
    fn log_price(&self) {
        let Some(PricingRow { current, next, .. }) = self.core.prices() else { return };
        match next {
            None => tracing::info!(price = %current.price, fee_bps = current.fee_bps, "a slot costs this"),
            Some(NextPricing { pricing, from, .. }) => tracing::info!(
                old = %current.price, new = %pricing.price, fee_bps = pricing.fee_bps, from = %from.rfc3339_seconds(),
                "the price of a slot changes"
            ),
        }
    }

    fn answer_operator(&mut self, query: OperatorQuery) -> Result<(), Broken> {
        let asset = self.limits.price.asset();
        match query {
            OperatorQuery::Nodes { position, most, answer } => {
                let _nobody_waits = answer.send(self.core.nodes_from(position, most));
            }
            OperatorQuery::CoreTime(answer) => {
                let _nobody_waits = answer.send(self.core_time.all());
            }
            OperatorQuery::Prices(answer) => {
                let _nobody_waits = answer.send(self.core.prices());
            }
            OperatorQuery::UnusedFunds(answer) => {
                let _nobody_waits = answer.send(self.core.has_unused_funds());
            }
            OperatorQuery::Drains(drains) => self.core.set_drains(drains),
            OperatorQuery::Pruned { last_entry } => self.core.forget_keys(last_entry),
            OperatorQuery::Accounts { from, most, answer } => {
                let _nobody_waits = answer.send((asset, self.core.accounts_from(from, most)));
            }
            OperatorQuery::Claims { after, most, answer } => {
                let _nobody_waits = answer.send((asset, self.core.claims(after, most)));
            }
            OperatorQuery::ClaimsWith(answer) => {
                let _nobody_waits = answer.send(self.core.claims_with());
            }
            OperatorQuery::Payout { number, answer } => {
                let _nobody_waits = answer.send(self.core.payout_with(number));
            }
            OperatorQuery::NewestPeriod(answer) => {
                let _nobody_waits = answer.send((asset, self.core.newest_settlement_period()));
            }
            OperatorQuery::Payouts { period, after, most, answer } => {
                let _nobody_waits = answer.send((asset, self.core.payouts_of(period, after, most)));
            }
            OperatorQuery::Ledger { request, change, reply_to } => {
                self.replies.expect(request, reply_to, RefusedAs::Busy);
                let connection = ConnectionId { gateway: 0, connection: u32::MAX, generation: 0 };
                return self.handle(Command::Ledger { connection, request, change });
            }
            OperatorQuery::Epoch { request, run, reply_to } => {
                self.replies.expect(request, reply_to, RefusedAs::Busy);
                let connection = ConnectionId { gateway: 0, connection: u32::MAX, generation: 0 };
                return self.handle(Command::Epoch { connection, request, run });
            }
            OperatorQuery::Price { request, price, fee_bps, reply_to } => {
                let price = match price.in_asset(asset) {
                    Ok(price) => price,
                    Err(error) => {
                        let (message, hint) = (error.to_string(), error.hint().unwrap_or_default());
                        reply_to.send(Err(WireError::new(ErrorCode::InvalidParams, message, hint)));
                        return Ok(());
                    }
                };
                self.replies.expect(request, reply_to, RefusedAs::Busy);
                let connection = ConnectionId { gateway: 0, connection: u32::MAX, generation: 0 };
                return self.handle(Command::Price { connection, request, price, fee_bps });
            }
        }
        Ok(())
    }

    /// Returns the refusal of a command that presents a banned node. The core's thread checks it, because it also ends what
    /// a new ban is for: no connect that is in progress at that moment gets through.
    fn banned(&self, command: &Command) -> Option<WireError> {
        let now = wall_clock();
        match command {
            Command::Connect { identity, address, .. } | Command::CheckConnect { identity, address, .. } => {
                self.access.check_ban(&identity.node, Some(&identity.agent), *address, now).err().map(WireError::from)
            }
            Command::Protocol2 { node, address, .. } => {
                let banned = self.access.check_ban(node, None, *address, now).err();
                banned.map(|refusal| WireError::from(refusal).for_protocol2())
            }
            _ => None,
        }
    }

    /// Applies new limits, and closes the connections of nodes that are no longer members. A node that proved an old join
    /// secret cannot be recognized: it is refused when it connects again.
    fn reload(&mut self, limits: Limits, done: oneshot::Sender<ReloadChanges>) {
        // Both take effect at the next start.
        let limits = Limits { payment: self.limits.payment, fee_bps: self.limits.fee_bps, ..limits };
        let later_limits = self.core.set_limits(limits.clone());
        self.reader.set_members_only(limits.members_only);
        self.limits = limits;
        self.keep_asset();
        let mut disconnected = 0_usize;
        for connection in self.connections.open() {
            if self.core.node_at(connection).is_some_and(|node| self.access.excludes(&node)) {
                self.connections.close(connection, &CloseReason::NoLongerMember.to_string());
                disconnected = disconnected.saturating_add(1);
            }
        }
        let _nobody_waits = done.send(ReloadChanges { later_limits, disconnected, ..ReloadChanges::default() });
    }

    fn handle(&mut self, command: Command) -> Result<(), Broken> {
        // A node that sends a bye leaves before its connection ends.
        if let Command::Disconnected { connection } | Command::Bye { connection, .. } = &command {
            self.event_log.write_left(&self.core, *connection);
        }
        self.steps = self.handle_by(|core, now, effects| core.handle(now, command, effects))?;
        Ok(())
    }

    /// Runs `work` on the core and puts its effects into the effect queue.
    ///
    /// # Errors
    /// `work` panicked: the core is broken, and nothing else.
    fn handle_by<T>(&mut self, work: impl FnOnce(&mut Core, Ms, &mut Vec<Effect>) -> T) -> Result<T, Broken> {
        let mut effects = std::mem::take(&mut self.effects);
        let (core, now) = (&mut self.core, self.clock.now());
        let handled = catch_unwind(AssertUnwindSafe(|| work(core, now, &mut effects)));
        let Ok(done) = handled else {
            return Err(Broken::Fault("a fault in the pool's core; please report the lines above"));
        };
        for effect in effects.drain(..) {
            self.event_log.write_effect(&self.core, &effect);
            self.effect_queue.push(effect);
        }
        self.effects = effects;
        Ok(done)
    }

    fn send_rows(&mut self) -> Result<(), Broken> {
        let Some((ticket, mut rows)) = self.effect_queue.take_batch() else { return Ok(()) };
        if !self.has_asset && rows.iter().any(Row::is_in_asset) {
            self.has_asset = true;
            rows.insert(0, Row::Asset(self.limits.price.asset()));
        }
        if self.store.send(Job::Apply { ticket, rows }) {
            return Ok(());
        }
        Err(Broken::Fault("the store's thread has ended"))
    }

    /// Carries out the effects that may be carried out, in order.
    fn deliver(&mut self) {
        let Self { effect_queue, core, replies, calls, connections, core_generation, chain, .. } = self;
        effect_queue.deliver(|effect| match effect {
            Effect::Persist(_) => {}
            Effect::Reply { connection, request, reply, .. } => {
                replies.answer(connection, core.node_at(connection), request, reply);
            }
            Effect::Chain(request) => chain.ask(request),
            Effect::Close { connection, reason, .. } => connections.close(connection, &reason),
            Effect::Call { connection, call, message, answer_ms, .. } => {
                calls.call(*core_generation, connection, call, &message, Duration::from_millis(answer_ms));
            }
        });
    }
}
