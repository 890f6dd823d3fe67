use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use vipnode_agent_core::{NodeCall, NodeTask};
use vipnode_node::{Node, PeerCommand};
use vipnode_types::Failure;

use super::{NodeEvent, TaskError};

/// An order of the agent core to the node.
#[derive(Debug)]
pub(crate) enum NodeOrder {
    /// Change its peers.
    Call(NodeTask, NodeCall),
    /// Read its list of peers.
    List(NodeTask),
}

/// Carries out the agent core's orders to the node, one after the other, in its order.
pub(crate) struct Executor {
    pub(crate) node: Arc<dyn Node>,
    /// While the node is offline a call fails at once instead of at its deadline.
    pub(crate) up: watch::Receiver<bool>,
}

impl Executor {
    /// Runs until nobody gives orders or hears.
    pub(crate) async fn run(self, mut orders: mpsc::Receiver<NodeOrder>, out: mpsc::Sender<NodeEvent>) {
        while let Some(order) = orders.recv().await {
            let up = *self.up.borrow();
            let offline = || Failure::of(&TaskError::Offline);
            let done = match order {
                NodeOrder::Call(task, _) if !up => NodeEvent::Done { task, result: Err(offline()) },
                NodeOrder::List(task) if !up => NodeEvent::Listed { task, result: Err(offline()) },
                NodeOrder::Call(task, call) => {
                    let result = self.node.call(command(call)).await.map_err(|error| Failure::of(&error));
                    NodeEvent::Done { task, result }
                }
                NodeOrder::List(task) => {
                    let result = self.node.peers().await.map_err(|error| Failure::of(&error));
                    NodeEvent::Listed { task, result }
                }
            };
            if out.send(done).await.is_err() {
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
