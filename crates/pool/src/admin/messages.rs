use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vipnode_types::{AgentPublic, Ms, NodeId};

use crate::auth::{Ban, BanTarget};

/// Requests the URLs of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UrlsRequest {}

/// The URLs of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminUrls {
    /// The URLs at which agents reach the pool, best first.
    pub urls: Vec<String>,
}

/// Requests the address blocks with the highest usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TopRequest {
    /// The sort order of the list.
    #[serde(default)]
    pub by: TopOrder,
    /// The maximum number of blocks to return; never more than 1,000.
    pub most: u32,
}

/// The sort order of a list of address blocks, largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TopOrder {
    /// Time of the pool's core that the block used.
    #[default]
    Core,
    /// Leases of the block's nodes.
    Slots,
    /// Bytes that the pool received from the block.
    In,
    /// Bytes that the pool sent to the block.
    Out,
}

/// The address blocks (/24, /48) with the highest usage, measured over a short time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminTop {
    /// `vipnode/<version>` of the pool.
    pub pool_version: String,
    /// The time over which core time and bytes were measured, in milliseconds.
    pub measured_ms: u64,
    /// The blocks, largest first.
    pub blocks: Vec<AdminBlock>,
    /// The number of blocks that are not listed.
    pub further_blocks: u64,
    /// The number of bans.
    pub bans: u64,
    /// Whether the whole pool is drained.
    pub drains_pool: bool,
    /// The number of nodes that are drained.
    pub drained_nodes: u64,
}

/// The resources that the connections and nodes in an address block use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminBlock {
    /// The block, such as 203.0.113.0/24; `all` for the members of a closed pool.
    pub block: String,
    /// The time that the pool's core spent on the block during the measurement, in microseconds.
    pub core_us: u64,
    /// The number of leases of the block's nodes, as hosts and as clients.
    pub slots: u64,
    /// The number of connected nodes in the block.
    pub nodes: u64,
    /// The number of open connections from the block.
    pub connections: u64,
    /// Bytes received from the block during the measurement.
    pub bytes_in: u64,
    /// Bytes sent to the block during the measurement.
    pub bytes_out: u64,
}

/// Requests a page of the list of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NodesRequest {
    /// Filters the list: only nodes on the chain with this ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
    /// Filters the list: only nodes whose ID, agent key, or address begins with this text, or whose versions contain
    /// it, in any letter case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// [`AdminNodes::next`] of the previous page; `None` for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The maximum number of nodes to return; never more than 1,000.
    pub most: u32,
}

/// A page of the nodes that are connected or have leases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminNodes {
    /// The pool's time.
    pub now: Ms,
    /// The nodes on this page.
    pub nodes: Vec<ListedNode>,
    /// The value of `from` for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// Whether the whole pool is drained.
    pub drains_pool: bool,
}

/// A node, as the pool sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedNode {
    /// Public key of the node.
    pub node: NodeId,
    /// The key of the node's agent; `None` if the agent uses protocol 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentPublic>,
    /// Whether the node offers slots.
    pub host: bool,
    /// Whether the node asks for hosts.
    pub client: bool,
    /// The version of the node's agent, as reported by the agent.
    pub agent_version: String,
    /// The version of the node's execution client, as reported by the agent.
    pub client_version: String,
    /// The ID of the chain that the node follows.
    pub chain_id: u64,
    /// The address from which the node's agent connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The address block of `address`, such as 203.0.113.0/24.
    pub block: String,
    /// Whether the node's agent is connected.
    pub connected: bool,
    /// The time at which the node's agent connected, by the pool's clock.
    pub since_ms: Ms,
    /// The total number of slots that the node offers.
    pub slots: u32,
    /// The number of the node's leases with clients.
    pub leases_as_host: u32,
    /// The number of the node's leases with hosts.
    pub leases_as_client: u32,
    /// Whether the node gets no new leases.
    pub drained: bool,
}

/// Bans a node, an agent, or a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BanRequest {
    /// The node ID, agent key, address, or network to ban.
    pub target: BanTarget,
    /// The reason, which is sent to the banned agents; at most 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The duration of the ban, in milliseconds; `None` for a ban without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// The result of adding a ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Banned {
    /// The ban that was added.
    pub ban: Ban,
    /// The number of nodes whose connection and leases ended.
    pub ended_nodes: u64,
    /// Whether the ban survives a restart; true if the pool has a data directory.
    pub kept: bool,
}

/// Removes a ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnbanRequest {
    /// The target of the ban.
    pub target: BanTarget,
}

/// All bans of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminBans {
    /// The bans in effect.
    pub bans: Vec<Ban>,
    /// Whether the bans survive a restart; true if the pool has a data directory.
    pub kept: bool,
}

/// Drains a node or the whole pool, or ends a drain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = require_node))]
#[serde(deny_unknown_fields)]
pub struct DrainRequest {
    /// The node, or `null` for the whole pool. A request without this field is rejected.
    #[serde(deserialize_with = "Option::deserialize")]
    pub node: Option<NodeId>,
    /// Whether to end the drain, so that new leases are assigned again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
}

/// Has the schema require what the parser requires: to it, an `Option` is optional.
#[cfg(feature = "schema")]
fn require_node(schema: &mut schemars::Schema) {
    schema.insert("required".to_owned(), serde_json::json!(["node"]));
}

/// The drained nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminDrained {
    /// Whether the whole pool is drained.
    pub pool: bool,
    /// The nodes that are drained individually.
    pub nodes: Vec<NodeId>,
    /// Whether the drains survive a restart; true if the pool has a data directory.
    pub kept: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To the parser, a request without a node is not one for the whole pool.
    #[cfg(feature = "schema")]
    #[test]
    fn the_schema_requires_what_the_parser_requires() {
        let schema = serde_json::to_value(schemars::schema_for!(DrainRequest)).unwrap();
        let fields = schema["properties"].as_object().unwrap();
        let full = serde_json::json!({ "node": null, "stop": true });
        for field in fields.keys() {
            let mut without = full.clone();
            without.as_object_mut().unwrap().remove(field);
            let is_required = schema["required"].as_array().unwrap().contains(&field.as_str().into());
            assert_eq!(serde_json::from_value::<DrainRequest>(without).is_err(), is_required, "{field}");
        }
        let node = serde_json::to_string(&fields["node"]).unwrap();
        assert!(node.contains("null"), "{node}");
    }

    #[test]
    fn a_mistyped_request_is_never_the_widest_one() {
        for wrong in ["{}", r#"{"target":"0.0.0.0/0"}"#, r#"{"stop":true}"#, r#"{"node":null,"all":true}"#] {
            assert!(serde_json::from_str::<DrainRequest>(wrong).is_err(), "{wrong}");
        }
        let whole = DrainRequest { node: None, stop: false };
        assert_eq!(serde_json::from_str::<DrainRequest>(r#"{"node":null}"#).unwrap(), whole);
        assert_eq!(serde_json::to_string(&whole).unwrap(), r#"{"node":null}"#);
        assert!(serde_json::from_str::<NodesRequest>(r#"{"filtre":"x"}"#).is_err());
    }
}
