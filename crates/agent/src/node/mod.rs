//! The side of the agent that faces the node.

mod eyes;
mod hands;

use vipnode_agent_core::NodeTask;
use vipnode_types::{DropCause, HeadFact, NodeFacts, NodeId, PeerFact};

pub(crate) use eyes::{Eyes, longer};
pub(crate) use hands::{Hands, command};

/// What comes from the node.
#[derive(Debug)]
pub(crate) enum FromNode {
    Up(Box<NodeFacts>),
    Down(String),
    /// Another node answers at the address. Nothing more is told.
    Other(NodeId),
    Peers(Vec<PeerFact>),
    Gone(NodeId, DropCause),
    Head {
        head: HeadFact,
        wall_s: u64,
    },
    Done {
        task: NodeTask,
        result: Result<(), String>,
    },
}
