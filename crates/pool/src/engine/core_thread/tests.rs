use vipnode_pool_core::{Reply, Row, SendWhen};
use vipnode_store::{MemoryStore, Store as _};
use vipnode_types::wire::ErrorCode;

use super::*;
use crate::{
    PoolConfig, PoolLimits, PoolMetrics,
    auth::{Audience, BansAndDrains},
    engine::{NOBODY, inbox, inbox::ReplyTo},
};

/// A number of a lease beyond those that a new core begins with.
const DURABLE: u64 = 1 << 60;

fn core_thread(gateway: &PoolLimits) -> (CoreThread, Inbox) {
    let metrics = PoolMetrics::default().shared();
    let (inbox, reader) = inbox(metrics.queue.clone(), gateway);
    let config = PoolConfig::new(([127, 0, 0, 1], 1).into()).unwrap();
    let access = AccessControl::new(
        Audience::new(config.bind, &[], None),
        None,
        BansAndDrains::open(None, &config.limits).unwrap(),
        config.access_rules(),
    );
    let limits = Limits { tick_ms: 1_000, ..Limits::default() };
    let mut store = MemoryStore::new();
    // So that the thread writes nothing at its start: the end of a commit is a message too.
    store.apply(&[Row::Asset(limits.price.asset())]).unwrap();
    let (store, _thread) = StoreThread::start(Box::new(store), inbox.clone(), 4).unwrap();
    let parts = CoreThreadParts {
        limits,
        seed: [1; 32],
        accept_clock: None,
        access: Arc::new(access),
        retry_ms: 7,
        batch_time: Duration::from_micros(gateway.core_batch_us.into()),
        core_time_blocks: 10,
        store_retry: Duration::from_secs(1),
        connections: Arc::new(Connections::new(inbox.clone())),
        inbox: inbox.clone(),
        reader,
        store,
        metrics,
        runtime: Handle::current(),
    };
    (CoreThread::new(parts).unwrap(), inbox)
}

#[tokio::test]
async fn a_panic_of_the_core_is_answered_busy_and_durable_rows_are_kept() {
    let (mut thread, _inbox) = core_thread(&PoolLimits::default());
    thread.handle_by(|_, _, out| out.push(Effect::Persist(vec![Row::NextLease(DURABLE)]))).ok().unwrap();
    thread.send_rows().ok().unwrap();
    let (reply, answer) = tokio::sync::oneshot::channel();
    thread.replies.expect(3, ReplyTo::Task(reply), RefusedAs::Busy);
    let broken = thread.handle_by(|_, _, out| {
        let reply = Ok(Reply::Done(vipnode_types::wire::Done {}));
        out.push(Effect::Reply { connection: NOBODY, request: 3, reply, when: SendWhen::Now });
        panic!("as the test requires");
    });
    let broken = broken.err().unwrap();
    assert!(matches!(broken, Broken::Fault(why) if why.contains("please report")), "{broken:?}");
    assert!(thread.rebuild(broken));
    thread.deliver();
    let busy = answer.await.unwrap().unwrap_err();
    assert!(busy.is(ErrorCode::Busy) && busy.data.unwrap().retry_ms == Some(7));
    let rows = thread.core.rows();
    assert!(rows.contains(&Row::NextLease(DURABLE)), "{rows:?}");
    assert_eq!((thread.core_generation, thread.metrics.rebuilds.get()), (1, 1));
    thread.handle(Command::Tick).ok().unwrap();
}

#[tokio::test]
async fn a_batch_ends_after_its_time() {
    for (core_batch_us, left) in [(0, 2), (60_000_000, 0)] {
        let (mut thread, inbox) = core_thread(&PoolLimits { core_batch_us, ..PoolLimits::default() });
        for _ in 0..3 {
            inbox.push(CoreMessage::OneWay(Command::Tick));
        }
        assert!(!thread.handle_batch().ok().unwrap());
        assert_eq!(thread.metrics.queue.get(), left, "{core_batch_us}");
    }
}

#[tokio::test]
async fn a_banned_node_is_refused_by_the_thread_that_ends_what_it_has() {
    let (thread, _inbox) = core_thread(&PoolLimits::default());
    let node = vipnode_types::NodeId::new([1; 64]);
    let ban = crate::auth::Ban {
        target: crate::auth::BanTarget::Node(node),
        reason: None,
        since_ms: wall_clock(),
        until_ms: None,
    };
    let call = vipnode_types::protocol2::Call::Peer(vipnode_types::protocol2::PeerRequest::default());
    let address = [203, 0, 113, 1].into();
    let command = Command::Protocol2 { connection: NOBODY, request: 1, node, nonce: 1, address, callable: true, call };
    assert_eq!(thread.banned(&command), None);
    thread.access.bans_and_drains().ban(ban, wall_clock()).unwrap();
    let refusal = thread.banned(&command).unwrap();
    assert!(refusal.is(ErrorCode::Server) && refusal.message.contains("banned this node"), "{refusal}");
    assert_eq!(thread.banned(&Command::Tick), None);
}
