use serde::{Deserialize, Serialize};

use super::{Kind, messages::nullable};
use crate::{Enode, Ms};

/// An agent's request for peers, with `vipnode_peer`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PeerRequest {
    /// The number of peers; a number less than 1 is rejected.
    pub num: i64,
    /// The name of a [`Kind`]; empty for any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// The answer to a [`PeerRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PeerReply {
    /// Peers that admitted the node.
    #[serde(deserialize_with = "nullable")]
    pub peers: Vec<PeerEntry>,
}

/// A node in the format of the original's store. Field names are capitalized as in the original.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PeerEntry {
    /// The node ID: 128 hex characters.
    #[serde(rename = "ID")]
    pub id: String,
    /// The peer's enode URL.
    pub uri: String,
    /// The time of the node's newest report, in RFC 3339 format.
    pub last_seen: String,
    /// The name of a [`Kind`].
    pub kind: String,
    /// Whether the node is a host.
    #[serde(rename = "IsHost")]
    pub is_host: bool,
    /// The account that receives the earnings; never disclosed to others.
    #[serde(rename = "Payout")]
    pub payout: String,
    /// The newest block that the node reported.
    pub block_number: u64,
    /// `web3_clientVersion`.
    pub node_version: String,
    /// The version of the node's agent.
    pub vipnode_version: String,
}

impl PeerEntry {
    /// A host as it is shown to others.
    #[must_use]
    pub fn host(enode: &Enode, kind: Kind, last_seen: Ms, block_number: u64) -> Self {
        Self {
            id: enode.id.to_string(),
            uri: enode.to_string(),
            last_seen: last_seen.rfc3339(),
            kind: kind.name().to_owned(),
            is_host: true,
            block_number,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    /// `pool/store/store.go`, Node.
    #[test]
    fn a_peer_as_the_original_writes_it() {
        let enode = Enode::at(NodeId::new([0xab; 64]), "2001:db8::1".parse().unwrap(), 30303);
        let entry = PeerEntry::host(&enode, Kind::Geth, Ms::new(1_600_000_000_123), 7);
        let id = "ab".repeat(64);
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            format!(
                r#"{{"ID":"{id}","uri":"enode://{id}@[2001:db8::1]:30303","last_seen":"2020-09-13T12:26:40.123Z","kind":"geth","IsHost":true,"Payout":"","block_number":7,"node_version":"","vipnode_version":""}}"#
            )
        );
    }
}
