//! A failed commit: the pool's core is discarded and restored from the store, and the sockets stay open. Until the store can write
//! again, the core handles what changes nothing that is stored.

use std::collections::BTreeMap;

use vipnode_pool_core::{
    AttachedAgent, Command, ConnectionId, Core, Effect, Reply, RequestId, RestoredCore, Steps, WhileSuspended,
};
use vipnode_store::Store;
use vipnode_types::protocol2::{Protocol2Reply, UpdateReply};

use super::{RunEvent, Simulation, core_time::ChargedCoreTime, operator::OPERATOR};
use crate::checks::Promise;

/// What a pool whose store cannot write does once it can.
#[derive(Debug, Default)]
pub(crate) struct SuspendedPool {
    /// What the restored core wants carried out.
    again: Vec<Effect>,
    /// Commands that wait.
    later: Vec<Command>,
}

/// Connections on which an answer waited for rows that are lost, and whether one of them was to a connect.
type LostAnswers = BTreeMap<ConnectionId, bool>;

impl Simulation {
    /// Discards the core, which is ahead of the store, and goes on with one that is restored from the store. The store can write again
    /// in `down_ms`.
    pub(super) fn pool_rebuilds(&mut self, down_ms: u64) {
        self.compare_restored();
        self.compare_store();
        let Some(old) = self.pool.core.take() else { return };
        self.log(|| format!("pool: the commit fails; the core is restored, and the store works in {down_ms} ms"));
        self.hostile.pool_restarts(self.now, down_ms);
        let unsettled = self.settle();
        let attached: Vec<AttachedAgent> = old.attached();
        let confirmed: Vec<ConnectionId> = attached.iter().map(AttachedAgent::connection).collect();
        let mut attached: Vec<AttachedAgent> =
            attached.into_iter().filter(|agent| unsettled.get(&agent.connection()) != Some(&true)).collect();
        for agent in attached.iter_mut().filter(|agent| unsettled.contains_key(&agent.connection())) {
            agent.forget_last_report();
        }
        let mut suspended = SuspendedPool { later: self.forget_process(), ..SuspendedPool::default() };
        let mut core = self.read_core(&old);
        core.reattach(attached, &mut suspended.again);
        let unknown = |peer: &ConnectionId| core.node_at(*peer).is_none() && unsettled.get(peer) != Some(&true);
        let closed: Vec<ConnectionId> = confirmed.into_iter().filter(unknown).collect();
        self.pool.core = Some(core);
        self.pool.suspended = Some(suspended);
        for peer in closed {
            if let Some(number) = self.pool.sockets.get(&peer).copied() {
                self.pool_closes(number);
            }
        }
        self.pool.slept_until = self.now + down_ms;
        let incarnation = self.pool.incarnation;
        self.at(self.now + down_ms, RunEvent::PoolResumes { incarnation });
    }

    /// Answers what waits for rows that will never be durable, and refuses all other requests.
    fn settle(&mut self) -> LostAnswers {
        let mut unsettled = LostAnswers::new();
        for (_, effect) in std::mem::take(&mut self.pool.outbox) {
            let Effect::Reply { connection, request, reply: Ok(reply), when } = effect else { continue };
            let connects = match &reply {
                Reply::Connect(_) => true,
                Reply::Protocol2(reply) => !matches!(**reply, Protocol2Reply::Update(_) | Protocol2Reply::Peer(_)),
                _ => false,
            };
            *unsettled.entry(connection).or_default() |= connects;
            // Nothing ended, so there is nothing to drop. An error would end the original's agent.
            if connection.gateway != OPERATOR
                && let Reply::Protocol2(reply) = reply
                && let Protocol2Reply::Update(update) = *reply
            {
                let update = Protocol2Reply::Update(UpdateReply { invalid_peers: Vec::new(), ..update });
                self.release(Effect::Reply {
                    connection,
                    request,
                    reply: Ok(Reply::Protocol2(Box::new(update))),
                    when,
                });
            }
        }
        for request in self.pool.requests.keys().copied().collect::<Vec<_>>() {
            self.refuse(request);
        }
        self.operator.disconnected();
        unsettled
    }

