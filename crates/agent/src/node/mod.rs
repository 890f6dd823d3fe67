//! The side of the agent that faces the node: the observer looks at it, the executor has it do things. Neither decides
//! anything; what they see goes to the agent core as events.

mod executor;
mod observer;
mod task_error;

use vipnode_agent_core::NodeTask;
use vipnode_types::{DropCause, Failure, HeadFact, NodeFacts, NodeId, PeerFact};

pub(crate) use executor::{Executor, NodeOrder, command};
pub(crate) use observer::{Observer, longer};
pub(crate) use task_error::TaskError;

/// What comes from the node.
#[derive(Debug)]
pub(crate) enum NodeEvent {
    Up(Box<NodeFacts>),
    Down(Failure),
    /// Another node answers at the address. Nothing more is told.
    Other(NodeId),
    Peers(Vec<PeerFact>),
    Gone(NodeId, DropCause),
    Head {
        head: HeadFact,
        wall_s: u64,
    },
    Listed {
        task: NodeTask,
        result: Result<Vec<PeerFact>, Failure>,
    },
    Done {
        task: NodeTask,
        result: Result<(), Failure>,
    },
}
