use crate::{
    Core, Row,
    metering::row_ends::{Ends, freeze},
    output::Output,
};

impl Core {
    /// Writes the row that a lease runs as over, with both ends frozen, and counts the time that its sides were
    /// paired.
    pub(crate) fn close_row(&mut self, output: &mut Output, index: u32, ends: Ends) {
        let Some(lease) = self.leases.get(index) else { return };
        let pair = [lease.client(), lease.host()];
        let Some(row) = self.leases.row(lease, &self.agents) else { return };
        let billed_ms = freeze(output, &row, ends, &mut self.counters);
        let changed = self.agents.add_paired(pair, billed_ms, &self.limits);
        for (node, _) in pair.into_iter().zip(changed).filter(|(_, changed)| *changed) {
            if let Some(row) = self.agents.row(node) {
                output.persist(Row::Node(Box::new(row)));
            }
        }
    }
}
