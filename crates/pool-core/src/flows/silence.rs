use vipnode_types::wire::EvictReason;

use crate::{Core, Effect, SendWhen, collections::slab::Handle, output::Output};

impl Core {
    /// Whether an agent has not reported for too long.
    pub(crate) fn is_silent(&self, index: u32) -> bool {
        self.agents.is_silent(index, &self.clock, &self.limits)
    }

    /// Handles the deadline at which an agent may have become silent.
    pub(crate) fn silence_due(&mut self, output: &mut Output, handle: Handle) {
        let Some(index) = self.agents.unwatch(handle) else { return };
        let Some(node) = self.agents.get(index) else { return };
        let connection = node.connection();
        if connection.is_none() && !self.leases.any(index) {
            return;
        }
        if !self.is_silent(index) {
            self.agents.watch(index, &self.clock, &self.limits);
            return;
        }
        self.counters.silences = self.counters.silences.saturating_add(1);
        if let Some(connection) = connection {
            output.push(Effect::Close {
                connection,
                reason: "no report arrived for too long".to_owned(),
                when: SendWhen::Now,
            });
            self.detach(output, index);
        }
        self.go_down(output, index);
    }

    /// Ends every lease of an agent at the time it was last seen.
    pub(crate) fn go_down(&mut self, output: &mut Output, index: u32) {
        for (lease, side) in self.leases.of(index) {
            self.end_lease(output, lease, EvictReason::NoReports, Some(side), None);
        }
    }
}
