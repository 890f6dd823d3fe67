use std::collections::{BTreeMap, VecDeque};

use crate::collections::{
    address_block::{AddressBlock, WideBlock},
    seeded_rng::SeededRng,
    slab::NIL,
};

/// Hosts grouped by wide address block and by block. A search draws the block first, so a thousand hosts in one block are
/// drawn as often as a single host of another one.
#[derive(Debug, Default)]
pub(crate) struct HostsByBlock {
    wide: Vec<WideGroup>,
    wide_at: BTreeMap<WideBlock, u32>,
    block_at: BTreeMap<AddressBlock, u32>,
    len: usize,
}

#[derive(Debug)]
struct WideGroup {
    wide: WideBlock,
    blocks: Vec<BlockGroup>,
}

#[derive(Debug)]
struct BlockGroup {
    block: AddressBlock,
    hosts: BlockHosts,
}

/// The hosts in a block. Most have one host, for which nothing is allocated.
#[derive(Debug)]
enum BlockHosts {
    One(u32),
    #[expect(clippy::box_collection, reason = "a block with one host takes 16 bytes instead of 24")]
    Many(Box<Vec<u32>>),
}

impl BlockHosts {
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(host) => std::slice::from_ref(host),
            Self::Many(hosts) => hosts,
        }
    }

    fn push(&mut self, host: u32) {
        match self {
            Self::One(first) => *self = Self::Many(Box::new(vec![*first, host])),
            Self::Many(hosts) => hosts.push(host),
        }
    }

    /// Removes the host at a position by moving the last one there. Returns the host that was moved, and whether none is left.
    fn swap_remove(&mut self, position: usize) -> (Option<u32>, bool) {
        match self {
            Self::One(_) => (None, true),
            Self::Many(hosts) => {
                hosts.swap_remove(position);
                (hosts.get(position).copied(), hosts.is_empty())
            }
        }
    }
}

impl HostsByBlock {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a host; returns its position in its block.
    pub(crate) fn insert(&mut self, block: AddressBlock, host: u32) -> u32 {
        let Self { wide, wide_at, block_at, len } = self;
        *len = len.saturating_add(1);
        let at = *wide_at.entry(block.wide()).or_insert_with(|| {
            wide.push(WideGroup { wide: block.wide(), blocks: Vec::new() });
            last_of(wide)
        });
        let Some(group) = wide.get_mut(at as usize) else { return NIL };
        let Some(at) = block_at.get(&block) else {
            group.blocks.push(BlockGroup { block, hosts: BlockHosts::One(host) });
            block_at.insert(block, last_of(&group.blocks));
            return 0;
        };
        let Some(group) = group.blocks.get_mut(*at as usize) else { return NIL };
        group.hosts.push(host);
        last_of(group.hosts.as_slice())
    }

    /// Removes the host at a position of a block; returns the host that was moved there, if one was.
    pub(crate) fn remove(&mut self, block: AddressBlock, position: u32) -> Option<u32> {
        let wide_at = *self.wide_at.get(&block.wide())?;
        let block_at = *self.block_at.get(&block)?;
        let wide = self.wide.get_mut(wide_at as usize)?;
        let group = wide.blocks.get_mut(block_at as usize)?;
        if (position as usize) >= group.hosts.as_slice().len() {
            return None;
        }
        let (moved, is_empty) = group.hosts.swap_remove(position as usize);
        self.len = self.len.saturating_sub(1);
        if is_empty {
            wide.blocks.swap_remove(block_at as usize);
            self.block_at.remove(&block);
            if let Some(moved) = wide.blocks.get(block_at as usize) {
                self.block_at.insert(moved.block, block_at);
            }
        }
        if wide.blocks.is_empty() {
            self.wide.swap_remove(wide_at as usize);
            self.wide_at.remove(&block.wide());
            if let Some(moved) = self.wide.get(wide_at as usize) {
                self.wide_at.insert(moved.wide, wide_at);
            }
        }
        moved
    }

