use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use vipnode_agent_core::{Event, NodeTask, TaskError};
use vipnode_node::Node;
use vipnode_types::{Failure, PeerCommand};

use crate::AgentError;

/// Carries out the agent core's orders to the node, one after the other, in its order.
pub(crate) struct Executor {
    pub(crate) node: Arc<dyn Node>,
    /// While the node is offline a call fails at once instead of at its deadline.
    pub(crate) up: watch::Receiver<bool>,
}

/// An order of the agent core to the node.
#[derive(Debug)]
pub(crate) enum NodeCommand {
    /// Change its peers.
    Call(NodeTask, PeerCommand),
    /// Read its list of peers.
    List(NodeTask),
}

impl NodeCommand {
    /// The event of an order that failed.
    pub(crate) fn failed(&self, why: Failure) -> Event {
        match self {
            Self::Call(task, _) => Event::NodeDone { task: *task, result: Err(why) },
            Self::List(task) => Event::Listed { task: *task, result: Err(why) },
        }
    }
}

impl Executor {
    /// Runs until the queue of orders or the queue of events is closed.
    pub(crate) async fn run(
        self,
        mut orders: mpsc::Receiver<NodeCommand>,
        out: mpsc::Sender<Result<Event, AgentError>>,
    ) {
        while let Some(order) = orders.recv().await {
            let up = *self.up.borrow();
            let done = match order {
                order if !up => order.failed(Failure::of(&TaskError::Offline)),
                NodeCommand::Call(task, command) => {
                    let result = self.node.call(command).await.map_err(|error| Failure::of(&error));
                    Event::NodeDone { task, result }
                }
                NodeCommand::List(task) => {
                    let result = self.node.peers().await.map_err(|error| Failure::of(&error));
                    Event::Listed { task, result }
                }
            };
            if out.send(Ok(done)).await.is_err() {
                return;
            }
        }
    }
}
