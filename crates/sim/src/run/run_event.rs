use vipnode_agent_core::{Event, NodeTask};
use vipnode_pool_core::{CallId, CallOutcome};
use vipnode_types::{NodeId, PeerCommand};

use super::{
    fault_schedule::Recovery,
    simulated_sockets::{ToAgentFrame, ToPoolFrame},
};

/// What happens at a time of the simulated world, as it is in the queue.
#[derive(Debug, Clone)]
pub(crate) enum RunEvent {
    // the network
    SocketOpens { agent: usize, incarnation: u32, attempt: u32 },
    ToPoolFrame { socket: u64, frame: ToPoolFrame },
    ToAgentFrame { socket: u64, frame: ToAgentFrame },
    AgentSeesClosed { socket: u64, why: &'static str },
    PoolSeesClosed { socket: u64 },
    // agents
    AgentStarts { agent: usize },
    AgentWakes { agent: usize, incarnation: u32 },
    PollPeers { agent: usize, incarnation: u32 },
    WatchPeers { agent: usize, incarnation: u32, token: u64 },
    ToAgentCore { agent: usize, incarnation: u32, event: Box<Event> },
    NodeExec { agent: usize, incarnation: u32, task: NodeTask, call: PeerCommand },
    NodeLists { agent: usize, incarnation: u32, task: NodeTask },
    Probe { agent: usize, incarnation: u32 },
    NewHead { agent: usize },
    // nodes
    DialDue { node: usize, peer: NodeId, token: u64 },
    DialEnds { node: usize, boot: u32, peer: NodeId },
    EndDrops { node: usize, peer: NodeId, link: u64 },
    NodeStarts { node: usize },
    // the pool
    PoolTick { incarnation: u32 },
    PoolWakes { incarnation: u32 },
    PoolResumes { incarnation: u32 },
    CommitEnds { incarnation: u32 },
    CallExpires { incarnation: u32, call: CallId },
    CallLost { incarnation: u32, call: CallId },
    PoolStarts,
    CoreWorks { incarnation: u32 },
    // the operator
    OperatorActs,
    // attackers
    AttackersAct { group: usize },
    AttackerAnswers { call: CallId, outcome: CallOutcome },
    // the run
    Fault,
    Recover { what: Recovery },
    Sweep,
}

impl RunEvent {
    /// Whether the pool's process handles it.
    pub(crate) const fn is_on_pool_machine(&self) -> bool {
        matches!(
            self,
            Self::ToPoolFrame { .. }
                | Self::PoolSeesClosed { .. }
                | Self::PoolTick { .. }
                | Self::PoolWakes { .. }
                | Self::PoolResumes { .. }
                | Self::CommitEnds { .. }
                | Self::CallExpires { .. }
                | Self::CallLost { .. }
                | Self::CoreWorks { .. }
        )
    }

    /// Whether it goes into the trace; events of the clock alone do not.
    pub(crate) fn is_traced(&self) -> bool {
        match self {
            Self::ToAgentCore { event, .. } => !matches!(**event, Event::Peers(_) | Event::Head { .. } | Event::Tick),
            Self::ToPoolFrame { .. }
            | Self::ToAgentFrame { .. }
            | Self::AgentSeesClosed { .. }
            | Self::PoolSeesClosed { .. }
            | Self::AgentStarts { .. }
            | Self::NodeExec { .. }
            | Self::NodeStarts { .. }
            | Self::EndDrops { .. }
            | Self::PoolStarts
            | Self::CallExpires { .. }
            | Self::Recover { .. } => true,
            _ => false,
        }
    }
}
