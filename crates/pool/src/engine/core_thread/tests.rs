use vipnode_pool_core::{Release, Reply, Row};
use vipnode_store::MemoryStore;
use vipnode_types::wire::ErrorCode;

use super::*;
use crate::{
    PoolConfig, PoolLimits, PoolMetrics,
    auth::Audience,
    engine::{NOBODY, inbox, inbox::ReplyTo},
};

/// A number of a lease beyond those that a new core begins with.
const DURABLE: u64 = 1 << 60;

fn core_thread() -> CoreThread {
    let metrics = PoolMetrics::default().shared();
    let (inbox, reader) = inbox(metrics.queue.clone(), &PoolLimits::default());
    let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
    let access = AccessControl::new(Audience::new(config.bind, &[], None), None, config.access_rules());
    let (store, _thread) = StoreThread::start(Box::new(MemoryStore::new()), inbox.clone(), 4).unwrap();
    let parts = CoreThreadParts {
        limits: Limits { tick_ms: 1_000, ..Limits::default() },
        seed: [1; 32],
        access: Arc::new(access),
        retry_ms: 7,
        batch_time: Duration::from_millis(1),
        store_retry: Duration::from_secs(1),
        connections: Arc::new(Connections::new(inbox.clone())),
        inbox,
        reader,
        store,
        metrics,
        runtime: Handle::current(),
    };
    CoreThread::new(parts).unwrap()
}

#[tokio::test]
async fn a_panic_of_the_core_is_answered_busy_and_durable_rows_are_kept() {
    let mut thread = core_thread();
    thread.handle_by(|_, _, out| out.push(Effect::Persist(vec![Row::NextLease(DURABLE)]))).ok().unwrap();
    thread.send_rows().ok().unwrap();
    let (reply, answer) = tokio::sync::oneshot::channel();
    thread.replies.expect(3, ReplyTo::Task(reply));
    let broken = thread.handle_by(|_, _, out| {
        let reply = Ok(Reply::Done(vipnode_types::wire::Done {}));
        out.push(Effect::Reply { connection: NOBODY, request: 3, reply, release: Release::Now });
        panic!("as the test requires");
    });
    let broken = broken.err().unwrap();
    assert!(broken.0.contains("please report"), "{}", broken.0);
    assert!(thread.rebuild(&broken.0));
    thread.deliver();
    let busy = answer.await.unwrap().unwrap_err();
    assert!(busy.is(ErrorCode::Busy) && busy.data.unwrap().retry_ms == Some(7));
    let rows = thread.core.rows();
    assert!(rows.contains(&Row::NextLease(DURABLE)), "{rows:?}");
    assert_eq!((thread.life, thread.metrics.rebuilds.get()), (1, 1));
    thread.handle(Command::Tick).ok().unwrap();
}
