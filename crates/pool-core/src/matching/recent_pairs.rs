use std::net::IpAddr;

use hashbrown::HashTable;
use vipnode_types::{Ms, is_public};

use crate::{
    Limits,
    collections::{
        address_block::{AddressBlock, WideBlock},
        seeded_rng::Keys,
        shared_queue::SharedQueue,
    },
};

/// Recently offered, ended, and failed pairs: a node accepts one connection per public address in 30 s and does not dial
/// another node twice within 35 s, and a pair that failed would fail again. Another host in the address block of a failed
/// one may belong to the same operator.
///
/// Ids are free, so the address blocks of the clients share the room: otherwise, one block could have the pool forget all
/// others' pairs by many of its own.
#[derive(Debug)]
pub(crate) struct RecentPairs {
    entries: HashTable<RecentPair>,
    /// The same by age, the oldest first.
    order: SharedQueue<RecentPair>,
    keys: Keys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RecentPair {
    /// The host; the client in [`With::HostsIn`].
    node: u32,
    with: With,
    until: Ms,
}

/// A client, and the address block whose share its pairs count to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientOf {
    pub(crate) client: u32,
    pub(crate) block: AddressBlock,
}

/// Whom a host is not offered to, or which hosts a client gets last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum With {
    /// A client with which it failed.
    Client(u32),
    /// A client that it dialed or that dialed it, for as long as that node does not do so again.
    Redial(u32),
    /// Clients at an address, except the one that it was offered to.
    Address(IpAddr, u32),
    /// Light nodes in an address block, one of which it disconnected at once.
    LightNodes(AddressBlock),
    /// The same for a wide block, as one of at most [`PROVEN_LIGHT_BLOCKS`] numbered blocks of it.
    WideLightNodes(WideBlock, u8),
    /// Hosts in an address block, one of which did not connect with the client.
    HostsIn(AddressBlock),
}

/// How long it takes until a node may dial the other node of a pair, in milliseconds; 0 if it may do so now. Each lease of the
/// last time took the dial of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redial {
    /// If only the client's node can dial.
    pub(crate) by_client_ms: u64,
    /// If either node can dial.
    pub(crate) by_either_ms: u64,
}

/// Blocks of a wide block in which light nodes failed, from which on its other light nodes that are not proven do not get
/// the host either. In the rule of `light_block_ms`.
pub(crate) const LIGHT_BLOCKS: u8 = 4;
/// The same for proven ones. Each such failure rests the light slots of the host for 10 s, so a provider rests them for
/// 80 s of each `light_block_ms` at most, about a quarter of the time by default. Proof is cheap for who has addresses in three
/// networks, so it does not buy more: with sixteen, the host would rest them more than half of the time.
pub(crate) const PROVEN_LIGHT_BLOCKS: u8 = 8;

/// So many pairs keep their memory.
const KEPT_PAIRS: usize = 1_024;

impl With {
    /// Without the exception.
    const fn key(self) -> Self {
        match self {
            Self::Address(address, _) => Self::Address(address, 0),
            with => with,
        }
    }
}

impl RecentPairs {
    pub(crate) const fn new(keys: Keys) -> Self {
        Self { entries: HashTable::new(), order: SharedQueue::new(), keys }
    }

    /// Remembers that a host was offered to a client at an address.
    pub(crate) fn offered(
        &mut self,
        (host, ClientOf { client, block }): (u32, ClientOf),
        address: Option<IpAddr>,
        until: Ms,
        limits: &Limits,
    ) {
        if let Some(address) = address.map(|ip| ip.to_canonical()).filter(|ip| is_public(*ip)) {
            self.remember(RecentPair { node: host, with: With::Address(address, client), until }, block, limits);
        }
    }

    /// Remembers that a host and a client did not connect.
    pub(crate) fn failed(&mut self, host: u32, ClientOf { client, block }: ClientOf, until: Ms, limits: &Limits) {
        self.remember(RecentPair { node: host, with: With::Client(client), until }, block, limits);
    }

    /// Remembers that the node of a host or of a client dialed the other.
    pub(crate) fn dialed(&mut self, host: u32, ClientOf { client, block }: ClientOf, until: Ms, limits: &Limits) {
        self.remember(RecentPair { node: host, with: With::Redial(client), until }, block, limits);
    }

