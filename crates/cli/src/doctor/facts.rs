use std::path::PathBuf;

use vipnode_agent::Reached;
use vipnode_agent_core::AgentConfig;
use vipnode_types::{HeadFact, Ms, NodeFacts, PeerFact};

use crate::error::CliError;

/// All that a doctor looked at.
#[derive(Debug)]
pub(crate) struct Facts {
    /// This machine's clock.
    pub(crate) now: Ms,
    pub(crate) wants: Requirements,
    pub(crate) node: Result<NodeFound, NodeMissing>,
    /// `None` without a pool.
    pub(crate) pool: Option<Result<PoolFound, CliError>>,
}

/// What the role is to do.
#[derive(Debug)]
pub(crate) struct Requirements {
    /// The settings of the agent.
    pub(crate) agent: AgentConfig,
    /// Whether it looks for hosts, with or without a pool.
    pub(crate) client: bool,
    /// `--maxpeers` of the node, by the user's word.
    pub(crate) node_max_peers: u32,
    /// The port that others are given to dial, if the user named one.
    pub(crate) port: Option<u16>,
}

impl Requirements {
    /// The flag that names the node's limit of peers. An agent that is only a client does not take it.
    pub(crate) fn pass_max_peers(&self, most: &str) -> String {
        let whom = if self.agent.host.is_some() { "" } else { " to `vipnode doctor`" };
        format!("--node-max-peers {most}{whom}")
    }

    /// Whether slots are for sale.
    pub(crate) fn sells(&self) -> bool {
        self.agent.host.as_ref().is_some_and(|host| host.slots > 0)
    }
}

/// Why no node could be checked.
#[derive(Debug)]
pub(crate) enum NodeMissing {
    Error(CliError),
    /// It answers, and does not offer calls that are needed.
    NoCalls {
        at: String,
        client: String,
        what: String,
    },
}

/// A node that takes calls.
#[derive(Debug)]
pub(crate) struct NodeFound {
    pub(crate) at: String,
    pub(crate) facts: NodeFacts,
    /// Where else than on loopback its admin calls answer, of the addresses that were tried; `None` where that took
    /// too long.
    pub(crate) exposed: Option<Vec<String>>,
    pub(crate) head: Result<HeadFact, CliError>,
    pub(crate) peers: Result<Vec<PeerFact>, CliError>,
    /// How many of them have no lease, as counted by the agent that runs for the node; `None` without one.
    pub(crate) own_peers: Option<u32>,
    /// `None` without a pool, since nothing has to be signed.
    pub(crate) key: Option<Result<KeyFacts, CliError>>,
}

/// Whether an agent may act for the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyFacts {
    /// The node has signed, until then.
    Delegated { until: Ms },
    /// It has not; the key is at hand to sign.
    Key(PathBuf),
}

/// A pool that was asked.
#[derive(Debug)]
pub(crate) struct PoolFound {
    pub(crate) url: String,
    /// Whether the agent remembers the pool's ID.
    pub(crate) pin: PinFound,
    pub(crate) reached: Reached,
}

/// What the agent remembers of a pool's ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinFound {
    /// The pool has this one.
    Same,
    /// None yet.
    None,
    /// Never one, because the URL leads to this machine.
    Never,
}
