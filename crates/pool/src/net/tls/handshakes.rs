use std::{
    cmp::Reverse,
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;
use vipnode_pool_core::{AddressBlock, WideBlock};

/// The TLS handshakes in progress. At the limit, a new handshake replaces the oldest one of the address block that has the
/// most, in the wide block (/16, /32) that has the most: a block that begins many and finishes none harms only itself, while an
/// honest handshake takes two round trips.
#[derive(Debug)]
pub(crate) struct Handshakes {
    most: usize,
    table: Mutex<HandshakeTable>,
}

#[derive(Debug, Default)]
struct HandshakeTable {
    begun: u64,
    open: usize,
    wide: BTreeMap<WideBlock, WideHandshakes>,
}

/// The handshakes of one wide block.
#[derive(Debug, Default)]
struct WideHandshakes {
    open: usize,
    blocks: BTreeMap<AddressBlock, BTreeMap<u64, CancellationToken>>,
}

/// A handshake, which is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Handshake {
    handshakes: Arc<Handshakes>,
    block: AddressBlock,
    number: u64,
    given_up: CancellationToken,
}

impl Handshakes {
    /// Returns a table for at most `most` handshakes, and at least one.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), table: Mutex::default() }
    }

    /// Counts a handshake with `address`.
    pub(crate) fn begin(self: &Arc<Self>, address: IpAddr) -> Handshake {
        let block = AddressBlock::of(address);
        let given_up = CancellationToken::new();
        let mut table = self.lock();
        while table.open >= self.most && table.give_one_up() {}
        let number = table.begun;
        table.begun = number.wrapping_add(1);
        table.open = table.open.saturating_add(1);
        let wide = table.wide.entry(block.wide()).or_default();
        wide.open = wide.open.saturating_add(1);
        wide.blocks.entry(block).or_default().insert(number, given_up.clone());
        drop(table);
        Handshake { handshakes: Arc::clone(self), block, number, given_up }
    }

    /// No code panics while it holds the lock; if one did, the table would still be whole.
    fn lock(&self) -> MutexGuard<'_, HandshakeTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandshakeTable {
    fn give_one_up(&mut self) -> bool {
        let busiest = self.wide.values().max_by_key(|wide| (wide.open, Reverse(wide.oldest())));
        let Some((block, number)) = busiest.and_then(WideHandshakes::oldest_of_the_busiest) else { return false };
        if let Some(given_up) = self.remove(block, number) {
            given_up.cancel();
        }
        true
    }

    fn remove(&mut self, block: AddressBlock, number: u64) -> Option<CancellationToken> {
        let wide = self.wide.get_mut(&block.wide())?;
        let open = wide.blocks.get_mut(&block)?;
        let removed = open.remove(&number)?;
        if open.is_empty() {
            wide.blocks.remove(&block);
        }
        wide.open = wide.open.saturating_sub(1);
        if wide.blocks.is_empty() {
            self.wide.remove(&block.wide());
        }
        self.open = self.open.saturating_sub(1);
        Some(removed)
    }
}

impl WideHandshakes {
    fn oldest(&self) -> Option<u64> {
        self.blocks.values().filter_map(|open| open.keys().next().copied()).min()
    }

    /// Returns the oldest handshake of the block that has the most.
    fn oldest_of_the_busiest(&self) -> Option<(AddressBlock, u64)> {
        let key = |open: &BTreeMap<u64, _>| (open.len(), Reverse(open.keys().next().copied()));
        let (block, open) = self.blocks.iter().max_by_key(|(_, open)| key(open))?;
        Some((*block, *open.keys().next()?))
    }
}

impl Handshake {
    /// Waits until the handshake has to be given up.
    pub(crate) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.handshakes.lock().remove(self.block, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_busiest_block_makes_room() {
        let handshakes = Arc::new(Handshakes::new(4));
        let begin = |address: &str| handshakes.begin(address.parse().unwrap());
        let honest = begin("10.0.1.1");
        let storm: Vec<_> = (1..=3).map(|n| begin(&format!("10.0.2.{n}"))).collect();
        let late = begin("10.0.3.1");
        assert!(storm[0].given_up.is_cancelled() && !storm[1].given_up.is_cancelled());
        let more: Vec<_> = (0..100).map(|_| begin("10.0.2.9")).collect();
        assert!(!honest.given_up.is_cancelled() && !late.given_up.is_cancelled(), "a storm hurts itself only");
        assert_eq!(more.iter().filter(|one| !one.given_up.is_cancelled()).count(), 2);
        assert_eq!(handshakes.lock().open, 4);
        drop((storm, more, honest, late));
        assert!(handshakes.lock().wide.is_empty() && handshakes.lock().open == 0);
    }

    #[test]
    fn a_storm_from_a_thousand_blocks_of_a_wide_block_hurts_itself_only() {
        let handshakes = Arc::new(Handshakes::new(16));
        let honest: Vec<_> = (0..4).map(|n| handshakes.begin(format!("10.{n}.0.1").parse().unwrap())).collect();
        let begin = |n: u32| handshakes.begin(format!("2001:db8:{n:x}::1").parse().unwrap());
        let storm: Vec<_> = (0..1_000).map(begin).collect();
        assert!(honest.iter().all(|one| !one.given_up.is_cancelled()));
        assert_eq!(storm.iter().filter(|one| !one.given_up.is_cancelled()).count(), 12);
        drop((storm, honest));
        assert!(handshakes.lock().wide.is_empty());
    }
}
