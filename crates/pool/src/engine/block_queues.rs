use std::collections::{BTreeMap, VecDeque};

use vipnode_pool_core::{AddressBlock, WideBlock};

/// Items that wait for the core's thread: one queue an address block, served by deficit round robin over wide blocks, and
/// in each wide block over its blocks.
///
/// A block whose turn it is takes the core until it has used [`QUANTUM_NS`], and then waits for one turn of every other
/// block that has something to do. What an item took more than that is a debt, which the block's next turns pay back, so a
/// block that asks for much gets as much time as any other, and waits by itself. Items of one block keep their order.
#[derive(Debug)]
pub(super) struct BlockQueues<T> {
    wide: Ring<WideBlock>,
    blocks: BTreeMap<WideBlock, Ring<AddressBlock>>,
    queues: BTreeMap<AddressBlock, VecDeque<T>>,
    len: usize,
}

/// Keys in turn, each with an account of time.
#[derive(Debug)]
struct Ring<K> {
    /// Keys that have something to do, the next one first.
    order: VecDeque<K>,
    /// Nanoseconds that a key may use until its turn is over; below zero is a debt. Keys with neither are not in it.
    accounts: BTreeMap<K, i64>,
}

/// The time that a turn gives, in nanoseconds.
const QUANTUM_NS: i64 = 100_000;
/// The largest debt, in nanoseconds: a block is never held up for more than a hundred turns of others.
const MOST_DEBT_NS: i64 = 100 * QUANTUM_NS;
/// Keys whose debts are remembered while they have nothing to do; beyond it all such debts are forgiven.
const DEBTORS: usize = 10_000;

impl<T> BlockQueues<T> {
    pub(super) const fn new() -> Self {
        Self { wide: Ring::new(), blocks: BTreeMap::new(), queues: BTreeMap::new(), len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Puts an item at the end of a block's queue.
    pub(super) fn push(&mut self, block: AddressBlock, item: T) {
        let queue = self.queues.entry(block).or_default();
        if queue.is_empty() {
            let wide = block.wide();
            let blocks = self.blocks.entry(wide).or_insert_with(Ring::new);
            if blocks.order.is_empty() {
                self.wide.order.push_back(wide);
            }
            blocks.order.push_back(block);
        }
        queue.push_back(item);
        self.len += 1;
    }

    /// Takes the first item of the block whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(AddressBlock, T)> {
        let wide = self.wide.turn()?;
        let blocks = self.blocks.get_mut(&wide)?;
        let block = blocks.turn()?;
        let queue = self.queues.get_mut(&block)?;
        let item = queue.pop_front()?;
        self.len -= 1;
        if queue.is_empty() {
            self.queues.remove(&block);
            blocks.leave();
            if blocks.order.is_empty() {
                self.wide.leave();
            }
        }
        Some((block, item))
    }

    /// Charges a block for time of the core, in nanoseconds.
    pub(super) fn charge(&mut self, block: AddressBlock, ns: u64) {
        let ns = i64::try_from(ns).unwrap_or(i64::MAX);
        self.wide.charge(block.wide(), ns);
        if let Some(blocks) = self.blocks.get_mut(&block.wide()) {
            blocks.charge(block, ns);
        }
        if self.wide.accounts.len() > DEBTORS.max(2 * self.wide.order.len()) {
            self.forgive();
        }
    }

    /// Forgives all debts, because the core has nothing to do, and so nobody waits for anybody.
    pub(super) fn forgive(&mut self) {
        self.wide.accounts.clear();
        self.blocks.retain(|_, blocks| {
            blocks.accounts.clear();
            !blocks.order.is_empty()
        });
    }

    /// Takes all items.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        let old = std::mem::replace(self, Self::new());
        old.queues.into_values().flatten()
    }
}

impl<K: Ord + Copy> Ring<K> {
    const fn new() -> Self {
        Self { order: VecDeque::new(), accounts: BTreeMap::new() }
    }

