use crate::{Core, Row, RowKey, output::Output};

impl Core {
    /// Forgets a node that may be forgotten. Returns false if a bounded search finds none.
    pub(crate) fn make_room(&mut self, output: &mut Output) -> bool {
        let before = self.agents.len();
        self.sweep(output, 1_000);
        self.agents.len() < before
    }

    /// Writes a bounded number of rows that waited, checks a bounded number of nodes, and forgets those that were not seen for
    /// long.
    pub(crate) fn sweep(&mut self, output: &mut Output, looks: u32) {
        for _ in 0..looks {
            if !self.metering.rows.write_due(output) {
                break;
            }
        }
        for _ in 0..looks.min(self.agents.capacity()) {
            let index = self.agents.sweep_next();
            self.metering.forget_old(index, output.now, &self.agents);
            let Some(node) = self.agents.get(index) else { continue };
            let absent = output.now.since(node.seen()) > self.limits.prune_ms;
            let free = !node.is_connected() && !self.leases.any(index);
            if absent && free && output.now >= self.clock.window_ends() {
                self.forget(output, index);
            }
        }
    }

    fn forget(&mut self, output: &mut Output, index: u32) {
        self.refresh_waiting(index);
        let Some(id) = self.agents.remove(index) else { return };
        self.matching.forget(index);
        if self.metering.forget(index) {
            output.persist(Row::Delete(RowKey::Times(id)));
        }
        self.counters.pruned = self.counters.pruned.saturating_add(1);
        output.persist(Row::Delete(RowKey::Node(id)));
    }
}
