use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use vipnode_pool_core::{AttachedAgent, ConnectionId, Core, Effect, Limits, Reply, RestoredCore, Row};
use vipnode_store::StoreError;
use vipnode_types::{
    Asset, Ms,
    protocol2::{Protocol2Reply, UpdateReply},
};

use crate::{
    call_refusal::CallRefusal,
    close_reason::CloseReason,
    engine::{
        clock::wall_clock,
        core_thread::{Broken, CoreThread},
        store_thread::StoreThread,
    },
};

// The core after a fault: it is discarded and restored from the durable rows. The agents keep their connections.

/// A core with the rows of the store.
pub(super) struct Restored {
    pub(super) core: Core,
    /// What the pool charges in, if it is stored.
    pub(super) asset: Option<Asset>,
    /// The latest time that is stored; zero if there is none.
    pub(super) floor: Ms,
    /// Why a commit failed since batches were last accepted.
    failed: Option<StoreError>,
}

impl Restored {
    pub(super) fn read(store: &StoreThread, limits: &Limits, seed: [u8; 32], now: Ms) -> Result<Self, StoreError> {
        let (mut core, mut asset) = (RestoredCore::new(limits.clone(), seed, now), None);
        let failed = store.load(|rows| {
            let stored = rows.iter().find_map(|row| if let Row::Asset(stored) = row { Some(*stored) } else { None });
            asset = stored.or(asset);
            core.take(rows);
        })?;
        let floor = core.floor();
        // An agent may hold leases that the store lost, or never kept, whose numbers must not be used again. No pool uses a
        // million numbers per second.
        let core = core.finish_or_number_from(now.get().saturating_mul(1_000));
        Ok(Self { core, asset, floor, failed })
    }
}

/// Connections on which an answer waited for rows that are lost, and whether one of them was to a connect.
type Unsettled = BTreeMap<ConnectionId, bool>;

impl CoreThread {
    /// Discards the core and restores it from the durable rows, then waits until the store can write. Returns false if the
    /// thread has to stop.
    ///
    /// No connection is closed but those whose connect is lost. While the store fails, no lease begins or ends.
    pub(super) fn rebuild(&mut self, broken: Broken) -> bool {
        self.metrics.rebuilds.inc();
        // What depends on durable rows is carried out.
        self.deliver();
        let mut unsettled = Unsettled::new();
        match broken {
            Broken::Commit(error) => {
                tracing::error!(%error, "the changes could not be written; rebuilding the pool's state from the store");
                self.settle(&mut unsettled);
            }
            Broken::Fault(why) => {
                tracing::error!(why, "rebuilding the pool's state from the store");
                // The commands before the one that failed are whole.
                let _ended_with_the_pool = self.send_rows();
            }
        }
        let restored = loop {
            match Restored::read(&self.store, &self.limits, self.seed, self.clock.now()) {
                Ok(restored) => break restored,
                Err(error) => {
                    self.settle(&mut unsettled);
                    if !self.suspend(&error) {
                        return false;
                    }
                }
            }
        };
        if restored.failed.is_none() {
            self.effect_queue.committed(self.effect_queue.begun());
            self.deliver();
        }
        self.settle(&mut unsettled);
        let again = self.replace(restored.core, &unsettled);
        let (mut failed, has_asset) = (restored.failed, restored.asset.is_some());
        while failed.is_some() {
            failed = self.store.resume().err();
            if failed.as_ref().is_some_and(|error| !self.suspend(error)) {
                return false;
            }
        }
        self.has_asset = has_asset;
        self.keep_asset();
        again.into_iter().for_each(|effect| self.effect_queue.push(effect));
        tracing::info!("the pool's state is rebuilt, and the store works");
        true
    }

    /// Answers what waits for rows that will never be durable, and all other requests.
    fn settle(&mut self, unsettled: &mut Unsettled) {
        for effect in self.effect_queue.discard() {
            let (connection, request, reply) = match effect {
                Effect::Reply { connection, request, reply: Ok(reply), .. } => (connection, request, reply),
                // The operator's ban stands, whatever becomes of the leases.
                Effect::Close { connection, reason, .. } => {
                    self.connections.close(connection, &reason);
                    continue;
                }
                _ => continue,
            };
            let connects =
                |reply: &Protocol2Reply| !matches!(reply, Protocol2Reply::Update(_) | Protocol2Reply::Peer(_));
            let connects = match &reply {
                Reply::Connect(_) => true,
                Reply::Protocol2(reply) => connects(reply),
                _ => false,
            };
            *unsettled.entry(connection).or_default() |= connects;
            // Nothing ended, so there is nothing to drop. An error would end the original's agent.
            if let Reply::Protocol2(reply) = reply
                && let Protocol2Reply::Update(update) = *reply
            {
                let update = Protocol2Reply::Update(UpdateReply { invalid_peers: Vec::new(), ..update });
                self.replies.answer(connection, None, request, Ok(Reply::Protocol2(Box::new(update))));
            }
        }
        self.replies.refuse_all(&CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into());
    }

    /// Replaces the core, and gives the new one the connections of the old one. Returns what the new one has to have carried
    /// out.
    fn replace(&mut self, core: Core, unsettled: &Unsettled) -> Vec<Effect> {
        let attached = catch_unwind(AssertUnwindSafe(|| self.core.attached())).unwrap_or_default();
        let mut attached: Vec<AttachedAgent> = attached
            .into_iter()
            .filter(|agent| self.connections.is_confirmed(agent.connection()))
            .filter(|agent| unsettled.get(&agent.connection()) != Some(&true))
            .collect();
        for agent in attached.iter_mut().filter(|agent| unsettled.contains_key(&agent.connection())) {
            agent.forget_last_report();
        }
        self.core = core;
        self.core.set_drains(self.access.bans_and_drains().drains());
        self.clock = self.clock.not_before(self.core.now());
        self.core.set_wall_clock(self.clock.now(), wall_clock());
        // The ends of calls that the old core made do not reach the new one.
        self.core_generation = self.core_generation.saturating_add(1);
        self.effects = Vec::new();
        let mut again = Vec::new();
        self.core.reattach(attached, &mut again);
        for connection in self.connections.open() {
            if self.connections.is_confirmed(connection) && self.core.node_at(connection).is_none() {
                self.connections.close(connection, &CloseReason::Restoring.to_string());
            }
        }
        again
    }
}
