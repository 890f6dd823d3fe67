use super::node::Node;

/// The number of nodes that were ever hosts, and clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Roles {
    pub(crate) hosts: u64,
    pub(crate) clients: u64,
}

impl Roles {
    pub(super) fn add(&mut self, node: &Node) {
        self.hosts = self.hosts.saturating_add(u64::from(node.ever_host()));
        self.clients = self.clients.saturating_add(u64::from(node.counts_as_client()));
    }

    pub(super) fn remove(&mut self, node: &Node) {
        self.hosts = self.hosts.saturating_sub(u64::from(node.ever_host()));
        self.clients = self.clients.saturating_sub(u64::from(node.counts_as_client()));
    }
}
