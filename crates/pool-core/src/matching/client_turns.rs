use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
};

use crate::collections::address_block::{AddressBlock, WideBlock};

/// Clients served by wide address blocks in turn, in each by its blocks in turn, in each block its proven clients and the
/// others in turn, and these in the order of arrival. However many clients wait in one block, one of another block, or a
/// proven one, waits for one of them.
#[derive(Debug, Default)]
pub(crate) struct ClientTurns(Turns<WideBlock, Turns<AddressBlock, BlockClients>>);

/// The clients in a block, whether they are proven, in the order of arrival.
type BlockClients = Turns<bool, BTreeSet<(u64, u32)>>;

/// A client that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitingClient {
    pub(crate) block: AddressBlock,
    /// Whether it counts as proven.
    pub(crate) proven: bool,
    /// Its number in the order of arrival.
    pub(crate) ticket: u64,
    pub(crate) index: u32,
}

/// Things in turn: each one's next turn comes after one of all others.
#[derive(Debug)]
struct Turns<K, T> {
    things: BTreeMap<K, T>,
    last: Option<K>,
}

impl<K, T> Default for Turns<K, T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), last: None }
    }
}

impl ClientTurns {
    /// A client waits from now on. Returns false if it did already.
    pub(crate) fn insert(&mut self, client: WaitingClient) -> bool {
        let WaitingClient { block, proven, ticket, index } = client;
        let blocks = self.0.things.entry(block.wide()).or_default();
        let kinds = blocks.things.entry(block).or_default();
        kinds.things.entry(proven).or_default().insert((ticket, index))
    }

    /// A client does not wait any more. Returns false if it did not.
    pub(crate) fn remove(&mut self, client: WaitingClient) -> bool {
        let WaitingClient { block, proven, ticket, index } = client;
        let Some(blocks) = self.0.things.get_mut(&block.wide()) else { return false };
        let Some(kinds) = blocks.things.get_mut(&block) else { return false };
        let Some(clients) = kinds.things.get_mut(&proven) else { return false };
        let removed = clients.remove(&(ticket, index));
        if clients.is_empty() {
            kinds.things.remove(&proven);
        }
        if kinds.things.is_empty() {
            blocks.things.remove(&block);
        }
        if blocks.things.is_empty() {
            self.0.things.remove(&block.wide());
        }
        removed
    }

    /// Returns the client whose turn it is. The next call is another block's turn.
    pub(crate) fn next(&mut self) -> Option<u32> {
        self.0.next()?.next()?.next()?.first().map(|(_, client)| *client)
    }

    /// The clients in a block that do not count as proven, in the order of arrival.
    pub(crate) fn of_block(&self, block: AddressBlock) -> impl Iterator<Item = u32> {
        let kinds = self.0.things.get(&block.wide()).and_then(|blocks| blocks.things.get(&block));
        let clients = kinds.and_then(|kinds| kinds.things.get(&false));
        clients.into_iter().flatten().map(|(_, client)| *client)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.things.is_empty()
    }

    /// Whether a client waits, for checks.
    pub(crate) fn holds(&self, client: WaitingClient) -> bool {
        let WaitingClient { block, proven, ticket, index } = client;
        let kinds = self.0.things.get(&block.wide()).and_then(|blocks| blocks.things.get(&block));
        let clients = kinds.and_then(|kinds| kinds.things.get(&proven));
        clients.is_some_and(|clients| clients.contains(&(ticket, index)))
    }
}

impl<K: Ord + Copy, T> Turns<K, T> {
    /// The first thing after the last one, in a circle.
    fn next(&mut self) -> Option<&mut T> {
        let after = self.last.and_then(|last| self.things.range((Excluded(last), Unbounded)).next());
        let (key, _) = after.or_else(|| self.things.first_key_value())?;
        let key = *key;
        self.last = Some(key);
        self.things.get_mut(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    fn waiting(block: AddressBlock, index: u32) -> WaitingClient {
        WaitingClient { block, proven: false, ticket: index.into(), index }
    }

    /// Serves all, in turn.
    fn serve(turns: &mut ClientTurns, of: impl Fn(u32) -> WaitingClient) -> Vec<u32> {
        let mut served = Vec::new();
        while let Some(client) = turns.next() {
            assert!(turns.remove(of(client)));
            served.push(client);
        }
        assert!(turns.is_empty());
        served
    }

    #[test]
    fn ten_thousand_of_one_wide_block_stand_before_nobody_else() {
        // 10,000 in 100 blocks of one wide block, two in another one, and one in a block of the first.
        let of = |client: u32| {
            let block = match client {
                0..10_000 => block(&format!("66.6.{}.1", client % 100)),
                10_000 => block("8.8.8.8"),
                10_001 => block("8.8.9.8"),
                _ => block("66.6.200.1"),
            };
            waiting(block, client)
        };
        let mut turns = ClientTurns::default();
        for client in 0..10_003 {
            assert!(turns.insert(of(client)) && !turns.insert(of(client)));
        }
        let another_time = WaitingClient { ticket: 6, ..of(5) };
        assert!(turns.holds(of(5)) && !turns.holds(another_time) && !turns.remove(another_time));
        let served = serve(&mut turns, of);
        assert_eq!(served.len(), 10_003);
        let at = |client| served.iter().position(|other| *other == client).unwrap();
        assert!(at(10_000) < 4 && at(10_001) < 4, "{:?}", &served[..4]);
        assert!(at(10_002) < 110, "blocks of one wide block are in turn too");
        assert!(at(5) < at(105), "the order of arrival in a block");
    }

    #[test]
    fn proven_clients_of_a_block_and_its_others_are_in_turn() {
        let of = |client: u32| WaitingClient { proven: client >= 100, ..waiting(block("8.8.8.8"), client) };
        let mut turns = ClientTurns::default();
        for client in 0..102 {
            turns.insert(of(client));
        }
        let served = serve(&mut turns, of);
        assert_eq!(served[..5], [0, 100, 1, 101, 2]);
    }
}
