//! The side of the agent that faces the node: the observer looks at it, the executor has it do things. Neither decides
//! anything; what they see goes to the agent core as events.

mod executor;
mod observer;

use vipnode_agent_core::NodeTask;
use vipnode_types::{DropCause, HeadFact, NodeFacts, NodeId, PeerFact};

pub(crate) use executor::{Hands, command};
pub(crate) use observer::{Eyes, longer};

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
