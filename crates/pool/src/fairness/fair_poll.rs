use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Instant,
};

use tokio::task::yield_now;

use crate::fairness::Block;

/// Polls the work of a socket so that its address block, however many busy sockets it has, delays nobody else by more than
/// its budget of CPU time and one poll.
///
/// The runtime is fair to tasks, and a block may have thousands of them. Once a block has used up its budget, only one of
/// its tasks is in the runtime's queue, and the others wait for it.
pub(crate) async fn fair_poll<F: Future>(block: &Block, work: F) -> F::Output {
    let mut work = pin!(work);
    loop {
        let mut permit = None;
        if block.cpu.is_spent(Instant::now()) {
            // The semaphore is never closed.
            permit = block.poll_permit.acquire().await.ok();
            yield_now().await;
        }
        let began = Instant::now();
        let done = once(work.as_mut()).await;
        block.cpu.spend(began, began.elapsed());
        drop(permit);
        if let Some(done) = done {
            return done;
        }
        woken().await;
    }
}

/// Polls once. Returns the output if the work is done.
async fn once<F: Future>(mut work: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Waits until the polled work wakes this task.
async fn woken() {
    let mut waited = false;
    poll_fn(|_cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::{
        rc::Rc,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
    };

    use tokio::task::{LocalSet, spawn_local};

    use vipnode_pool_core::PoolLimits;

    use super::*;

    fn block(block_cpu_us: u32) -> Arc<Block> {
        let limits = PoolLimits { block_cpu_us, ..PoolLimits::default() };
        Arc::new(Block::new(&limits, Instant::now()))
    }

    /// How often a block of many busy sockets runs between two steps of another block's only socket.
    async fn most_between(flood: Arc<Block>, honest: Arc<Block>) -> u32 {
        let worked = Rc::new(AtomicU32::new(0));
        for _ in 0..100 {
            let (flood, worked) = (Arc::clone(&flood), Rc::clone(&worked));
            spawn_local(async move {
                fair_poll(&flood, async {
                    loop {
                        worked.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                    }
                })
                .await
            });
        }
        let honest = spawn_local(async move {
            fair_poll(&honest, async {
                let mut most = 0;
                for _ in 0..50 {
                    let before = worked.load(Ordering::Relaxed);
                    yield_now().await;
                    most = most.max(worked.load(Ordering::Relaxed).saturating_sub(before));
                }
                assert!(worked.load(Ordering::Relaxed) > 20, "the others ran in the meantime");
                most
            })
            .await
        });
        honest.await.unwrap()
    }

    #[tokio::test]
    async fn d4_a_block_of_many_busy_sockets_works_one_piece_at_a_time() {
        let run = async |budget| LocalSet::new().run_until(most_between(block(budget), block(1_000))).await;
        let (alone, fair) = (run(100_000_000).await, run(0).await);
        assert!(alone >= 90, "without the budget, each of a hundred comes first: {alone}");
        assert!(fair <= 3, "{fair}");
    }

    #[tokio::test]
    async fn a_socket_that_ends_while_it_waits_for_its_turn_keeps_nobody_waiting() {
        let block = block(0);
        let held = block.poll_permit.acquire().await.unwrap();
        let mut first = Box::pin(fair_poll(&block, async { 1 }));
        assert_eq!(once(first.as_mut()).await, None);
        let second = fair_poll(&block, async { 2 });
        drop(held);
        drop(first);
        assert_eq!(second.await, 2);
    }
}
