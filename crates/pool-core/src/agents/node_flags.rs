use std::fmt;

/// What is either true of a node or not: a bit each, because the pool remembers millions of nodes. In bytes, so that no gap is
/// left next to them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::agents) struct NodeFlags([u8; 3]);

/// One of the [`NodeFlags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agents) struct NodeFlag(u32);

impl NodeFlag {
    /// It ever offered slots.
    pub(in crate::agents) const EVER_HOST: Self = Self(1);
    /// It ever asked for hosts.
    pub(in crate::agents) const EVER_CLIENT: Self = Self(1 << 1);
    /// It was paired with others for long enough.
    pub(in crate::agents) const PROVEN: Self = Self(1 << 2);
    /// Its newest delegation replaced an older one.
    pub(in crate::agents) const REPLACED: Self = Self(1 << 3);
    /// It has a connection.
    pub(in crate::agents) const CONNECTED: Self = Self(1 << 4);
    /// The pool can call its agent on its connection.
    pub(in crate::agents) const CALLABLE: Self = Self(1 << 5);
    /// The operator drained it: it gets no new leases.
    pub(in crate::agents) const DRAINED: Self = Self(1 << 6);
    /// It offers slots.
    pub(in crate::agents) const HOST: Self = Self(1 << 7);
    /// Its slots for light nodes are full.
    pub(in crate::agents) const LIGHT_FULL: Self = Self(1 << 8);
    /// It asks for hosts.
    pub(in crate::agents) const CLIENT: Self = Self(1 << 9);
    /// It is a client whose node dials a host only seconds after the call.
    pub(in crate::agents) const DIALS_LATE: Self = Self(1 << 10);
    /// The store has a row of it.
    pub(in crate::agents) const STORED: Self = Self(1 << 11);
    /// It has an entry among the deadlines of silence.
    pub(in crate::agents) const WATCHED: Self = Self(1 << 12);
    /// It has an entry among the checks of never-paired nodes.
    pub(in crate::agents) const FORGET_SCHEDULED: Self = Self(1 << 13);
    /// It has an entry among the nodes that may be proven.
    pub(in crate::agents) const PROOF_SCHEDULED: Self = Self(1 << 14);
    /// The time of its last report changed since the last write.
    pub(in crate::agents) const DIRTY: Self = Self(1 << 15);
    /// It is a host that gives no trials.
    pub(in crate::agents) const NO_TRIALS: Self = Self(1 << 16);
    /// It has an entry among the checks of trials.
    pub(in crate::agents) const TRIAL_WATCHED: Self = Self(1 << 17);
    /// It was notified that its trial ends.
    pub(in crate::agents) const TRIAL_NOTIFIED: Self = Self(1 << 18);
    /// It counts as paired.
    pub(in crate::agents) const PAIRED: Self = Self(1 << 19);
}

impl NodeFlags {
    /// Whether a flag is set.
    pub(in crate::agents) const fn has(self, flag: NodeFlag) -> bool {
        self.bits() & flag.0 != 0
    }

    /// Sets or clears a flag. Returns whether it was set before.
    pub(in crate::agents) const fn set(&mut self, flag: NodeFlag, on: bool) -> bool {
        let before = self.has(flag);
        let bits = if on { self.bits() | flag.0 } else { self.bits() & !flag.0 };
        let [first, second, third, _] = bits.to_le_bytes();
        self.0 = [first, second, third];
        before
    }

    const fn bits(self) -> u32 {
        let [first, second, third] = self.0;
        u32::from_le_bytes([first, second, third, 0])
    }
}

impl fmt::Debug for NodeFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeFlags({:b})", self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_changes_no_other_one() {
        let mut flags = NodeFlags::default();
        assert!(!flags.set(NodeFlag::HOST, true) && !flags.set(NodeFlag::DIRTY, true));
        assert!(flags.has(NodeFlag::HOST) && flags.has(NodeFlag::DIRTY) && !flags.has(NodeFlag::CLIENT));
        assert!(flags.set(NodeFlag::HOST, false) && !flags.set(NodeFlag::TRIAL_NOTIFIED, true));
        assert!(flags.has(NodeFlag::TRIAL_NOTIFIED) && !flags.has(NodeFlag::TRIAL_WATCHED));
        assert!(!flags.has(NodeFlag::HOST) && flags.has(NodeFlag::DIRTY));
    }
}
