use std::net::IpAddr;

use vipnode_agent_core::{AgentConfig, Protocol2Config};
use vipnode_types::{AgentPublic, NodeId};

use super::Honesty;

const HALF_MINUTE_MS: u64 = 30_000;

/// An agent and its node.
#[derive(Debug, Clone)]
pub struct AgentPlan {
    /// Public key of the agent's node.
    pub id: NodeId,
    /// The agent's public key.
    pub key: AgentPublic,
    /// The public address of both.
    pub ip: IpAddr,
    /// Whether the node can be dialed.
    pub listens: bool,
    /// The node's `--maxpeers`.
    pub max_peers: u32,
    /// Own peers that dialed the node.
    pub own_inbound: u32,
    /// Own peers that the node dialed.
    pub own_outbound: u32,
    /// Whether the node reports peers that disconnect (`peerEvents`).
    pub peer_events: bool,
    /// Whether the node serves snap in addition to eth.
    pub snap: bool,
    /// Whether the agent may speak protocol 2, always or by turns: then it cannot report what its node serves.
    pub protocol2: bool,
    /// Whether its reports are true.
    pub honesty: Honesty,
    /// The agent's configuration.
    pub config: AgentConfig,
}

impl AgentPlan {
    /// Whether the agent wants hosts that serve snap.
    #[must_use]
    pub fn needs_snap(&self) -> bool {
        !self.config.policy.rules.need.is_empty()
    }

    /// Its settings for protocol 2, should it speak that.
    pub(crate) const fn protocol2_config(&self) -> Protocol2Config {
        let update_interval_ms = if self.own_inbound.is_multiple_of(3) { HALF_MINUTE_MS } else { 2 * HALF_MINUTE_MS };
        Protocol2Config { update_interval_ms }
    }
}
