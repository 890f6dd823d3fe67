use crate::Core;

/// What an agent of protocol 2 is late by, at most, beyond two of its intervals.
const SLACK_MS: u64 = 60_000;

impl Core {
    /// How long both sides have to see each other after a grant. A side of protocol 2 says so with one of
    /// its next updates.
    pub(crate) fn offer_wait(&self, client: u32, host: u32) -> u64 {
        if self.is_node_key(client) || self.is_node_key(host) { self.two_updates() } else { self.limits.offer_ms }
    }

    /// How long a host's "gone" waits for the client's word.
    pub(crate) fn half_down_wait(&self, client: u32) -> u64 {
        if self.is_node_key(client) { self.two_updates() } else { self.limits.half_down_ms }
    }

    fn two_updates(&self) -> u64 {
        self.limits.report_interval_ms.saturating_mul(2).saturating_add(SLACK_MS)
    }

    fn is_node_key(&self, index: u32) -> bool {
        self.nodes.get(index).is_some_and(|node| node.credentials.is_node_key())
    }
}
