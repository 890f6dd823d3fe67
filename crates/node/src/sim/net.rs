use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, value::RawValue};
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};
use vipnode_types::NodeId;

use super::{
    SimEvent, SimSpec, World,
    answers::{self, Fault},
    transport::SimTransport,
};
use crate::{AdminNode, Node, NodeFamily, limits::EVENT_QUEUE};

/// A [`World`] that runs on tokio's clock. Clones are the same network; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct SimNet(Arc<SharedWorld>);

#[derive(Debug)]
struct SharedWorld {
    world: Mutex<World>,
    began: Instant,
    woken: Notify,
    news: broadcast::Sender<News>,
}

/// An event that a transport hears of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Peer(SimEvent),
    /// The node was stopped: its sockets break.
    Stopped(NodeId),
}

impl SimNet {
    /// An empty network.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn new() -> Self {
        let shared = Arc::new(SharedWorld {
            world: Mutex::default(),
            began: Instant::now(),
            woken: Notify::new(),
            news: broadcast::channel(EVENT_QUEUE).0,
        });
        tokio::spawn(run(Arc::downgrade(&shared)));
        Self(shared)
    }

    /// Adds a node, starts it, and returns its driver: geth's, since it speaks geth's RPC.
    pub fn add(&self, spec: SimSpec) -> Arc<dyn Node> {
        let id = spec.id;
        self.with(|world| world.add(spec));
        self.node(id)
    }

    /// The driver of a node that was added.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Arc<dyn Node> {
        Arc::new(AdminNode::new(self.transport(id), NodeFamily::Trusting))
    }

    /// The way to the RPC of a node.
    #[must_use]
    pub fn transport(&self, id: NodeId) -> Arc<dyn crate::Transport> {
        Arc::new(SimTransport::new(self.clone(), id))
    }

    /// Stops a node: calls to it fail, its connections break, what it was asked to do is forgotten.
    pub fn stop(&self, id: NodeId) {
        self.with(|world| world.stop(id));
        let _ = self.0.news.send(News::Stopped(id));
    }

    /// Starts a node that was stopped.
    pub fn start(&self, id: NodeId) {
        self.with(|world| world.start(id));
    }

    /// Looks at the network, or changes it, at this moment.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let outcome = {
            let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
            world.advance(self.0.now_ms());
            let outcome = look(&mut world);
            self.0.publish(&mut world);
            outcome
        };
        self.0.woken.notify_one();
        outcome
    }

    pub(super) fn news(&self) -> broadcast::Receiver<News> {
        self.0.news.subscribe()
    }

    /// Answers an RPC call; `None` if the node is not running.
    pub(super) fn answer(&self, id: NodeId, method: &str, params: &RawValue) -> Option<Result<Value, Fault>> {
        let wall_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.with(|world| world.is_running(id).then(|| answers::answer(world, id, method, params, wall_s)))
    }
}

impl Default for SimNet {
    fn default() -> Self {
        Self::new()
    }
}

impl SharedWorld {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn publish(&self, world: &mut World) {
        for event in world.take_events() {
            // Nobody may be listening.
            let _ = self.news.send(News::Peer(event));
        }
    }
}

/// Lets things happen at their moment, until the network is gone.
async fn run(shared: Weak<SharedWorld>) {
    loop {
        let Some(alive) = shared.upgrade() else { return };
        let next_ms = {
            let mut world = alive.world.lock().unwrap_or_else(PoisonError::into_inner);
            world.advance(alive.now_ms());
            alive.publish(&mut world);
            world.next_wake_ms()
        };
        // At least every second it is looked whether anybody else still holds the network.
        let began = alive.began;
        let poll = Instant::now() + Duration::from_secs(1);
        let until = next_ms.map_or(poll, |ms| (began + Duration::from_millis(ms)).min(poll));
        tokio::select! {
            () = alive.woken.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}
