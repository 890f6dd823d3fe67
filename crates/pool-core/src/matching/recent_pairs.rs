use std::{collections::VecDeque, net::IpAddr};

use hashbrown::HashTable;
use vipnode_types::{Ms, is_public};

use crate::collections::seeded_rng::Keys;

/// Recently offered and recently failed pairs: a node accepts one connection per public address in 30 s, and a pair that
/// failed would fail again.
#[derive(Debug)]
pub(crate) struct RecentPairs {
    entries: HashTable<RecentPair>,
    order: VecDeque<(Ms, RecentPair)>,
    keys: Keys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RecentPair {
    host: u32,
    client: u32,
    /// `None` if the pair itself failed.
    address: Option<IpAddr>,
    until: Ms,
}

impl RecentPairs {
    pub(crate) const fn new(keys: Keys) -> Self {
        Self { entries: HashTable::new(), order: VecDeque::new(), keys }
    }

    /// Remembers that a host was offered to a client at an address.
    pub(crate) fn offered(&mut self, host: u32, client: u32, address: Option<IpAddr>, until: Ms, limit: u32) {
        if let Some(address) = address.map(|ip| ip.to_canonical()).filter(|ip| is_public(*ip)) {
            self.remember(RecentPair { host, client, address: Some(address), until }, limit);
        }
    }

    /// Remembers that a host and a client did not connect.
    pub(crate) fn failed(&mut self, host: u32, client: u32, until: Ms, limit: u32) {
        self.remember(RecentPair { host, client, address: None, until }, limit);
    }

    /// Whether a host was recently offered to another client at the same address.
    pub(crate) fn offered_nearby(&self, now: Ms, host: u32, client: u32, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|ip| ip.to_canonical()) else { return false };
        let other = |pair: &RecentPair| {
            pair.host == host && pair.address == Some(address) && pair.client != client && pair.until > now
        };
        self.entries.find(self.hash(host, Some(address), 0), other).is_some()
    }

    /// Whether a host and a client recently did not connect.
    pub(crate) fn recently_failed(&self, now: Ms, host: u32, client: u32) -> bool {
        let same = |pair: &RecentPair| {
            pair.host == host && pair.address.is_none() && pair.client == client && pair.until > now
        };
        self.entries.find(self.hash(host, None, client), same).is_some()
    }

    /// Forgets expired entries.
    pub(crate) fn expire(&mut self, now: Ms) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn remember(&mut self, pair: RecentPair, limit: u32) {
        while self.order.len() >= limit.max(1) as usize {
            self.forget_oldest();
        }
        let keys = self.keys;
        self.entries.insert_unique(hash(keys, &pair), pair, |pair| hash(keys, pair));
        self.order.push_back((pair.until, pair));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, pair)) = self.order.pop_front()
            && let Ok(entry) = self.entries.find_entry(hash(self.keys, &pair), |other| *other == pair)
        {
            entry.remove();
        }
    }

    fn hash(&self, host: u32, address: Option<IpAddr>, client: u32) -> u64 {
        hash(self.keys, &RecentPair { host, client, address, until: Ms::ZERO })
    }
}

/// Hashes by host and address, or by host and client.
fn hash(keys: Keys, pair: &RecentPair) -> u64 {
    let client = if pair.address.is_some() { 0 } else { pair.client };
    keys.hash(&(pair.host, pair.address, client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::seeded_rng::SeededRng;

    #[test]
    fn bars_the_same_public_address_for_a_while() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let public = Some("8.8.8.8".parse().unwrap());
        let private = Some("10.0.0.1".parse().unwrap());
        recent.offered(1, 7, public, Ms::new(35), 10);
        recent.offered(1, 7, private, Ms::new(35), 10);
        assert!(recent.offered_nearby(Ms::new(34), 1, 8, public));
        assert!(!recent.offered_nearby(Ms::new(34), 1, 7, public), "the same client may come again");
        assert!(!recent.offered_nearby(Ms::new(34), 1, 8, private), "private addresses are exempt");
        assert!(!recent.offered_nearby(Ms::new(34), 2, 8, public), "another host");
        assert!(!recent.offered_nearby(Ms::new(35), 1, 8, public), "it is over");
        recent.failed(2, 8, Ms::new(36), 10);
        assert!(recent.recently_failed(Ms::new(34), 2, 8));
        assert!(!recent.recently_failed(Ms::new(34), 2, 9));
        recent.expire(Ms::new(36));
        assert!(recent.entries.is_empty() && recent.order.is_empty());
    }

    #[test]
    fn beyond_the_limit_the_oldest_is_forgotten() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        for client in 0..20 {
            recent.failed(1, client, Ms::new(35), 10);
        }
        assert_eq!(recent.entries.len(), 10);
        assert!(!recent.recently_failed(Ms::new(1), 1, 9));
        assert!(recent.recently_failed(Ms::new(1), 1, 10));
    }
}
