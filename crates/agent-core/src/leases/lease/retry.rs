use vipnode_types::Ms;

use super::Lease;

/// When a command that the node rejected is repeated. The waits double until the node carries out the command: a node that
/// fails each call must not keep its agent busy, nor the agent the node.
#[derive(Debug, Clone, Default)]
pub(super) struct Retry {
    at: Option<Ms>,
    /// How often the command failed in a row.
    failures: u32,
}

impl Retry {
    pub(super) fn is_due(&self, now: Ms) -> bool {
        self.at.is_none_or(|at| at <= now)
    }
}

/// Commands that failed.
impl Lease {
    /// Repeats the command after `first_ms`, and after each further failure in a row after twice the last wait, at most
    /// `most_ms`.
    pub(crate) fn retry_later(&mut self, now: Ms, first_ms: u64, most_ms: u64) {
        let doubled = 1_u64.checked_shl(self.retry.failures).unwrap_or(u64::MAX);
        self.retry.failures = self.retry.failures.saturating_add(1);
        self.retry.at = Some(now.plus(first_ms.saturating_mul(doubled).min(most_ms)));
    }

    /// Repeats the command as soon as possible. If it fails again, the next wait is as long as it would have been.
    pub(crate) const fn retry_now(&mut self) {
        self.retry.at = None;
    }

    /// Returns when the failed command is repeated.
    pub(crate) const fn retry_at(&self) -> Option<Ms> {
        self.retry.at
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Enode, LeaseId, NodeId, wire::Side};

    use super::*;

    #[test]
    fn waits_double_to_the_limit_until_the_command_succeeds() {
        let (peer, now) = (Enode::id_only(NodeId::new([7; 64])), Ms::new(1_000));
        let mut lease = Lease::new(LeaseId::new(1), Side::Host, peer, now);
        let wait = |lease: &mut Lease| {
            lease.retry_later(now, 5_000, 60_000);
            lease.retry_at().unwrap().since(now)
        };
        for expected in [5_000, 10_000, 20_000, 40_000, 60_000] {
            assert_eq!(wait(&mut lease), expected);
        }
        assert!((0..200).all(|_| wait(&mut lease) == 60_000));
        lease.retry_now();
        assert!(lease.retry_at().is_none() && wait(&mut lease) == 60_000);
        lease.applied();
        assert_eq!(wait(&mut lease), 5_000);
    }
}
