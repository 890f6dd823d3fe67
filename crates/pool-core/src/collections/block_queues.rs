use std::collections::{BTreeMap, VecDeque};

use crate::{
    PoolLimits,
    collections::address_block::{AddressBlock, WideBlock},
};

/// Items that wait for the core's thread: one queue an address block, served by deficit round robin over wide blocks, and
/// in each wide block over its blocks.
///
/// A block whose turn it is takes the core until it has used [`PoolLimits::core_turn_us`], and then waits for one turn of
/// every other block that has something to do. What an item took more than that is a debt, which the block's next turns
/// pay back, so a block that asks for much gets as much time as any other, and waits by itself. Items of one block keep
/// their order.
#[derive(Debug)]
pub struct BlockQueues<T> {
    rates: TurnRates,
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

/// How much time a turn gives, and how much is remembered of what was used beyond it.
#[derive(Debug, Clone, Copy)]
struct TurnRates {
    /// [`PoolLimits::core_turn_us`], in nanoseconds.
    turn_ns: i64,
    /// [`PoolLimits::core_debt_turns`], in nanoseconds.
    most_debt_ns: i64,
    /// [`PoolLimits::core_debtors`].
    debtors: usize,
}

impl TurnRates {
    fn of(limits: &PoolLimits) -> Self {
        let turn_ns = i64::from(limits.core_turn_us).saturating_mul(1_000).max(1);
        let most_debt_ns = turn_ns.saturating_mul(limits.core_debt_turns.into());
        Self { turn_ns, most_debt_ns, debtors: limits.core_debtors }
    }
}

impl<T> BlockQueues<T> {
    /// Nothing waits.
    #[must_use]
    pub fn new(limits: &PoolLimits) -> Self {
        Self::with(TurnRates::of(limits))
    }

    const fn with(rates: TurnRates) -> Self {
        Self { rates, wide: Ring::new(), blocks: BTreeMap::new(), queues: BTreeMap::new(), len: 0 }
    }

    /// Items that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts an item at the end of a block's queue.
    pub fn push(&mut self, block: AddressBlock, item: T) {
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
        self.len = self.len.saturating_add(1);
    }

    /// Takes the first item of the block whose turn it is.
    pub fn pop(&mut self) -> Option<(AddressBlock, T)> {
        let wide = self.wide.turn(self.rates)?;
        let blocks = self.blocks.get_mut(&wide)?;
        let block = blocks.turn(self.rates)?;
        let queue = self.queues.get_mut(&block)?;
        let item = queue.pop_front()?;
        self.len = self.len.saturating_sub(1);
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
    pub fn charge(&mut self, block: AddressBlock, ns: u64) {
        let ns = i64::try_from(ns).unwrap_or(i64::MAX);
        self.wide.charge(block.wide(), ns, self.rates);
        if let Some(blocks) = self.blocks.get_mut(&block.wide()) {
            blocks.charge(block, ns, self.rates);
        }
        if self.wide.accounts.len() > self.rates.debtors.max(self.wide.order.len().saturating_mul(2)) {
            self.forgive();
        }
    }

    /// Forgives all debts, because the core has nothing to do, and so nobody waits for anybody.
    pub fn forgive(&mut self) {
        self.wide.accounts.clear();
        self.blocks.retain(|_, blocks| {
            blocks.accounts.clear();
            !blocks.order.is_empty()
        });
    }

    /// Takes all items.
    pub fn take_all(&mut self) -> impl Iterator<Item = T> {
        let old = std::mem::replace(self, Self::with(self.rates));
        old.queues.into_values().flatten()
    }
}

impl<K: Ord + Copy> Ring<K> {
    const fn new() -> Self {
        Self { order: VecDeque::new(), accounts: BTreeMap::new() }
    }

    /// The key whose turn it is. Ends at the latest when each key has paid the largest debt.
    fn turn(&mut self, rates: TurnRates) -> Option<K> {
        loop {
            let key = *self.order.front()?;
            let alone = self.order.len() == 1;
            let account = self.accounts.entry(key).or_insert(rates.turn_ns);
            if *account > 0 {
                return Some(key);
            }
            *account = if alone { rates.turn_ns } else { account.saturating_add(rates.turn_ns) };
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

    fn charge(&mut self, key: K, ns: i64, rates: TurnRates) {
        // A key that is not in the order may have no account: it pays at its next turn.
        let account = self.accounts.entry(key).or_insert(rates.turn_ns);
        *account = account.saturating_sub(ns).max(rates.most_debt_ns.saturating_neg());
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
        let mut queues = BlockQueues::new(&PoolLimits::default());
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
        let mut queues = BlockQueues::new(&PoolLimits::default());
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
            let mut queues = BlockQueues::new(&PoolLimits::default());
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
        let mut queues = BlockQueues::new(&PoolLimits::default());
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
        assert!(queues.is_empty() && queues.queues.is_empty() && queues.blocks.is_empty());
        assert!(queues.wide.order.is_empty() && queues.wide.accounts.is_empty());
    }

    /// How many items of the first block are served before one of the second, with these limits, at a cost of 1 ms each.
    fn served_first(limits: &PoolLimits) -> usize {
        let mut queues = BlockQueues::new(limits);
        for item in 0..100 {
            queues.push(block("66.6.6.6"), item);
        }
        queues.push(block("8.8.8.8"), 1_000);
        let mut served = 0;
        while let Some((of, item)) = queues.pop() {
            if item == 1_000 {
                break;
            }
            queues.charge(of, 1_000_000);
            served += 1;
        }
        served
    }

    #[test]
    fn a_turn_is_as_long_as_its_limit() {
        let turns = |core_turn_us| served_first(&PoolLimits { core_turn_us, ..PoolLimits::default() });
        assert_eq!((turns(100), turns(1_000), turns(5_000)), (1, 1, 5));
    }

    #[test]
    fn a_block_waits_for_no_more_turns_than_it_may_owe() {
        for (core_debt_turns, waits) in [(0, 1), (3, 4)] {
            let limits = PoolLimits { core_debt_turns, ..PoolLimits::default() };
            let mut queues = BlockQueues::new(&limits);
            let (debtor, other) = (block("66.6.6.6"), block("8.8.8.8"));
            queues.charge(debtor, 1_000_000_000);
            queues.push(debtor, 0);
            for _ in 0..10 {
                queues.push(other, 1);
            }
            // Each item takes a whole turn.
            let before = std::iter::from_fn(|| queues.pop().inspect(|(of, _)| queues.charge(*of, 100_000)));
            assert_eq!(before.take_while(|(_, item)| *item == 1).count(), waits, "{core_debt_turns}");
        }
    }

    #[test]
    fn debts_of_more_blocks_than_the_limit_are_forgiven() {
        let limits = PoolLimits { core_debtors: 3, ..PoolLimits::default() };
        let mut queues = BlockQueues::<u32>::new(&limits);
        for number in 0..3 {
            queues.charge(block(&format!("66.{number}.6.6")), 5_000_000);
        }
        assert_eq!(queues.wide.accounts.len(), 3);
        queues.charge(block("66.3.6.6"), 5_000_000);
        assert!(queues.wide.accounts.is_empty());
    }
}
