use std::net::IpAddr;

use vipnode_types::{AgentPublic, Ms, NodeId};

/// A node as the operator of its pool sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its position in the list, for [`crate::Core::nodes_from`].
    pub position: u32,
    /// Public key of the node.
    pub id: NodeId,
    /// The key of its agent; `None` if it speaks protocol 2.
    pub agent: Option<AgentPublic>,
    /// The chain that it follows.
    pub chain_id: u64,
    /// The remote address of its last connection.
    pub address: Option<IpAddr>,
    /// Whether it is connected. A node that is not is listed as long as it has leases.
    pub connected: bool,
    /// When it connected last.
    pub since: Ms,
    /// Whether it offers slots.
    pub host: bool,
    /// Whether it asks for hosts.
    pub client: bool,
    /// What the agent reports as its program and version.
    pub agent_version: String,
    /// The version of its execution client.
    pub client_version: String,
    /// The slots that it offers in total.
    pub slots: u32,
    /// The number of its leases with clients.
    pub leases_as_host: u32,
    /// The number of its leases with hosts.
    pub leases_as_client: u32,
    /// Whether it gets no new leases.
    pub drained: bool,
}

/// Some of a pool's nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePage {
    /// The nodes, in no order.
    pub nodes: Vec<NodeView>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<u32>,
}
