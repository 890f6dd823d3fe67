use std::time::{Duration, Instant};

use vipnode_pool_core::{Core, Limits, Row};
use vipnode_store::StoreError;
use vipnode_types::Ms;

use crate::{
    ReloadChanges,
    call_refusal::CallRefusal,
    close_reason::CloseReason,
    engine::{core_thread::CoreThread, health_error::HealthError, inbox::CoreMessage},
};

// The core after a fault: it is discarded and restored from the durable rows.

impl CoreThread {
    /// Discards the core and restores it from the durable rows. Returns false if the thread has to stop.
    ///
    /// While the store fails, no connection is closed and no lease changes: agents that reconnect could not join either.
    pub(super) fn rebuild(&mut self, why: &str) -> bool {
        tracing::error!(why, "rebuilding the pool's state from the store");
        self.metrics.rebuilds.inc();
        self.replies.refuse_all(&CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into());
        self.effect_queue.discard();
        self.effects = Vec::new();
        self.core_generation = self.core_generation.saturating_add(1);
        loop {
            match self.store.load() {
                Ok(rows) => {
                    // The new core does not know them.
                    self.connections.close_all(&CloseReason::Restoring.to_string());
                    self.core = build(&self.limits, self.seed, self.clock.now(), rows);
                    self.core.set_drains(self.access.bans_and_drains().drains());
                    self.clock = self.clock.not_before(self.core.now());
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the store does not work; trying again");
                    if !self.refuse_for(self.store_retry, &error) {
                        return false;
                    }
                }
            }
        }
    }

    /// Answers "busy" for a while. Returns false if the thread has to stop.
    fn refuse_for(&mut self, time: Duration, why: &StoreError) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.reader.next(until.saturating_duration_since(Instant::now())) {
                Some(CoreMessage::Request { reply_to, .. }) => {
                    reply_to.send(Err(CallRefusal::Rebuilding { retry_ms: self.retry_ms }.into()));
                }
                Some(CoreMessage::Probe(answer)) => {
                    let _gone = answer.send(Err(HealthError::Store { source: why.clone() }));
                }
                Some(CoreMessage::Reload { limits, done }) => {
                    self.limits = *limits;
                    let _nobody_waits = done.send(ReloadChanges::default());
                }
                Some(CoreMessage::Stop) => return false,
                Some(_) => {}
                None => return true,
            }
        }
    }
}

/// Returns a core with the rows of the store.
pub(super) fn build(limits: &Limits, seed: [u8; 32], now: Ms, rows: Vec<Row>) -> Core {
    let numbered = rows.iter().any(|row| matches!(row, Row::NextLease(_)));
    let mut core = if rows.is_empty() {
        Core::new(limits.clone(), seed, now)
    } else {
        Core::restore(limits.clone(), seed, now, rows)
    };
    // An agent may hold leases that the store lost, or never kept, whose numbers must not be used again. No pool uses a
    // million numbers per second.
    if !numbered {
        core.number_leases_from(now.get().saturating_mul(1_000));
    }
    core
}
