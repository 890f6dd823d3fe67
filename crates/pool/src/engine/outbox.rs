use std::collections::VecDeque;

use vipnode_pool_core::{Effect, Release};

/// Effects that wait until the rows they depend on are durable.
///
/// Batches of rows are numbered from 1; a batch's number is its ticket.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The newest batch that was begun.
    begun: u64,
    durable: u64,
    held: VecDeque<(u64, Effect)>,
}

impl Outbox {
    /// Begins a batch, on which all later effects depend; returns its ticket.
    pub(crate) fn begin(&mut self) -> u64 {
        self.begun = self.begun.saturating_add(1);
        self.begun
    }

    /// Returns the effect where it may leave now, else holds it.
    pub(crate) fn hold_or_pass(&mut self, effect: Effect) -> Option<Effect> {
        let after_commit = match &effect {
            Effect::Reply { release, .. } | Effect::Call { release, .. } => *release == Release::AfterCommit,
            Effect::Persist(_) | Effect::Close { .. } => false,
        };
        if !after_commit || self.begun == self.durable {
            return Some(effect);
        }
        self.held.push_back((self.begun, effect));
        None
    }

    /// Marks the batches up to `ticket` as durable; returns the effects that may leave, in order.
    pub(crate) fn committed(&mut self, ticket: u64) -> Vec<Effect> {
        self.durable = self.durable.max(ticket);
        let ready = self.held.partition_point(|(ticket, _)| *ticket <= self.durable);
        self.held.drain(..ready).map(|(_, effect)| effect).collect()
    }

    /// Drops what is held and forgets the batches in flight, because their rows will never be durable.
    pub(crate) fn discard(&mut self) {
        self.held.clear();
        self.durable = self.begun;
    }
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::{ConnectionId, Reply};
    use vipnode_types::wire::Done;

    use super::*;

    fn reply(request: u64, release: Release) -> Effect {
        let peer = ConnectionId { gateway: 0, connection: 0, generation: 0 };
        Effect::Reply { peer, request, reply: Ok(Reply::Done(Done {})), release }
    }

    #[test]
    fn holds_effects_until_their_rows_are_durable() {
        let (now, after) = (Release::Now, Release::AfterCommit);
        let mut outbox = Outbox::default();
        assert!(outbox.hold_or_pass(reply(1, after)).is_some(), "nothing was written yet");
        assert_eq!(outbox.begin(), 1);
        assert!(outbox.hold_or_pass(reply(2, now)).is_some());
        assert!(outbox.hold_or_pass(reply(3, after)).is_none());
        assert_eq!(outbox.begin(), 2);
        assert!(outbox.hold_or_pass(reply(4, after)).is_none());
        assert_eq!(outbox.committed(1), [reply(3, after)]);
        assert_eq!(outbox.committed(1), []);
        assert!(outbox.hold_or_pass(reply(5, after)).is_none());
        assert_eq!(outbox.committed(2), [reply(4, after), reply(5, after)]);
        assert!(outbox.hold_or_pass(reply(6, after)).is_some());
    }

    #[test]
    fn a_discarded_effect_never_leaves() {
        let mut outbox = Outbox::default();
        outbox.begin();
        assert!(outbox.hold_or_pass(reply(1, Release::AfterCommit)).is_none());
        outbox.discard();
        assert_eq!(outbox.committed(1), []);
    }
}