    /// The host at a position of a block, for checks.
    pub(crate) fn at(&self, block: AddressBlock, position: u32) -> Option<u32> {
        let wide = self.wide.get(*self.wide_at.get(&block.wide())? as usize)?;
        let group = wide.blocks.get(*self.block_at.get(&block)? as usize)?;
        group.hosts.as_slice().get(position as usize).copied()
    }

    /// Every host once, in rounds: a round visits each wide block for one host, and successive rounds visit the next
    /// block in it, and then the next host. At each level, where it begins and the order are random: hosts that connected one after
    /// the other are neighbors in the list, and if a client's hosts are left out, the next ones would mostly be of the same owner.
    pub(crate) fn walk(&self, rng: &mut SeededRng) -> HostWalk<'_> {
        HostWalk { wide: Cycle::new(&self.wide, rng), again: VecDeque::new() }
    }
}

/// A walk over the hosts of [`HostsByBlock`].
#[derive(Debug)]
pub(crate) struct HostWalk<'a> {
    wide: Cycle<'a, WideGroup>,
    /// Wide blocks that have more hosts, in turn.
    again: VecDeque<BlockWalk<'a>>,
}

/// A host that a walk came to. Its block is known without a look at the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrawnHost {
    pub(crate) host: u32,
    pub(crate) block: AddressBlock,
}

/// A walk over the hosts in one wide block.
#[derive(Debug)]
struct BlockWalk<'a> {
    blocks: Cycle<'a, BlockGroup>,
    /// Blocks that have more hosts, in turn.
    again: VecDeque<(AddressBlock, Cycle<'a, u32>)>,
}

/// A walk over a list, around the end, from any entry on and by any step that leads to all of them.
#[derive(Debug)]
struct Cycle<'a, T> {
    list: &'a [T],
    next: usize,
    step: usize,
    left: usize,
}

impl HostWalk<'_> {
    pub(crate) fn next(&mut self, rng: &mut SeededRng) -> Option<DrawnHost> {
        let mut blocks = match self.wide.next() {
            Some(group) => BlockWalk { blocks: Cycle::new(&group.blocks, rng), again: VecDeque::new() },
            None => self.again.pop_front()?,
        };
        let host = blocks.next(rng);
        if blocks.blocks.left > 0 || !blocks.again.is_empty() {
            self.again.push_back(blocks);
        }
        host
    }
}

impl BlockWalk<'_> {
    fn next(&mut self, rng: &mut SeededRng) -> Option<DrawnHost> {
        let (block, mut hosts) = match self.blocks.next() {
            Some(group) => (group.block, Cycle::new(group.hosts.as_slice(), rng)),
            None => self.again.pop_front()?,
        };
        let host = hosts.next().copied();
        if hosts.left > 0 {
            self.again.push_back((block, hosts));
        }
        host.map(|host| DrawnHost { host, block })
    }
}

impl<'a, T> Cycle<'a, T> {
    fn new(list: &'a [T], rng: &mut SeededRng) -> Self {
        let (next, step) = if list.len() > 1 { rng.cycle(list.len()) } else { (0, 1) };
        Self { list, next, step, left: list.len() }
    }

    fn next(&mut self) -> Option<&'a T> {
        self.left = self.left.checked_sub(1)?;
        let item = self.list.get(self.next);
        let next = self.next.saturating_add(self.step);
        self.next = next.checked_sub(self.list.len()).unwrap_or(next);
        item
    }
}

