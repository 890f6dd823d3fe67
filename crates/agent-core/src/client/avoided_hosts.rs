use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use crate::limits;

/// Hosts that failed recently and are avoided for a while.
#[derive(Debug, Clone, Default)]
pub(crate) struct AvoidedHosts {
    /// Until when each is avoided.
    hosts: BTreeMap<NodeId, Ms>,
    /// When a host disconnected right after it connected; the newest last.
    dropped_early: BTreeMap<NodeId, Vec<Ms>>,
}

impl AvoidedHosts {
    pub(crate) fn len(&self) -> usize {
        self.hosts.len().max(self.dropped_early.len())
    }

    pub(crate) fn contains(&self, host: NodeId, now: Ms) -> bool {
        self.hosts.get(&host).is_some_and(|until| *until > now)
    }

    /// Returns how long the first of them is still avoided, in milliseconds.
    pub(crate) fn retry_ms(&self, now: Ms) -> Option<u64> {
        self.hosts.values().filter(|until| **until > now).min().map(|until| until.since(now))
    }

    pub(crate) fn list(&mut self, now: Ms) -> Vec<NodeId> {
        self.hosts.retain(|_, until| *until > now);
        self.hosts.keys().copied().collect()
    }

    pub(crate) fn add(&mut self, host: NodeId, now: Ms) {
        self.hosts.retain(|_, until| *until > now);
        if self.hosts.len() >= limits::AVOID && !self.hosts.contains_key(&host) {
            let soonest = self.hosts.iter().min_by_key(|(_, until)| **until).map(|(host, _)| *host);
            if let Some(soonest) = soonest {
                self.hosts.remove(&soonest);
            }
        }
        self.hosts.insert(host, now.plus(limits::AVOID_MS));
        self.dropped_early.remove(&host);
    }

    /// Records that the host disconnected right after it connected. Returns whether that happened too often recently.
    pub(crate) fn dropped_early(&mut self, host: NodeId, now: Ms) -> bool {
        let recent = |at: &Ms| now.since(*at) < limits::AT_ONCE_WITHIN_MS;
        self.dropped_early.retain(|_, times| times.iter().any(recent));
        if self.dropped_early.len() >= limits::AVOID && !self.dropped_early.contains_key(&host) {
            self.dropped_early.pop_first();
        }
        let times = self.dropped_early.entry(host).or_default();
        times.retain(recent);
        times.push(now);
        times.len() >= limits::EARLY_DROP_TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded_and_forgets() {
        let mut avoid = AvoidedHosts::default();
        for number in 0..200u8 {
            avoid.add(NodeId::new([number; 64]), Ms::new(u64::from(number)));
        }
        let now = Ms::new(200);
        let first = 200 - u64::try_from(limits::AVOID).unwrap();
        assert_eq!(avoid.retry_ms(now), Some(limits::AVOID_MS - (200 - first)));
        assert_eq!(avoid.list(now).len(), limits::AVOID);
        assert!(avoid.contains(NodeId::new([199; 64]), now) && !avoid.contains(NodeId::new([0; 64]), now));
        assert!(avoid.list(now.plus(limits::AVOID_MS)).is_empty());
    }

    #[test]
    fn three_times_within_a_minute_is_too_often() {
        let mut avoid = AvoidedHosts::default();
        let host = NodeId::new([1; 64]);
        assert!(!avoid.dropped_early(host, Ms::new(0)));
        assert!(!avoid.dropped_early(host, Ms::new(35_000)));
        assert!(!avoid.dropped_early(host, Ms::new(70_000)), "the first is too long ago");
        assert!(avoid.dropped_early(host, Ms::new(80_000)));
    }
}
