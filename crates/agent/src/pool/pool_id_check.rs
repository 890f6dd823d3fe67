use vipnode_agent_core::PoolAnswer;
use vipnode_types::{Failure, wire::WireError};

use super::{KnownPool, PinChange, PoolConnection, known_pool::Presented};
use crate::{AgentNotice, notifier::Notifier, state::PoolPins};

/// Checks on each connection that the pool is the one that the agent remembers, and remembers it.
#[derive(Debug)]
pub(crate) struct PoolIdCheck {
    url: String,
    known: KnownPool,
    pins: PoolPins,
    notifier: Notifier,
}

impl PoolIdCheck {
    pub(crate) const fn new(url: String, known: KnownPool, pins: PoolPins, notifier: Notifier) -> Self {
        Self { url, known, pins, notifier }
    }

    /// Checks how the pool at the other end presents itself, before anything is sent.
    ///
    /// # Errors
    /// Why it is not the pool that the agent remembers.
    pub(super) fn meet(&mut self, connection: &PoolConnection) -> Result<Presented, Failure> {
        let PoolConnection::Socket(opened) = connection else { return Ok(Presented::Unproven) };
        let met = self.known.meet(&opened.pool_headers, opened.challenge.as_deref());
        let (id, change) = met.map_err(|error| Failure::of(&error))?;
        self.keep(change);
        Ok(Presented::Proven(id))
    }

    /// Checks the ID in a connect reply, before the agent core gets it.
    ///
    /// # Errors
    /// As [`Self::meet`].
    pub(super) fn check_answer(
        &mut self,
        presented: Presented,
        answer: &Result<PoolAnswer, WireError>,
    ) -> Result<(), Failure> {
        let Ok(PoolAnswer::Connect(reply)) = answer else { return Ok(()) };
        let change = self.known.check_reply(presented, reply.pool_id).map_err(|error| Failure::of(&error))?;
        self.keep(change);
        Ok(())
    }

    /// Keeps a pin for the next start. One that cannot be written holds for this run.
    fn keep(&mut self, change: Option<PinChange>) {
        let Some(change) = change else { return };
        self.notifier.notify(AgentNotice::PoolPinned { url: self.url.clone(), change });
        if let Err(error) = self.pins.set(&self.url, change.new) {
            tracing::error!("{error}");
            self.notifier.notify(AgentNotice::Fault(Failure::of(&error)));
        }
    }
}