    /// The key whose turn it is. Ends at the latest when each key has paid the largest debt.
    fn turn(&mut self) -> Option<K> {
        loop {
            let key = *self.order.front()?;
            let alone = self.order.len() == 1;
            let account = self.accounts.entry(key).or_insert(QUANTUM_NS);
            if *account > 0 {
                return Some(key);
            }
            *account = if alone { QUANTUM_NS } else { *account + QUANTUM_NS };
            self.order.rotate_left(1);
        }
    }

    /// The key whose turn it is has nothing more to do: what is left of its turn is lost, and a debt stays.
    fn leave(&mut self) {
        let Some(key) = self.order.pop_front() else { return };
        if self.accounts.get(&key).is_some_and(|account| *account >= 0) {
            self.accounts.remove(&key);
        }
    }

    fn charge(&mut self, key: K, ns: i64) {
        // A key that is not in the order may have no account: it pays at its next turn.
        let account = self.accounts.entry(key).or_insert(QUANTUM_NS);
        *account = account.saturating_sub(ns).max(-MOST_DEBT_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    /// Serves for a while, each item at the cost of its block; how many of each.
    fn serve(queues: &mut BlockQueues<u32>, items: usize, cost: impl Fn(AddressBlock) -> u64) -> BTreeMap<u32, usize> {
        let mut served = BTreeMap::new();
        for _ in 0..items {
            let (block, item) = queues.pop().unwrap();
            queues.charge(block, cost(block));
            *served.entry(item).or_default() += 1;
        }
        served
    }

    #[test]
    fn blocks_get_the_same_time_whatever_their_items_cost() {
        let mut queues = BlockQueues::new();
        let (dear, cheap) = (block("66.6.6.6"), block("8.8.8.8"));
        for _ in 0..10_000 {
            queues.push(dear, 0);
            queues.push(cheap, 1);
        }
        let served = serve(&mut queues, 5_000, |block| if block == dear { 1_000_000 } else { 10_000 });
        assert!(served[&0] * 90 < served[&1], "{served:?}: one for a hundred");
    }

    #[test]
    fn an_item_of_a_block_with_nothing_else_waits_for_one_turn_of_each_other() {
        let mut queues = BlockQueues::new();
        for number in 0..10_000_u32 {
            queues.push(block(&format!("66.6.{}.1", number % 200)), 0);
        }
        serve(&mut queues, 1_000, |_| 20_000);
        queues.push(block("8.8.8.8"), 1);
        let before = std::iter::from_fn(|| queues.pop()).position(|(_, item)| item == 1).unwrap();
        assert!(before <= 5, "{before}: 200 blocks of one wide block have one turn");
    }

    #[test]
    fn a_debt_stays_while_others_wait_and_is_forgiven_when_nobody_waits() {
        for (forgiven, first) in [(false, 1), (true, 0)] {
            let mut queues = BlockQueues::new();
            let (debtor, other) = (block("66.6.6.6"), block("8.8.8.8"));
            queues.charge(debtor, 5_000_000);
            if forgiven {
                queues.forgive();
            }
            queues.push(debtor, 0);
            queues.push(other, 1);
            assert_eq!(queues.pop().unwrap().1, first);
        }
    }

    #[test]
    fn one_blocks_items_keep_their_order_and_nothing_is_left() {
        let mut queues = BlockQueues::new();
        for item in 0..1_000 {
            queues.push(block(if item % 3 == 0 { "8.8.8.8" } else { "9.9.9.9" }), item);
        }
        let mut last = [None; 2];
        while let Some((of, item)) = queues.pop() {
            queues.charge(of, 30_000);
            let last = &mut last[usize::from(item % 3 == 0)];
            assert!(last.is_none_or(|last| last < item));
            *last = Some(item);
        }
        queues.forgive();
        assert!(queues.len() == 0 && queues.queues.is_empty() && queues.blocks.is_empty());
        assert!(queues.wide.order.is_empty() && queues.wide.accounts.is_empty());
    }
}