    /// Returns how long it takes until the node of a host or of a client may dial the other, in milliseconds: the client's
    /// node alone, and either of them.
    pub(crate) fn redial_ms(&self, now: Ms, host: u32, client: u32) -> Redial {
        let with = With::Redial(client);
        let pairs = self.entries.iter_hash(hash(self.keys, host, with));
        let mut last = [Ms::ZERO; 2];
        for pair in pairs.filter(|pair| pair.node == host && pair.with == with) {
            last = match last {
                [newest, _] if pair.until > newest => [pair.until, newest],
                [newest, second] => [newest, second.max(pair.until)],
            };
        }
        let [newest, second] = last.map(|until| until.since(now));
        Redial { by_client_ms: newest, by_either_ms: second }
    }

    /// Remembers that a host disconnected a light node in an address block at once.
    pub(crate) fn light_node_failed(&mut self, now: Ms, host: u32, block: AddressBlock, until: Ms, limits: &Limits) {
        let is_first = !self.light_nodes_failed(now, host, block);
        self.remember(RecentPair { node: host, with: With::LightNodes(block), until }, block, limits);
        let mut of_wide = (0..PROVEN_LIGHT_BLOCKS).map(|number| With::WideLightNodes(block.wide(), number));
        let unused = of_wide.find(|with| !self.any(now, host, *with, |other| other == *with));
        if let Some(with) = unused.filter(|_| is_first) {
            self.remember(RecentPair { node: host, with, until }, block, limits);
        }
    }

    /// Remembers that a client did not connect with a host in an address block.
    pub(crate) fn failed_in(&mut self, client: ClientOf, hosts: AddressBlock, until: Ms, limits: &Limits) {
        let with = With::HostsIn(hosts);
        self.remember(RecentPair { node: client.client, with, until }, client.block, limits);
    }

    /// Whether a client recently did not connect with a host in an address block.
    pub(crate) fn recently_failed_in(&self, now: Ms, client: u32, block: AddressBlock) -> bool {
        self.any(now, client, With::HostsIn(block), |with| with == With::HostsIn(block))
    }

    /// Whether a host was recently offered to another client at the same address.
    pub(crate) fn offered_nearby(&self, now: Ms, host: u32, client: u32, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|ip| ip.to_canonical()) else { return false };
        let others = |with: With| matches!(with, With::Address(other, first) if other == address && first != client);
        self.any(now, host, With::Address(address, client), others)
    }

    /// Whether a host and a client recently did not connect.
    pub(crate) fn recently_failed(&self, now: Ms, host: u32, client: u32) -> bool {
        self.failed_for(now, host, client).is_some()
    }

    /// Returns for how long a host is not offered to a client with which it failed, in milliseconds.
    pub(crate) fn failed_for(&self, now: Ms, host: u32, client: u32) -> Option<u64> {
        let with = With::Client(client);
        let pairs = self.entries.iter_hash(hash(self.keys, host, with));
        let pairs = pairs.filter(|pair| pair.node == host && pair.with == with && pair.until > now);
        pairs.map(|pair| pair.until.since(now)).max()
    }

    /// Whether a host recently disconnected a light node in an address block at once.
    pub(crate) fn light_nodes_failed(&self, now: Ms, host: u32, block: AddressBlock) -> bool {
        self.any(now, host, With::LightNodes(block), |with| with == With::LightNodes(block))
    }

    /// Whether a host recently did that to light nodes of so many blocks of a wide block, at most [`PROVEN_LIGHT_BLOCKS`]. The
    /// attack: the holder of a /32 takes the slots of a host from each of its 65,536 blocks in turn.
    pub(crate) fn light_nodes_failed_in(&self, now: Ms, host: u32, wide: WideBlock, blocks: u8) -> bool {
        let of_wide = (0..PROVEN_LIGHT_BLOCKS).map(|number| With::WideLightNodes(wide, number));
        let failed = of_wide.filter(|with| self.any(now, host, *with, |other| other == *with));
        failed.count() >= blocks.into()
    }

    /// Removes expired entries.
    pub(crate) fn expire(&mut self, now: Ms) {
        while self.order.first().is_some_and(|pair| pair.until <= now) {
            let oldest = self.order.pop();
            oldest.into_iter().for_each(|pair| self.forget(pair));
        }
        self.shrink();
    }

    /// Returns memory to the system if little of it is used: after a rush of clients, or a flood, it would be kept forever.
    fn shrink(&mut self) {
        let keeps = self.order.len().saturating_mul(2).max(KEPT_PAIRS);
        if self.entries.capacity() / 4 > keeps {
            let keys = self.keys;
            self.entries.shrink_to(keeps, |pair| hash(keys, pair.node, pair.with));
        }
    }

    fn any(&self, now: Ms, node: u32, with: With, fits: impl Fn(With) -> bool) -> bool {
        let found = |pair: &RecentPair| pair.node == node && pair.until > now && fits(pair.with);
        self.entries.find(hash(self.keys, node, with), found).is_some()
    }

    /// Remembers a pair whose client is in a block.
    fn remember(&mut self, pair: RecentPair, block: AddressBlock, limits: &Limits) {
        let (_, lost) = self.order.push(block, pair, limits.recent_pairs, limits);
        lost.into_iter().for_each(|pair| self.forget(pair));
        let keys = self.keys;
        let hash = |pair: &RecentPair| hash(keys, pair.node, pair.with);
        self.entries.insert_unique(hash(&pair), pair, hash);
    }

    fn forget(&mut self, pair: RecentPair) {
        if let Ok(entry) = self.entries.find_entry(hash(self.keys, pair.node, pair.with), |other| *other == pair) {
            entry.remove();
        }
    }
}

