use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use vipnode_agent_core::{NodeCall, NodeTask};
use vipnode_node::{Node, PeerCommand};
use vipnode_types::Failure;

use super::{NodeEvent, TaskError};

/// Makes the agent core's calls to the node, one after the other, in its order.
pub(crate) struct Executor {
    pub(crate) node: Arc<dyn Node>,
    /// While the node is offline a call fails at once instead of at its deadline.
    pub(crate) up: watch::Receiver<bool>,
}

impl Executor {
    /// Runs until nobody gives orders or hears.
    pub(crate) async fn run(self, mut calls: mpsc::Receiver<(NodeTask, NodeCall)>, out: mpsc::Sender<NodeEvent>) {
        while let Some((task, call)) = calls.recv().await {
            let up = *self.up.borrow();
            let result = if up {
                self.node.call(command(call)).await.map_err(|error| Failure::of(&error))
            } else {
                Err(Failure::of(&TaskError::Offline))
            };
            if out.send(NodeEvent::Done { task, result }).await.is_err() {
                return;
            }
        }
    }
}

/// The agent core's call as the driver's command.
pub(crate) fn command(call: NodeCall) -> PeerCommand {
    match call {
        NodeCall::Admit(peer) => PeerCommand::Admit(peer),
        NodeCall::Dial(peer) => PeerCommand::Dial(peer),
        NodeCall::Drop(peer) => PeerCommand::Drop(peer),
        NodeCall::Evict(peer) => PeerCommand::Evict(peer),
        NodeCall::Untrust(peer) => PeerCommand::Untrust(peer),
    }
}
