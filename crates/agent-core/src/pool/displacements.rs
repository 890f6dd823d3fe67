use std::{collections::VecDeque, net::IpAddr};

use rand_chacha::ChaCha8Rng;
use vipnode_types::Ms;

use super::backoff::up_to;
use crate::limits;

/// How often this agent took the place of an open connection of its own node at the pool. An agent whose connection broke does
/// so once. Two agents with one key, as on a cloned machine, do so again and again, because each new connection closes the
/// other one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Displacements {
    /// The newest ones, at most [`limits::DISPLACEMENTS`].
    recent: VecDeque<Ms>,
    /// The newest one since there is another agent.
    conflict: Option<Ms>,
}

impl Displacements {
    /// Records the answer to a connect. Returns the address of the other agent if there is one.
    pub(crate) fn connected(&mut self, now: Ms, replaced: Option<IpAddr>) -> Option<IpAddr> {
        let other = replaced?;
        self.recent.push_back(now);
        if self.recent.len() > limits::DISPLACEMENTS {
            self.recent.pop_front();
        }
        let oldest = self.recent.front().copied().unwrap_or(now);
        let many = self.recent.len() == limits::DISPLACEMENTS && now.since(oldest) <= limits::DISPLACED_WITHIN_MS;
        if !many && !self.is_conflict(now) {
            return None;
        }
        self.conflict = Some(now);
        Some(other)
    }

    /// Returns how long to wait before the next connection, in milliseconds; `None` if there is no other agent.
    pub(crate) fn wait_ms(&self, now: Ms, rng: &mut ChaCha8Rng) -> Option<u64> {
        let least = limits::DISPLACED_WAIT_MS;
        self.is_conflict(now).then(|| least.saturating_add(up_to(least, rng)))
    }

    fn is_conflict(&self, now: Ms) -> bool {
        self.conflict.is_some_and(|newest| now.since(newest) < limits::DISPLACED_FORGET_MS)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_few_displacements_in_a_minute_are_another_agent() {
        let other = Some(IpAddr::from([203, 0, 113, 7]));
        let (mut rng, at) = (ChaCha8Rng::from_seed([7; 32]), |s: u64| Ms::new(1_000_000 + s * 1_000));
        let mut slow = Displacements::default();
        for minute in 0..10 {
            assert_eq!(slow.connected(at(minute * 40), other), None, "a connection that breaks now and then");
        }
        let mut both = Displacements::default();
        assert_eq!((both.connected(at(0), other), both.connected(at(5), None)), (None, None));
        assert_eq!(both.connected(at(10), other), None);
        assert_eq!(both.wait_ms(at(10), &mut rng), None);
        assert_eq!(both.connected(at(20), other), other);
        let wait_ms = both.wait_ms(at(21), &mut rng).unwrap();
        assert!((120_000..=240_000).contains(&wait_ms), "{wait_ms}");
        // Minutes later, one is enough.
        assert_eq!(both.connected(at(300), other), other);
        assert_eq!(both.wait_ms(at(300 + 600), &mut rng), None);
        assert_eq!(both.connected(at(300 + 601), other), None);
    }
}