/// The index of the last entry of a list.
fn last_of<T>(list: &[T]) -> u32 {
    u32::try_from(list.len().saturating_sub(1)).unwrap_or(NIL)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    fn all(groups: &HostsByBlock, rng: &mut SeededRng) -> Vec<u32> {
        let mut walk = groups.walk(rng);
        std::iter::from_fn(|| walk.next(rng)).map(|drawn| drawn.host).collect()
    }

    #[test]
    fn a_walk_visits_each_wide_block_before_any_twice_and_every_host_once() {
        let mut groups = HostsByBlock::default();
        let mut rng = SeededRng::new([1; 32]);
        for host in 0..1_000 {
            groups.insert(block("10.0.0.1"), host);
        }
        for host in 1_000..1_100_u32 {
            groups.insert(block(&format!("10.0.{}.1", host % 100 + 1)), host);
        }
        for host in 2_000..2_010_u32 {
            groups.insert(block(&format!("20.{}.0.1", host % 10)), host);
        }
        let mut first = 0;
        for _ in 0..1_100 {
            let hosts = all(&groups, &mut rng);
            assert_eq!((hosts.len(), hosts.iter().collect::<BTreeSet<_>>().len()), (1_110, 1_110));
            assert_eq!(hosts[..11].iter().filter(|host| **host < 2_000).count(), 1);
            assert!(hosts[..111].iter().filter(|host| **host < 1_000).count() == 1, "one of each block of a wide one");
            first += usize::from(hosts[0] < 2_000);
        }
        assert!((50..150).contains(&first), "{first}: the wide block with 1,100 hosts comes first as often as any");
    }

    /// The attack: silent hosts of many networks connect one after the other, so that they are neighbors in the list. A client whose
    /// silent host is left out would get the next one.
    #[test]
    fn hosts_that_connected_one_after_the_other_do_not_follow_each_other() {
        let mut groups = HostsByBlock::default();
        let mut rng = SeededRng::new([1; 32]);
        for host in 0..20_u32 {
            groups.insert(block(&format!("{}.0.0.1", 10 + host)), host);
        }
        let next = |hosts: Vec<u32>| (0..19).filter(|&at| hosts[at + 1] == (hosts[at] + 1) % 20).count();
        let follows: usize = (0..1_000).map(|_| next(all(&groups, &mut rng))).sum();
        assert!(follows < 19_000 / 4, "{follows} of 19,000");
    }

    #[test]
    fn a_walk_knows_the_block_of_each_host() {
        let mut groups = HostsByBlock::default();
        let mut rng = SeededRng::new([1; 32]);
        let addresses = ["10.0.0.1", "10.0.1.1", "10.0.0.2", "20.0.0.1", "10.0.0.3"];
        for (host, address) in (0..).zip(addresses) {
            groups.insert(block(address), host);
        }
        let mut walk = groups.walk(&mut rng);
        let mut drawn: Vec<DrawnHost> = std::iter::from_fn(|| walk.next(&mut rng)).collect();
        drawn.sort_by_key(|drawn| drawn.host);
        let expected = (0..).zip(addresses).map(|(host, address)| DrawnHost { host, block: block(address) });
        assert_eq!(drawn, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_removed_host_leaves_nothing() {
        let mut groups = HostsByBlock::default();
        let addresses = ["10.0.0.1", "10.0.1.1", "10.0.0.2", "20.0.0.1", "10.0.0.3"];
        for (host, address) in (0..).zip(addresses) {
            let at = groups.insert(block(address), host);
            assert_eq!(groups.at(block(address), at), Some(host));
        }
        assert_eq!(groups.remove(block("10.0.0.1"), 0), Some(4), "the last of the block moves");
        assert_eq!(groups.remove(block("10.0.0.1"), 7), None);
        assert_eq!((groups.remove(block("10.0.0.1"), 1), groups.remove(block("10.0.0.1"), 0)), (None, None));
        assert_eq!((groups.at(block("10.0.1.1"), 0), groups.at(block("20.0.0.1"), 0)), (Some(1), Some(3)));
        assert_eq!(groups.remove(block("10.0.1.1"), 0), None);
        assert_eq!(groups.at(block("20.0.0.1"), 0), Some(3));
        groups.remove(block("20.0.0.1"), 0);
        assert!(groups.is_empty() && groups.wide.is_empty() && groups.wide_at.is_empty() && groups.block_at.is_empty());
    }
}
