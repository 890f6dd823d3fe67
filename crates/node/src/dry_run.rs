use std::{path::PathBuf, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use vipnode_types::{HeadFact, NodeFacts, PeerCommand, PeerFact};

use crate::{Node, NodeError, PeerConnection, PeerEvents, PlannedCall};

/// A node that is observed but never changed (`--dry-run`): each call that would change it is reported instead.
pub struct DryRun {
    node: Arc<dyn Node>,
    report: Box<dyn Fn(&PlannedCall) + Send + Sync>,
}

impl DryRun {
    /// Wraps a node; `report` receives each RPC call that is not made.
    pub fn new(node: Arc<dyn Node>, report: impl Fn(&PlannedCall) + Send + Sync + 'static) -> Self {
        Self { node, report: Box::new(report) }
    }
}

impl Node for DryRun {
    fn facts(&self) -> BoxFuture<'_, Result<NodeFacts, NodeError>> {
        self.node.facts()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerFact>, NodeError>> {
        self.node.peers()
    }

    fn connections(&self) -> BoxFuture<'_, Result<Vec<PeerConnection>, NodeError>> {
        self.node.connections()
    }

    fn head(&self) -> BoxFuture<'_, Result<HeadFact, NodeError>> {
        self.node.head()
    }

    fn call(&self, command: PeerCommand) -> BoxFuture<'_, Result<(), NodeError>> {
        for call in self.node.plan(&command) {
            (self.report)(&call);
        }
        std::future::ready(Ok(())).boxed()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
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

impl std::fmt::Debug for DryRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DryRun")
    }
}
