use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use vipnode_agent_core::{NodeCall, NodeTask};
use vipnode_node::{Node, PeerCommand};

use super::FromNode;

/// Has the node do one thing after the other, in the order of the mind.
pub(crate) struct Hands {
    pub(crate) node: Arc<dyn Node>,
    /// While the node is away a call fails at once instead of at its deadline.
    pub(crate) up: watch::Receiver<bool>,
}

impl Hands {
    /// Runs until nobody gives orders or hears.
    pub(crate) async fn run(self, mut calls: mpsc::Receiver<(NodeTask, NodeCall)>, out: mpsc::Sender<FromNode>) {
        while let Some((task, call)) = calls.recv().await {
            let up = *self.up.borrow();
            let result = if up {
                self.node.call(command(call)).await.map_err(|error| error.to_string())
            } else {
                Err("the node is away".to_owned())
            };
            if out.send(FromNode::Done { task, result }).await.is_err() {
                return;
            }
        }
    }
}

/// The mind's call in the driver's words.
pub(crate) fn command(call: NodeCall) -> PeerCommand {
    match call {
        NodeCall::Admit(peer) => PeerCommand::Admit(peer),
        NodeCall::Dial(peer) => PeerCommand::Dial(peer),
        NodeCall::Drop(peer) => PeerCommand::Drop(peer),
        NodeCall::Evict(peer) => PeerCommand::Evict(peer),
        NodeCall::Untrust(peer) => PeerCommand::Untrust(peer),
    }
}
