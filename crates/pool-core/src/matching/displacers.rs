use std::collections::{BTreeSet, VecDeque};

use vipnode_types::Ms;

use crate::{
    collections::slab::Handle,
    matching::{Context, Matching},
};

/// The clients for which a trial ended a moment ago. Each gets the slot once the trial's host has evicted its client, and no other
/// trial ends for it meanwhile: otherwise one client that pays would end all trials of a pool.
#[derive(Debug, Default)]
pub(crate) struct Displacers {
    clients: BTreeSet<Handle>,
    /// Until when each counts, the oldest first.
    until: VecDeque<(Ms, Handle)>,
}

impl Displacers {
    fn expire(&mut self, now: Ms) {
        while self.until.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, client)) = self.until.pop_front() {
                self.clients.remove(&client);
            }
        }
    }
}

impl Matching {
    /// Whether a trial may end for a client, because none did a moment ago.
    pub(crate) fn may_displace(&mut self, client: u32, context: Context<'_>) -> bool {
        self.displacers.expire(context.now);
        context.agents.handle(client).is_some_and(|handle| !self.displacers.clients.contains(&handle))
    }

    /// Remembers for `retry_ms` that a trial ends for a client.
    pub(crate) fn displaces(&mut self, client: u32, context: Context<'_>) {
        let Some(handle) = context.agents.handle(client) else { return };
        if self.displacers.clients.insert(handle) {
            self.displacers.until.push_back((context.now.plus(context.limits.retry_ms), handle));
        }
    }
}