fn hash(keys: Keys, node: u32, with: With) -> u64 {
    keys.hash(&(node, with.key()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::seeded_rng::SeededRng;

    fn limits(recent_pairs: u32) -> Limits {
        Limits { recent_pairs, ..Limits::default() }
    }

    fn at(client: u32, address: &str) -> ClientOf {
        ClientOf { client, block: AddressBlock::of(address.parse().unwrap()) }
    }

    /// A client where it does not matter.
    fn of(client: u32) -> ClientOf {
        at(client, "8.8.8.8")
    }

    #[test]
    fn bars_the_same_public_address_for_a_while() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let public = Some("8.8.8.8".parse().unwrap());
        let private = Some("10.0.0.1".parse().unwrap());
        recent.offered((1, of(7)), public, Ms::new(35), &limits(10));
        recent.offered((1, of(7)), private, Ms::new(35), &limits(10));
        assert!(recent.offered_nearby(Ms::new(34), 1, 8, public));
        assert!(!recent.offered_nearby(Ms::new(34), 1, 7, public), "the same client may come again");
        assert!(!recent.offered_nearby(Ms::new(34), 1, 8, private), "private addresses are exempt");
        assert!(!recent.offered_nearby(Ms::new(34), 2, 8, public), "another host");
        assert!(!recent.offered_nearby(Ms::new(35), 1, 8, public), "it is over");
        recent.failed(2, of(8), Ms::new(36), &limits(10));
        assert!(recent.recently_failed(Ms::new(34), 2, 8));
        assert!(!recent.recently_failed(Ms::new(34), 2, 9));
        recent.failed(2, of(8), Ms::new(30), &limits(10));
        assert_eq!(recent.failed_for(Ms::new(20), 2, 8), Some(16));
        recent.expire(Ms::new(36));
        assert!(recent.entries.is_empty() && recent.order.len() == 0);
    }

    #[test]
    fn each_lease_takes_the_dial_of_one_side_for_a_while() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let wait = |recent: &RecentPairs, now| {
            let Redial { by_client_ms, by_either_ms } = recent.redial_ms(Ms::new(now), 1, 7);
            (by_client_ms, by_either_ms)
        };
        assert_eq!(wait(&recent, 0), (0, 0));
        recent.dialed(1, of(7), Ms::new(35), &limits(10));
        assert_eq!(wait(&recent, 5), (30, 0));
        recent.dialed(1, of(7), Ms::new(40), &limits(10));
        recent.dialed(1, of(8), Ms::new(90), &limits(10));
        assert_eq!(wait(&recent, 5), (35, 30), "the other one waits for the first of the two");
        assert_eq!(wait(&recent, 35), (5, 0));
        recent.dialed(1, of(7), Ms::new(70), &limits(10));
        assert_eq!(wait(&recent, 36), (34, 4));
        recent.expire(Ms::new(90));
        assert!(recent.entries.is_empty() && wait(&recent, 90) == (0, 0));
    }

    #[test]
    fn four_blocks_whose_light_nodes_failed_stand_for_their_wide_block_until_one_of_them_is_over() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let block = |text: &str| AddressBlock::of(text.parse().unwrap());
        let (now, wide) = (Ms::new(1), block("2001:db8::1").wide());
        for (number, until) in [(0, 40), (0, 50), (1, 45), (2, 60), (3, 60), (4, 60)] {
            assert_eq!(recent.light_nodes_failed_in(now, 1, wide, LIGHT_BLOCKS), number == 4);
            recent.light_node_failed(now, 1, block(&format!("2001:db8:{number}::1")), Ms::new(until), &limits(100));
        }
        assert!(recent.light_nodes_failed(now, 1, block("2001:db8:3::1")));
        assert!(!recent.light_nodes_failed(now, 1, block("2001:db8:5::1")), "by itself");
        assert!(!recent.light_nodes_failed_in(now, 2, wide, LIGHT_BLOCKS), "another host");
        assert!(!recent.light_nodes_failed_in(now, 1, block("2001:db9::1").wide(), LIGHT_BLOCKS));
        assert!(!recent.light_nodes_failed_in(now, 1, wide, PROVEN_LIGHT_BLOCKS), "proven ones of the wide block");
        assert!(recent.light_nodes_failed_in(Ms::new(40), 1, wide, LIGHT_BLOCKS), "four of five are left");
        assert!(!recent.light_nodes_failed_in(Ms::new(45), 1, wide, LIGHT_BLOCKS), "three are left");
        recent.expire(Ms::new(60));
        assert!(recent.entries.is_empty() && recent.order.len() == 0);
    }

    #[test]
    fn memory_of_a_rush_is_returned() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        for client in 0..20_000 {
            recent.failed(1, of(client), Ms::new(if client < 19_900 { 35 } else { 70 }), &limits(u32::MAX));
        }
        assert!(recent.entries.capacity() >= 20_000);
        recent.expire(Ms::new(35));
        assert!(recent.entries.capacity() <= 4 * KEPT_PAIRS);
        assert!((19_900..20_000).all(|client| recent.recently_failed(Ms::new(36), 1, client)));
        assert!(!recent.recently_failed(Ms::new(36), 1, 19_899));
    }

    /// The attack: a stranger's many pairs make the pool forget that others must be kept apart.
    #[test]
    fn a_block_with_many_pairs_has_its_own_forgotten_and_nobody_elses() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let (now, until, limits) = (Ms::new(1), Ms::new(35), limits(30));
        let honest = at(1_000, "9.9.9.9");
        recent.failed(1, honest, until, &limits);
        recent.dialed(1, honest, until, &limits);
        recent.failed_in(honest, AddressBlock::of("7.7.7.7".parse().unwrap()), until, &limits);
        recent.light_node_failed(now, 1, honest.block, until, &limits);
        for client in 0..100 {
            recent.failed(1, of(client), until, &limits);
        }
        assert!(recent.recently_failed(now, 1, 1_000) && recent.redial_ms(now, 1, 1_000).by_client_ms == 34);
        assert!(recent.recently_failed_in(now, 1_000, AddressBlock::of("7.7.7.7".parse().unwrap())));
        assert!(recent.light_nodes_failed(now, 1, honest.block));
        assert!(!recent.recently_failed(now, 1, 90) && recent.recently_failed(now, 1, 99), "its own oldest");
        assert!(recent.order.len() <= 15 && recent.entries.len() == recent.order.len());
    }

    #[test]
    fn of_members_the_oldest_is_forgotten_beyond_the_limit() {
        let mut recent = RecentPairs::new(SeededRng::new([1; 32]).keys());
        let closed = Limits { members_only: true, ..limits(10) };
        for client in 0..20 {
            recent.failed(1, ClientOf { client, block: AddressBlock::ALL }, Ms::new(35), &closed);
        }
        assert_eq!(recent.entries.len(), 10);
        assert!(!recent.recently_failed(Ms::new(1), 1, 9));
        assert!(recent.recently_failed(Ms::new(1), 1, 10));
    }
}
