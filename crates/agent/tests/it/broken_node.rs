//! A node that answers only some of the calls.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use vipnode_node::{Node, NodeError, PeerConnection, PeerEvents, PlannedCall};
use vipnode_types::{HeadFact, NodeFacts, PeerCommand, PeerFact};

use crate::fake_pool::{Running, Toy};

/// A node whose `admin_peers` fails, as one does that returns null.
struct WithoutPeers {
    node: Arc<dyn Node>,
    asked: AtomicU64,
}

impl Node for WithoutPeers {
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>> {
        self.node.facts()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (at, kind) = (self.at(), std::io::ErrorKind::InvalidData);
        std::future::ready(Err(NodeError::Unreachable { at, kind, why: "null".to_owned() })).boxed()
    }

    fn connections(&self) -> BoxFuture<'_, Result<Vec<PeerConnection>, NodeError>> {
        self.node.connections()
    }

    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>> {
        self.node.head()
    }

    fn call(&self, command: PeerCommand) -> BoxFuture<'_, Result<(), NodeError>> {
        self.node.call(command)
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        self.node.settle()
    }

    fn plan(&self, command: &PeerCommand) -> Vec<PlannedCall> {
        self.node.plan(command)
    }

    fn events(&self) -> BoxFuture<'_, Option<PeerEvents>> {
        self.node.events()
    }

    fn exposure(&self) -> BoxFuture<'_, Vec<String>> {
        self.node.exposure()
    }

    fn data_dir(&self) -> BoxFuture<'_, Option<PathBuf>> {
        self.node.data_dir()
    }

    fn at(&self) -> String {
        self.node.at()
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_returns_no_peers_is_asked_ever_less_often() {
    let toy = Toy::new();
    let node = Arc::new(WithoutPeers { node: toy.node.clone(), asked: AtomicU64::new(0) });
    let mut config = toy.config();
    config.node = node.clone();
    let mut agent = Running::of(config);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let asked = node.asked.load(Ordering::Relaxed);
    assert!((5..60).contains(&asked), "asked {asked} times in two minutes");
    let mut notices = 0;
    while agent.notices.try_recv().is_ok() {
        notices += 1;
    }
    assert!(notices < 20, "{notices} notices in two minutes");
    agent.runner.abort().await;
}
