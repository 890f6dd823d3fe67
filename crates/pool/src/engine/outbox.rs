use std::collections::VecDeque;

use vipnode_pool_core::{Effect, Release};

/// The outbox: effects that wait until the rows which they rest on are durable.
///
/// Batches of rows are numbered from 1 by tickets.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    /// The newest batch that was begun.
    begun: u64,
    durable: u64,
    held: VecDeque<(u64, Effect)>,
}

impl Releases {
    /// A batch is begun; what comes from now on rests on it.
    pub(crate) fn begin(&mut self) -> u64 {
        self.begun = self.begun.saturating_add(1);
        self.begun
    }

    /// Gives the effect back where it may leave now, else holds it.
    pub(crate) fn pass(&mut self, effect: Effect) -> Option<Effect> {
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

    /// Batches up to `ticket` are durable; returns what may leave, in order.
    pub(crate) fn committed(&mut self, ticket: u64) -> Vec<Effect> {
        self.durable = self.durable.max(ticket);
        let ready = self.held.partition_point(|(ticket, _)| *ticket <= self.durable);
        self.held.drain(..ready).map(|(_, effect)| effect).collect()
    }

    /// Nothing that is held will come true; batches in flight are forgotten.
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
    fn holds_what_rests_on_rows_until_they_are_durable() {
        let (now, after) = (Release::Now, Release::AfterCommit);
        let mut releases = Releases::default();
        assert!(releases.pass(reply(1, after)).is_some(), "nothing was written yet");
        assert_eq!(releases.begin(), 1);
        assert!(releases.pass(reply(2, now)).is_some());
        assert!(releases.pass(reply(3, after)).is_none());
        assert_eq!(releases.begin(), 2);
        assert!(releases.pass(reply(4, after)).is_none());
        assert_eq!(releases.committed(1), [reply(3, after)]);
        assert_eq!(releases.committed(1), []);
        assert!(releases.pass(reply(5, after)).is_none());
        assert_eq!(releases.committed(2), [reply(4, after), reply(5, after)]);
        assert!(releases.pass(reply(6, after)).is_some());
    }

    #[test]
    fn what_was_discarded_never_leaves() {
        let mut releases = Releases::default();
        releases.begin();
        assert!(releases.pass(reply(1, Release::AfterCommit)).is_none());
        releases.discard();
        assert_eq!(releases.committed(1), []);
    }
}
