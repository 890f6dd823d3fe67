use vipnode_types::wire::EvictReason;

/// What happened since the start. None ever falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Clients let in at the pool's call.
    pub admits: u64,
    /// Hosts that the pool gave and that failed.
    pub hosts_failed: u64,
    /// Peers on no lease that were disconnected.
    pub strangers_dropped: u64,
    /// Times that the pool had taken the agent and then the connection ended.
    pub pool_losses: u64,
    admit_failures: [u64; 9],
    evictions: [u64; 11],
}

/// Why a client was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmitFailure {
    /// Too many calls wait for the node, or the last lease of that name is being undone.
    Busy,
    /// The agent is not a host.
    NoHost,
    /// The node is down.
    NodeOffline,
    /// No slots are offered for now: the node is not in sync, or the agent stops.
    NotOffering,
    /// All slots are taken.
    Full,
    /// The client does not suit this host.
    Unsuitable,
    /// The lease is held with another peer.
    OtherLease,
    /// The node refused, or did not answer.
    NodeRefused,
    /// The lease ended before the node had let the client in.
    Ended,
}

impl AdmitFailure {
    /// Every failure there is.
    pub const ALL: [Self; 9] = [
        Self::Busy,
        Self::NoHost,
        Self::NodeOffline,
        Self::NotOffering,
        Self::Full,
        Self::Unsuitable,
        Self::OtherLease,
        Self::NodeRefused,
        Self::Ended,
    ];

    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoHost => "no_host",
            Self::NodeOffline => "node_offline",
            Self::NotOffering => "not_offering",
            Self::Full => "full",
            Self::Unsuitable => "unsuitable",
            Self::OtherLease => "other_lease",
            Self::NodeRefused => "node_refused",
            Self::Ended => "ended",
        }
    }
}

impl Counters {
    /// Clients that were not let in, by why.
    pub fn admit_failures(&self) -> impl Iterator<Item = (AdmitFailure, u64)> {
        AdmitFailure::ALL.into_iter().zip(self.admit_failures)
    }

    /// Clients whose lease is over and undone, by why.
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

    pub(crate) fn host_failed(&mut self) {
        add(Some(&mut self.hosts_failed), 1);
    }

    pub(crate) fn stranger_dropped(&mut self) {
        add(Some(&mut self.strangers_dropped), 1);
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