    /// Forgets what the core before was asked, and what it had asked for. Returns the commands that the next one must not miss.
    fn forget_process(&mut self) -> Vec<Command> {
        let pool = &mut self.pool;
        (pool.writing, pool.wakes_at) = (None, None);
        pool.waiting.clear();
        pool.forgotten.clear();
        pool.calls.clear();
        pool.calls_ever.clear();
        pool.price_calls.clear();
        pool.durable = pool.handed;
        pool.in_flight = pool.handed;
        pool.incarnation += 1;
        let queued = std::mem::replace(&mut pool.time, ChargedCoreTime::new()).into_commands();
        queued.into_iter().filter(|command| matches!(command, Command::Disconnected { .. })).collect()
    }

    /// Restores a core from the store.
    fn read_core(&mut self, old: &Core) -> Core {
        let mut rows = Vec::new();
        let read = self.pool.store().load(&mut |row| rows.push(row));
        self.require(read.map_err(|error| Promise::Durability.violation(error)));
        self.starts_with(&rows);
        let now = self.pool_now().max(old.now());
        let mut core = RestoredCore::new(self.pool.limits.clone(), self.rng.seed(), now);
        core.take(rows);
        core.finish_or_number_from(now.get().saturating_mul(1_000))
    }

    /// Hands a command to a core that cannot store anything.
    pub(super) fn command_suspended(&mut self, command: Command) -> Steps {
        let now = self.pool_now();
        let request = request_of(&command);
        let (Some(core), Some(suspended)) = (&mut self.pool.core, &mut self.pool.suspended) else {
            return Steps::default();
        };
        let mut effects = Vec::new();
        let done = core.handle_suspended(now, command, &mut effects);
        let check = core.check();
        let is_busy = matches!(done, WhileSuspended::Busy);
        if let WhileSuspended::Later(command) = done {
            suspended.later.push(command);
        }
        self.require(check.map_err(|what| Promise::PoolInvariants.violation(what)));
        self.effects.pool(self.now, &effects);
        if is_busy && let Some(request) = request {
            self.refuse(request);
        }
        for effect in effects {
            self.log(|| format!("pool, suspended: {effect:?}"));
            match effect {
                Effect::Reply { .. } => self.release(effect),
                effect => self.violation(Promise::Durability, format!("a pool that cannot write wants {effect:?}")),
            }
        }
        Steps::default()
    }

    /// The store works again.
    pub(crate) fn pool_resumes(&mut self, incarnation: u32) {
        if self.pool.incarnation != incarnation {
            return;
        }
        let Some(SuspendedPool { again, later }) = self.pool.suspended.take() else { return };
        self.log(|| "pool: the store works again".to_owned());
        for effect in again {
            self.effect(effect);
        }
        for command in later {
            self.own_command(command);
        }
        self.start_core(Core::settle_backup);
        self.pool_tick(incarnation);
        self.checker.mode(self.pool.limits.payment);
    }
}

/// The request that a command answers, if it is one.
const fn request_of(command: &Command) -> Option<RequestId> {
    match command {
        Command::Connect { request, .. }
        | Command::CheckConnect { request, .. }
        | Command::Report { request, .. }
        | Command::Ask { request, .. }
        | Command::Explain { request, .. }
        | Command::Leave { request, .. }
        | Command::Bye { request, .. }
        | Command::Status { request, .. }
        | Command::Protocol2 { request, .. }
        | Command::Ledger { request, .. }
        | Command::Price { request, .. }
        | Command::Epoch { request, .. }
        | Command::Link { request, .. }
        | Command::Account { request, .. }
        | Command::Payout { request, .. }
        | Command::Funds { request, .. }
        | Command::Voucher { request, .. } => Some(*request),
        Command::CallDone { .. }
        | Command::Latency { .. }
        | Command::Disconnected { .. }
        | Command::Expel { .. }
        | Command::Chain(_)
        | Command::Tick => None,
    }
}
