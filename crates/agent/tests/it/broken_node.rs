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
use vipnode_agent::AgentNotice;
use vipnode_node::{Node, NodeError, PeerConnection, PeerEvents, PlannedCall};
use vipnode_types::{HeadFact, NodeFacts, PeerCommand, PeerFact};

use crate::fake_pool::{Running, Toy};

/// What a node does not answer.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    /// `admin_peers` fails, as it does if it returns null.
    Peers,
    /// The newest block is missing.
    Block,
}

struct Broken {
    node: Arc<dyn Node>,
    without: Without,
    asked: AtomicU64,
}

impl Node for Broken {
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>> {
        self.node.facts()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>> {
        if self.without != Without::Peers {
            return self.node.peers();
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (at, kind) = (self.at(), std::io::ErrorKind::InvalidData);
        std::future::ready(Err(NodeError::Unreachable { at, kind, why: "null".to_owned() })).boxed()
    }

    fn connections(&self) -> BoxFuture<'_, Result<Vec<PeerConnection>, NodeError>> {
        self.node.connections()
    }

    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>> {
        if self.without != Without::Block {
            return self.node.head();
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err(NodeError::NoBlock { at: self.at() })).boxed()
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
    let node = Arc::new(Broken { node: toy.node.clone(), without: Without::Peers, asked: AtomicU64::new(0) });
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

#[tokio::test(start_paused = true)]
async fn a_node_without_a_block_is_named_once() {
    let toy = Toy::new();
    let node = Arc::new(Broken { node: toy.node.clone(), without: Without::Block, asked: AtomicU64::new(0) });
    let mut config = toy.config();
    config.node = node.clone();
    let mut agent = Running::of(config);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(node.asked.load(Ordering::Relaxed) > 10);
    let mut named = 0;
    while let Ok(notice) = agent.notices.try_recv() {
        named += u32::from(matches!(notice, AgentNotice::NoBlock(_)));
    }
    assert_eq!(named, 1);
    agent.runner.abort().await;
}
