use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::block::Block;

/// Turns at work that costs a core much, such as a signature check: so many at once, and fair among
/// address blocks. Whoever waits is served after at most one of each other block, however many those have
/// waiting.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<Table>);

#[derive(Debug)]
struct Table {
    free: usize,
    waiting: BTreeMap<usize, VecDeque<oneshot::Sender<Turn>>>,
    /// Blocks that have somebody waiting, the next one first.
    order: VecDeque<usize>,
}

/// Somebody's turn, over when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(Option<Arc<Turns>>);

impl Turns {
    pub(crate) const fn new(at_once: usize) -> Self {
        Self(Mutex::new(Table { free: at_once, waiting: BTreeMap::new(), order: VecDeque::new() }))
    }

    /// A turn now, or a place in the queue. Who waits is bounded by the sockets, each of which waits once.
    pub(crate) fn take(self: &Arc<Self>, block: &Arc<Block>) -> Result<Turn, oneshot::Receiver<Turn>> {
        let mut table = self.lock();
        if table.free > 0 {
            table.free -= 1;
            return Ok(Turn(Some(Arc::clone(self))));
        }
        let (send, wait) = oneshot::channel();
        let key = Arc::as_ptr(block).addr();
        let Table { waiting, order, .. } = &mut *table;
        let queue = waiting.entry(key).or_default();
        if queue.is_empty() {
            order.push_back(key);
        }
        queue.push_back(send);
        Err(wait)
    }

    fn over(self: Arc<Self>) {
        loop {
            let mut table = self.lock();
            let Some(next) = table.next() else {
                table.free += 1;
                return;
            };
            drop(table);
            match next.send(Turn(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // It does not wait any longer: the next one.
                Err(mut turn) => turn.0 = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let key = self.order.pop_front()?;
        let queue = self.waiting.get_mut(&key)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&key);
        } else {
            self.order.push_back(key);
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.over();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::PoolLimits;

    fn block() -> Arc<Block> {
        Arc::new(Block::new(&PoolLimits::default(), Instant::now()))
    }

    #[test]
    fn d4_a_waiter_comes_after_one_of_each_other_block() {
        let turns = Arc::new(Turns::new(1));
        let (flood, honest, third) = (block(), block(), block());
        let mut turn = turns.take(&flood).unwrap();
        let mut flooding: VecDeque<_> = (0..1_000).map(|_| turns.take(&flood).unwrap_err()).collect();
        let mut waiting = turns.take(&honest).unwrap_err();
        let mut last = turns.take(&third).unwrap_err();
        drop(turn);
        turn = flooding.pop_front().unwrap().try_recv().unwrap();
        assert!(waiting.try_recv().is_err());
        drop(turn);
        turn = waiting.try_recv().unwrap();
        drop(turn);
        turn = last.try_recv().unwrap();
        drop(turn);
        turn = flooding.pop_front().unwrap().try_recv().unwrap();
        drop(flooding);
        drop(turn);
        assert!(turns.take(&honest).is_ok(), "those who went hold nothing up");
    }

    #[test]
    fn a_turn_that_nobody_took_up_is_given_on() {
        let turns = Arc::new(Turns::new(1));
        let (one, two) = (block(), block());
        let turn = turns.take(&one).unwrap();
        let first = turns.take(&one).unwrap_err();
        let mut second = turns.take(&two).unwrap_err();
        drop(turn);
        drop(first);
        assert!(second.try_recv().is_ok());
    }
}
