use vipnode_types::{Ms, NodeId};

use super::{
    avoid::Avoid,
    connect_failure::{AnnouncedCauses, ConnectFailure},
};

/// What a client remembers of hosts beyond its leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seeking {
    avoid: Avoid,
    /// Why hosts were not connected, as the user was told since the last one was.
    announced: AnnouncedCauses,
}

impl Seeking {
    /// Whether a host failed a moment ago.
    pub(crate) fn avoids(&self, host: NodeId, now: Ms) -> bool {
        self.avoid.contains(host, now)
    }

    /// A host is not to be given again for a while.
    pub(crate) fn avoid(&mut self, host: NodeId, now: Ms) {
        self.avoid.add(host, now);
    }

    /// Hosts that are avoided now.
    pub(crate) fn avoided(&mut self, now: Ms) -> Vec<NodeId> {
        self.avoid.list(now)
    }

    /// How many hosts are remembered, at most [`crate::limits::AVOID`].
    pub(crate) fn remembered(&self) -> usize {
        self.avoid.len()
    }

    /// A host connected and was gone at once; says whether that happened too often of late.
    pub(crate) fn gone_at_once(&mut self, host: NodeId, now: Ms) -> bool {
        self.avoid.gone_at_once(host, now)
    }

    /// A host is connected: from now on each cause is news again.
    pub(crate) fn host_connected(&mut self) {
        self.announced = AnnouncedCauses::default();
    }

    /// Whether the user is to be told that hosts fail for this cause.
    pub(crate) fn announce(&mut self, cause: ConnectFailure) -> bool {
        self.announced.insert(cause)
    }
}
