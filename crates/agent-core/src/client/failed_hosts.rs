use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use super::{
    avoided_hosts::AvoidedHosts,
    connect_failure::{AnnouncedCauses, ConnectFailure},
};
use crate::limits;

/// What a client remembers about hosts, beyond its leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailedHosts {
    avoid: AvoidedHosts,
    /// Causes of failed connections of which the user was notified since a host was last connected.
    announced: AnnouncedCauses,
    /// Why each host was not connected the last time.
    causes: BTreeMap<NodeId, ConnectFailure>,
}

impl FailedHosts {
    /// Whether a host failed recently.
    pub(crate) fn avoids(&self, host: NodeId, now: Ms) -> bool {
        self.avoid.contains(host, now)
    }

    /// Avoids a host for a while.
    pub(crate) fn avoid(&mut self, host: NodeId, now: Ms) {
        self.avoid.add(host, now);
    }

    /// Returns the hosts that are avoided now.
    pub(crate) fn avoided(&mut self, now: Ms) -> Vec<NodeId> {
        self.avoid.list(now)
    }

    /// Returns how long it takes until one of them is accepted again, in milliseconds.
    pub(crate) fn retry_ms(&self, now: Ms) -> Option<u64> {
        self.avoid.retry_ms(now)
    }

    /// Returns how many hosts are remembered, at most [`crate::limits::AVOID`].
    pub(crate) fn remembered(&self) -> usize {
        self.avoid.len().max(self.causes.len())
    }

    /// Records that a host disconnected right after it connected. Returns whether that happened too often recently.
    pub(crate) fn dropped_early(&mut self, host: NodeId, now: Ms) -> bool {
        self.avoid.dropped_early(host, now)
    }

    /// Records that a host is connected: from now on the user is notified of each cause again.
    pub(crate) fn host_connected(&mut self, host: NodeId) {
        self.announced = AnnouncedCauses::default();
        self.causes.remove(&host);
    }

    /// Records why a host is not connected. Returns whether to notify the user that hosts fail for this cause.
    pub(crate) fn announce(&mut self, host: NodeId, cause: ConnectFailure) -> bool {
        if self.causes.len() >= limits::AVOID && !self.causes.contains_key(&host) {
            self.causes.pop_first();
        }
        self.causes.insert(host, cause);
        self.announced.insert(cause)
    }

    /// Returns why a host was not connected the last time.
    pub(crate) fn last_cause(&self, host: NodeId) -> Option<ConnectFailure> {
        self.causes.get(&host).copied()
    }
}
