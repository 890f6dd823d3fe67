use std::path::PathBuf;

use vipnode_agent::Reached;
use vipnode_agent_core::{DirectConfig, HostConfig};
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
    /// `None` if no slots are sold.
    pub(crate) host: Option<HostConfig>,
    pub(crate) client: bool,
    /// Strangers are disconnected.
    pub(crate) strict: bool,
    /// Whom the user named.
    pub(crate) direct: DirectConfig,
    /// `--maxpeers` of the node, by the user's word.
    pub(crate) node_max_peers: u32,
    /// The port that others are given to dial, if the user named one.
    pub(crate) port: Option<u16>,
}

impl Requirements {
    /// Whether slots are for sale.
    pub(crate) fn sells(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.slots > 0)
    }

    /// Whether the host sells slots on a chain that does not produce blocks.
    pub(crate) fn takes_any_head(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.max_head_age_s.is_none())
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
