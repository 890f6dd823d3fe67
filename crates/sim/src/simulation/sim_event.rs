use vipnode_agent_core::{Event, NodeCall, NodeTask};
use vipnode_pool_core::CallId;
use vipnode_types::NodeId;

use super::{
    faults::Healing,
    sockets::{ToAgent, ToPool},
};

/// What can happen.
#[derive(Debug, Clone)]
pub(crate) enum Ev {
    // the network
    SocketOpens { agent: usize, life: u32, attempt: u32 },
    ToPool { socket: u64, frame: ToPool },
    ToAgent { socket: u64, frame: ToAgent },
    AgentSeesClosed { socket: u64, why: &'static str },
    PoolSeesClosed { socket: u64 },
    // agents
    AgentStarts { agent: usize },
    AgentWakes { agent: usize, life: u32 },
    Look { agent: usize, life: u32 },
    WatchLook { agent: usize, life: u32, token: u64 },
    Tell { agent: usize, life: u32, event: Box<Event> },
    NodeExec { agent: usize, life: u32, task: NodeTask, call: NodeCall },
    Probe { agent: usize, life: u32 },
    Head { agent: usize },
    // nodes
    DialDue { node: usize, peer: NodeId, token: u64 },
    DialEnds { node: usize, boot: u32, peer: NodeId },
    EndDrops { node: usize, peer: NodeId, link: u64 },
    NodeRises { node: usize },
    // the pool
    PoolTick { life: u32 },
    PoolWakes { life: u32 },
    CommitEnds { life: u32 },
    CallExpires { life: u32, call: CallId },
    CallLost { life: u32, call: CallId },
    PoolStarts,
    // the run
    Fault,
    Heal { what: Healing },
    Sweep,
}

impl Ev {
    /// Whether it is the pool's process that does it.
    pub(crate) const fn is_pools(&self) -> bool {
        matches!(
            self,
            Self::ToPool { .. }
                | Self::PoolSeesClosed { .. }
                | Self::PoolTick { .. }
                | Self::PoolWakes { .. }
                | Self::CommitEnds { .. }
                | Self::CallExpires { .. }
                | Self::CallLost { .. }
        )
    }

    /// Whether a reader of the tape wants to see it; what the clock alone does is left out.
    pub(crate) fn is_news(&self) -> bool {
        match self {
            Self::Tell { event, .. } => !matches!(**event, Event::Peers(_) | Event::Head { .. } | Event::Tick),
            Self::ToPool { .. }
            | Self::ToAgent { .. }
            | Self::AgentSeesClosed { .. }
            | Self::PoolSeesClosed { .. }
            | Self::AgentStarts { .. }
            | Self::NodeExec { .. }
            | Self::NodeRises { .. }
            | Self::EndDrops { .. }
            | Self::PoolStarts
            | Self::CallExpires { .. }
            | Self::Heal { .. } => true,
            _ => false,
        }
    }
}
