/// The state of a lease, and three flags, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::leases) struct LeaseProgress(u8);

/// How far a lease is between the call to its host and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseState {
    /// The host was asked and has not answered. The client does not know of the lease.
    Admitting,
    /// The client knows of the lease, but not both sides have seen each other: it is a pending offer of the client's
    /// address block.
    Offered,
    /// Both sides have seen each other, and a billing period runs.
    Running,
    /// The host admitted the client, but has no address that the client could dial. The lease is about to end.
    Evicting,
}

impl LeaseProgress {
    pub(in crate::leases) const ADMITTING: Self = Self(0);
    /// The lease has an entry among the deadlines of `host_gone_wait_ms`.
    pub(in crate::leases) const HOST_GONE_ARMED: Self = Self(0b0100);
    /// While the lease is pending, it counts to the share of its client's address block.
    pub(in crate::leases) const SHARED: Self = Self(0b1000);
    /// Its host's agent reports with its updates only, so that its offer lasts longer than others.
    pub(in crate::leases) const LATE: Self = Self(0b1_0000);
    /// The bits of the state.
    const STATE: Self = Self(0b0011);

    pub(in crate::leases) const fn state(self) -> LeaseState {
        match self.0 & Self::STATE.0 {
            0 => LeaseState::Admitting,
            1 => LeaseState::Offered,
            2 => LeaseState::Running,
            _ => LeaseState::Evicting,
        }
    }

    /// The same in another state.
    pub(in crate::leases) const fn at(self, state: LeaseState) -> Self {
        let bits = match state {
            LeaseState::Admitting => 0,
            LeaseState::Offered => 1,
            LeaseState::Running => 2,
            LeaseState::Evicting => 3,
        };
        Self((self.0 & !Self::STATE.0) | bits)
    }

    /// Whether a flag is set.
    pub(in crate::leases) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// The same with a flag set or cleared.
    pub(in crate::leases) const fn with(self, flag: Self, on: bool) -> Self {
        Self(if on { self.0 | flag.0 } else { self.0 & !flag.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_and_the_flags_do_not_change_each_other() {
        let states = [LeaseState::Admitting, LeaseState::Offered, LeaseState::Running, LeaseState::Evicting];
        for (from, to) in states.into_iter().flat_map(|from| states.map(|to| (from, to))) {
            let progress = LeaseProgress::ADMITTING.at(from).with(LeaseProgress::SHARED, true).at(to);
            assert_eq!(progress.state(), to);
            assert!(progress.has(LeaseProgress::SHARED) && !progress.has(LeaseProgress::HOST_GONE_ARMED));
            let armed = progress.with(LeaseProgress::HOST_GONE_ARMED, true).with(LeaseProgress::SHARED, false);
            assert_eq!(armed.state(), to);
            assert!(!armed.has(LeaseProgress::SHARED) && armed.has(LeaseProgress::HOST_GONE_ARMED));
        }
    }
}
