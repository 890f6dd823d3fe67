//! A node is proven while its leases run, not only once their rows end, which may take a day. Until then, limits for
//! unknown nodes would hold back an honest node that strangers compete with. The time is computed from the running periods
//! when it may be enough, so that no report has to add to it.

use vipnode_types::wire::Side;

use crate::{Core, Row, leases::lease::Lease, metering::billed_period::Ends, output::Output};

impl Core {
    /// Plans when to look whether a node with a running lease is proven.
    pub(crate) fn schedule_proof(&mut self, node: u32) {
        let due = self.clock.now().plus(self.agents.lacks_ms(node, &self.limits));
        self.agents.schedule_proof(node, due);
    }

    /// Proves the next node that has been paired for long enough by now. Returns false if none is due.
    pub(crate) fn proof_due(&mut self, output: &mut Output) -> bool {
        let Some(node) = self.agents.pop_proof(output.now) else { return false };
        let Some(node) = node.filter(|&node| !self.agents.is_proven(node)) else { return true };
        let running = self.running_ms(node);
        if running.is_empty() {
            return true;
        }
        match self.agents.prove(node, &running, &self.limits) {
            0 => {
                if let Some(row) = self.agents.row(node) {
                    output.persist(Row::Node(Box::new(row)));
                }
                self.refresh_open_hosts(node);
            }
            lacks_ms => {
                let due = output.now.plus(lacks_ms.max(self.limits.tick_ms));
                self.agents.schedule_proof(node, due);
            }
        }
        true
    }

    /// The nodes with which a node has running leases, and for how many milliseconds so far both sides reported it.
    fn running_ms(&self, node: u32) -> Vec<(u32, u64)> {
        let as_client = self.leases.of_client(node).map(|(_, lease)| (lease, Side::Host));
        let as_host = self.leases.of_host(node).map(|(_, lease)| (lease, Side::Client));
        let running = as_client.chain(as_host).filter(|(lease, _)| Lease::is_running(lease));
        let ms = |lease: &Lease| Ends::of(lease, &self.agents).common().since(lease.both_up());
        running.map(|(lease, other)| (lease.node(other), ms(lease))).collect()
    }
}
