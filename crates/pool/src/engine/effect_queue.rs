use std::collections::VecDeque;

use vipnode_pool_core::{Effect, Row, SendWhen};

/// Effects to carry out; some wait until the rows that they depend on are durable.
///
/// Rows are written in batches, numbered from 1; a batch's number is its ticket.
#[derive(Debug, Default)]
pub(super) struct EffectQueue {
    /// The newest batch that was begun.
    begun: u64,
    durable: u64,
    /// Effects that depend on the batch with that ticket.
    held: VecDeque<(u64, Effect)>,
    /// Effects that may be carried out.
    ready: Vec<Effect>,
    /// The open batch: its ticket and rows.
    batch: Option<(u64, Vec<Row>)>,
}

impl EffectQueue {
    /// Adds an effect. Rows go into the open batch, which they begin if there is none; all later effects depend on it.
    pub(super) fn push(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(rows) => {
                let begun = &mut self.begun;
                let (_, batch) = self.batch.get_or_insert_with(|| {
                    *begun = begun.saturating_add(1);
                    (*begun, Vec::new())
                });
                batch.extend(rows);
            }
            effect if depends(&effect) && self.begun != self.durable => self.held.push_back((self.begun, effect)),
            effect => self.ready.push(effect),
        }
    }

    /// Closes the open batch. Returns its ticket and rows.
    pub(super) const fn take_batch(&mut self) -> Option<(u64, Vec<Row>)> {
        self.batch.take()
    }

    /// Marks the batches up to `ticket` as durable.
    pub(super) fn committed(&mut self, ticket: u64) {
        self.durable = self.durable.max(ticket);
        let ready = self.held.partition_point(|(ticket, _)| *ticket <= self.durable);
        self.ready.extend(self.held.drain(..ready).map(|(_, effect)| effect));
    }

    /// Passes the effects that may be carried out to `leave`, in order.
    pub(super) fn deliver(&mut self, leave: impl FnMut(Effect)) {
        self.ready.drain(..).for_each(leave);
    }

    /// Forgets the batches in flight, whose rows will never be durable. Returns the effects that depend on them.
    pub(super) fn discard(&mut self) -> Vec<Effect> {
        let emptied = Self { begun: self.begun, durable: self.begun, ..Self::default() };
        std::mem::replace(self, emptied).held.into_iter().map(|(_, effect)| effect).collect()
    }

    /// The ticket of the newest batch that was begun.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }

    /// Whether it is known what became of a batch.
    pub(super) const fn is_settled(&self, ticket: u64) -> bool {
        ticket <= self.durable
    }
}

/// Whether an effect has to wait until the rows of earlier effects are durable.
fn depends(effect: &Effect) -> bool {
    match effect {
        Effect::Reply { when: release, .. }
        | Effect::Call { when: release, .. }
        | Effect::Close { when: release, .. } => *release == SendWhen::AfterCommit,
        Effect::Chain(request) => request.waits_for_rows(),
        Effect::Persist(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use vipnode_pool_core::{ConnectionId, Reply};
    use vipnode_types::wire::Done;

    use super::*;

    fn reply(request: u64, when: SendWhen) -> Effect {
        let connection = ConnectionId { gateway: 0, connection: 0, generation: 0 };
        Effect::Reply { connection, request, reply: Ok(Reply::Done(Done {})), when }
    }

    fn delivered(effect_queue: &mut EffectQueue) -> Vec<u64> {
        let mut requests = Vec::new();
        effect_queue.deliver(|effect| {
            let Effect::Reply { request, .. } = effect else { panic!("{effect:?}") };
            requests.push(request);
        });
        requests
    }

    /// Begins a batch and closes it.
    fn begin(effect_queue: &mut EffectQueue) -> u64 {
        effect_queue.push(Effect::Persist(vec![Row::NextLease(1)]));
        effect_queue.push(Effect::Persist(vec![Row::NextLease(2)]));
        let (ticket, rows) = effect_queue.take_batch().unwrap();
        assert_eq!(rows.len(), 2);
        ticket
    }

    #[test]
    fn holds_effects_until_their_rows_are_durable() {
        let (now, after) = (SendWhen::Now, SendWhen::AfterCommit);
        let mut effect_queue = EffectQueue::default();
        effect_queue.push(reply(1, after));
        assert_eq!(delivered(&mut effect_queue), [1], "nothing was written yet");
        assert_eq!(begin(&mut effect_queue), 1);
        effect_queue.push(reply(2, now));
        effect_queue.push(reply(3, after));
        assert_eq!(delivered(&mut effect_queue), [2]);
        assert_eq!(begin(&mut effect_queue), 2);
        effect_queue.push(reply(4, after));
        effect_queue.committed(1);
        assert_eq!(delivered(&mut effect_queue), [3]);
        effect_queue.committed(1);
        assert_eq!(delivered(&mut effect_queue), [0; 0]);
        effect_queue.push(reply(5, after));
        assert_eq!(delivered(&mut effect_queue), [0; 0]);
        effect_queue.committed(2);
        assert_eq!(delivered(&mut effect_queue), [4, 5]);
        effect_queue.push(reply(6, after));
        assert_eq!(delivered(&mut effect_queue), [6]);
    }

    #[test]
    fn a_discarded_effect_never_leaves() {
        let mut effect_queue = EffectQueue::default();
        begin(&mut effect_queue);
        effect_queue.push(reply(1, SendWhen::AfterCommit));
        assert_eq!(effect_queue.discard(), [reply(1, SendWhen::AfterCommit)]);
        assert!(effect_queue.is_settled(1));
        effect_queue.committed(1);
        assert_eq!(delivered(&mut effect_queue), [0; 0]);
    }
}
