use vipnode_types::wire::EvictReason;

/// AgentCounters since the start. None ever decreases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentCounters {
    /// Clients admitted at the pool's request.
    pub admits: u64,
    /// Hosts of the pool that connected for the first time after they accepted the client.
    pub hosts_connected: u64,
    /// How long these took to connect, in milliseconds.
    pub hosts_connect_ms: u64,
    /// Hosts that the pool assigned and that failed.
    pub hosts_failed: u64,
    /// Peers without a lease that were disconnected.
    pub unleased_peers_disconnected: u64,
    /// Connections on which the pool had accepted the agent and that ended.
    pub pool_losses: u64,
    admit_failures: [u64; 10],
    evictions: [u64; EvictReason::ALL.len()],
}

/// Why a client was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmitFailure {
    /// Too many calls wait for the node, or the last lease with that ID is being undone.
    Busy,
    /// The agent is not a host.
    NoHost,
    /// The node is down.
    NodeOffline,
    /// No slots are offered now: the node is not in sync, or the agent is stopping.
    NotOffering,
    /// All slots are taken.
    Full,
    /// All slots of the node for light nodes are taken.
    LightFull,
    /// The client does not meet the host's rules.
    Unsuitable,
    /// The lease is held with another peer.
    OtherLease,
    /// The node rejected the call or did not answer.
    NodeRefused,
    /// The lease ended before the node had admitted the client.
    Ended,
}

impl AdmitFailure {
    /// All failures.
    pub const ALL: [Self; 10] = [
        Self::Busy,
        Self::NoHost,
        Self::NodeOffline,
        Self::NotOffering,
        Self::Full,
        Self::LightFull,
        Self::Unsuitable,
        Self::OtherLease,
        Self::NodeRefused,
        Self::Ended,
    ];

    /// Returns its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoHost => "no_host",
            Self::NodeOffline => "node_offline",
            Self::NotOffering => "not_offering",
            Self::Full => "full",
            Self::LightFull => "light_full",
            Self::Unsuitable => "unsuitable",
            Self::OtherLease => "other_lease",
            Self::NodeRefused => "node_refused",
            Self::Ended => "ended",
        }
    }
}

impl AgentCounters {
    /// Returns the clients that were not admitted, by reason.
    pub fn admit_failures(&self) -> impl Iterator<Item = (AdmitFailure, u64)> {
        AdmitFailure::ALL.into_iter().zip(self.admit_failures)
    }

    /// Returns the clients that were evicted, by reason.
    pub fn evictions(&self) -> impl Iterator<Item = (EvictReason, u64)> {
        EvictReason::ALL.into_iter().zip(self.evictions)
    }

    pub(crate) fn admitted(&mut self) {
        add(Some(&mut self.admits), 1);
    }

    pub(crate) fn admit_failed(&mut self, why: AdmitFailure) {
        self.admits_failed(why, 1);
    }

    pub(crate) fn admits_failed(&mut self, why: AdmitFailure, calls: usize) {
        let at = AdmitFailure::ALL.into_iter().position(|other| other == why);
        add(at.and_then(|at| self.admit_failures.get_mut(at)), calls);
    }

    pub(crate) fn evicted(&mut self, why: EvictReason) {
        let at = EvictReason::ALL.into_iter().position(|other| other == why);
        add(at.and_then(|at| self.evictions.get_mut(at)), 1);
    }

    pub(crate) fn host_connected(&mut self, after_ms: u64) {
        add(Some(&mut self.hosts_connected), 1);
        self.hosts_connect_ms = self.hosts_connect_ms.saturating_add(after_ms);
    }

    pub(crate) fn host_failed(&mut self) {
        add(Some(&mut self.hosts_failed), 1);
    }

    pub(crate) fn unleased_peer_disconnected(&mut self) {
        add(Some(&mut self.unleased_peers_disconnected), 1);
    }

    pub(crate) fn pool_lost(&mut self) {
        add(Some(&mut self.pool_losses), 1);
    }
}

fn add(count: Option<&mut u64>, more: usize) {
    if let Some(count) = count {
        *count = count.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
}
