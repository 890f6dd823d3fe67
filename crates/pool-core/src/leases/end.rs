use crate::leases::{Leases, lease::Lease, table::List};

impl Leases {
    /// Removes a lease from every list and count.
    pub(crate) fn end(&mut self, index: u32) -> Option<Lease> {
        let (client, host) = self.get(index).map(|lease| (lease.client(), lease.host()))?;
        self.table.period_ends(index);
        if let Some(node) = self.nodes.get_mut(client) {
            node.first_as_client = self.table.unlink(List::Client, node.first_as_client, index);
            node.client_count = node.client_count.saturating_sub(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.first_as_host = self.table.unlink(List::Host, node.first_as_host, index);
            node.host_count = node.host_count.saturating_sub(1);
        }
        let lease = self.table.remove(index)?;
        if lease.is_running() {
            self.running = self.running.saturating_sub(1);
        }
        if lease.is_admitting() {
            self.not_admitting(client, host);
        }
        self.prices.release(lease.price().into());
        self.end_consent(lease.id());
        self.trials.remove(&lease.id());
        Some(lease)
    }
}
