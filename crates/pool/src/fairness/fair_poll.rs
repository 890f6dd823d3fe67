use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Instant,
};

use tokio::{sync::SemaphorePermit, task::yield_now};

use crate::fairness::{Block, Caller};

/// Polls the work of a caller so that its address block, and its wide block, however many busy sockets they have, delay nobody
/// else by more than their budgets of CPU time and one poll.
///
/// The runtime is fair to tasks, and a block may have thousands of them. Once a block has used up its budget, only one of
/// its tasks is in the runtime's queue, and the others wait for it. One that holds a permit for a signature check does not
/// wait: there are few permits, and everybody else waits for them. They are shared among blocks too.
///
/// The work is pinned by who calls this: a future that contains it takes its size twice, once as an argument.
pub(crate) async fn fair_poll<F: Future>(caller: &Caller, mut work: Pin<&mut F>) -> F::Output {
    loop {
        let charged_to = caller.charged_to();
        let mut permits = [None, None];
        let now = Instant::now();
        if charged_to.is_cpu_spent(now) && !caller.checks().any() {
            permits = turn(caller, charged_to, now).await;
            yield_now().await;
        }
        let began = Instant::now();
        let done = once(work.as_mut()).await;
        charged_to.spend_cpu(began, began.elapsed());
        drop(permits);
        if let Some(done) = done {
            return done;
        }
        woken().await;
    }
}

/// Waits until it is the turn of a socket, or until it gets a permit for a signature check.
async fn turn<'a>(caller: &Caller, charged_to: &'a Block, now: Instant) -> [Option<SemaphorePermit<'a>>; 2] {
    let mut permits = pin!(charged_to.poll_permits(now));
    // The permit for the check wakes the task too.
    poll_fn(|cx| if caller.checks().any() { Poll::Ready([None, None]) } else { permits.as_mut().poll(cx) }).await
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
    use crate::fairness::{ConnectionLimiter, FairPermit, FairSemaphore, FairWait, fair_semaphore::PermitsHeld};

    async fn fairly<F: Future>(caller: &Caller, work: F) -> F::Output {
        fair_poll(caller, pin!(work)).await
    }

    /// Callers at these addresses.
    fn callers(block_cpu_us: u32, addresses: impl IntoIterator<Item = String>) -> Vec<Arc<Caller>> {
        let limits = PoolLimits { block_cpu_us, ..PoolLimits::default() };
        let limiter = Arc::new(ConnectionLimiter::new(&limits));
        let admit = |address: String| Arc::new(limiter.admit(address.parse().unwrap(), Instant::now()).unwrap());
        addresses.into_iter().map(admit).collect()
    }

    /// How often many busy sockets run between two steps of another block's only socket.
    async fn most_between(flood: Vec<Arc<Caller>>, honest: Arc<Caller>) -> u32 {
        let worked = Rc::new(AtomicU32::new(0));
        for flood in flood {
            let worked = Rc::clone(&worked);
            spawn_local(async move {
                fairly(&flood, async {
                    loop {
                        worked.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                    }
                })
                .await
            });
        }
        let honest = spawn_local(async move {
            fairly(&honest, async {
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
        let blocks: [fn(u32) -> String; 2] = [|n| format!("10.0.0.{n}"), |n| format!("2001:db8:{n:x}::1")];
        for address in blocks {
            let run = async |budget| {
                let honest = callers(1_000, ["10.9.9.9".to_owned()]).remove(0);
                LocalSet::new().run_until(most_between(callers(budget, (0..100).map(address)), honest)).await
            };
            let (alone, fair) = (run(100_000_000).await, run(0).await);
            assert!(alone >= 90, "without the budget, each of a hundred comes first: {alone}");
            assert!(fair <= 3, "{}: {fair}", address(1));
        }
    }

    #[tokio::test]
    async fn a_socket_that_ends_while_it_waits_for_its_turn_keeps_nobody_waiting() {
        let caller = callers(0, ["10.0.0.1".to_owned()]).remove(0);
        let held = caller.block().poll_permits(Instant::now()).await;
        let mut first = Box::pin(fairly(&caller, async { 1 }));
        assert_eq!(once(first.as_mut()).await, None);
        let second = fairly(&caller, async { 2 });
        drop(held);
        drop(first);
        assert_eq!(second.await, 2);
    }

    /// Polls a socket once; whether it is done.
    async fn polled<F: Future>(socket: &mut Pin<Box<F>>) -> bool {
        once(socket.as_mut()).await.is_some()
    }

    #[tokio::test]
    async fn a_socket_that_gets_a_permit_for_a_check_waits_for_no_turn() {
        let caller = callers(0, ["10.0.0.1".to_owned()]).remove(0);
        let semaphore = Arc::new(FairSemaphore::new(1));
        let check = async |permit: Result<FairPermit, FairWait>| match permit {
            Ok(permit) => Some(permit),
            Err(wait) => wait.permit().await,
        };
        let other = semaphore.acquire(caller.address_block(), &PermitsHeld::default()).unwrap();
        let wait = semaphore.acquire(caller.address_block(), caller.checks());
        let mut socket = Box::pin(fairly(&caller, check(wait)));
        assert!(
            !polled(&mut socket).await && !polled(&mut socket).await,
            "in its turn, it begins to wait for a permit"
        );
        let _turn = caller.block().poll_permits(Instant::now()).await;
        assert!(!polled(&mut socket).await, "another socket has the turn");
        drop(other);
        assert!(!polled(&mut socket).await && polled(&mut socket).await, "the permit was idle");
    }

    #[tokio::test]
    async fn an_authenticated_member_waits_for_nobody() {
        let caller = callers(0, ["10.0.0.1".to_owned()]).remove(0);
        let _held = caller.block().poll_permits(Instant::now()).await;
        caller.set_member();
        assert_eq!(once(Box::pin(fairly(&caller, async { 1 })).as_mut()).await, Some(1));
    }
}
