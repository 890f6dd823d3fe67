use serde::{Deserialize, Deserializer, Serialize};

use super::PeerEntry;

/// The execution client of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "i64", into = "u8")]
pub enum Kind {
    /// Anything else, or not known.
    #[default]
    Unknown,
    /// go-ethereum.
    Geth,
    /// Parity, later OpenEthereum.
    Parity,
    /// Pantheon, today Besu.
    Pantheon,
}

impl Kind {
    /// Its name in the responses of a pool.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Geth => "geth",
            Self::Parity => "parity",
            Self::Pantheon => "pantheon",
        }
    }

    /// The kind of a node by its `web3_clientVersion`.
    #[must_use]
    pub fn of_client(version: &str) -> Self {
        let name = version.split('/').next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "besu" => Self::Pantheon,
            "parity-ethereum" | "openethereum" => Self::Parity,
            name => Self::named(name),
        }
    }

    /// The kind of that name, in any case; anything else is unknown.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let kinds = [Self::Geth, Self::Parity, Self::Pantheon];
        kinds.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name)).unwrap_or_default()
    }
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Unknown => 0,
            Kind::Geth => 1,
            Kind::Parity => 2,
            Kind::Pantheon => 3,
        }
    }
}

impl From<i64> for Kind {
    /// A number that no kind has is unknown (fault D37, docs/faults.md: an unknown kind matches any).
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Geth,
            2 => Self::Parity,
            3 => Self::Pantheon,
            _ => Self::Unknown,
        }
    }
}

/// An agent's description of its node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NodeInfo {
    /// `web3_clientVersion`.
    pub version: String,
    /// `eth_protocolVersion`; empty with current execution clients.
    pub eth_protocol: String,
    /// The execution client.
    pub kind: Kind,
    /// `net_version` as a number.
    pub network: i64,
    /// Whether the node is a full node, which can be a host.
    pub is_full_node: bool,
}

/// An agent's description of itself and its node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Protocol2ConnectRequest {
    /// The agent's version.
    pub vipnode_version: String,
    /// The node's description of itself.
    pub node_info: NodeInfo,
    /// The node's enode, unless the node listens at the agent's address on port 30303.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node_uri: String,
    /// The number of hosts wanted immediately; sent by early agents only.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_hosts: i64,
    /// The account that receives the earnings; may be empty.
    pub payout: String,
}

/// The pool's welcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Protocol2ConnectReply {
    /// The pool's program and its version.
    pub pool_version: String,
    /// Hosts that admitted the node.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub hosts: Vec<PeerEntry>,
    /// The operator's welcome message to the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Older form: a host connects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostRequest {
    /// The name of a [`Kind`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The account that receives the earnings; may be empty.
    pub payout: String,
    /// The node's enode, unless the node listens at the agent's address on port 30303.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node_uri: String,
}

/// The answer to a [`HostRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostReply {
    /// The pool's program and its version.
    pub pool_version: String,
}

/// Older form: a client connects and requests hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClientRequest {
    /// The name of a [`Kind`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The number of hosts wanted; 0 means 3.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_hosts: i64,
}

/// The answer to a [`ClientRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClientReply {
    /// Hosts that admitted the node.
    #[serde(deserialize_with = "nullable")]
    pub hosts: Vec<PeerEntry>,
    /// The pool's program and its version.
    pub pool_version: String,
    /// The operator's welcome message to the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The answer to an update.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateReply {
    /// The balance of the account that pays for the node, or else of the one that receives its earnings; absent if
    /// there is neither, or if the pool does not charge in ether.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// IDs of nodes to remove from the trusted peers and disconnect. Not validated as node IDs, because another pool may send any text.
    #[serde(deserialize_with = "nullable")]
    pub invalid_peers: Vec<String>,
    /// Enodes of the peers that the pool considers valid.
    #[serde(deserialize_with = "nullable")]
    pub active_peers: Vec<String>,
    /// The newest block according to the pool.
    pub latest_block_number: u64,
}

/// The balance of an account. Amounts in wei are JSON numbers, because the original supports no other form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Balance {
    /// The account's address; empty if the node has no account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// The deposit in the contract, in wei.
    pub deposit: i128,
    /// The earnings minus the spending, in wei.
    pub credit: i128,
    /// The earliest time of the account's next payout, in RFC 3339 format.
    pub next_withdraw: String,
}

/// The response to `pool_account`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AccountReply {
    /// The first 12 characters of the ID of each of the wallet's nodes.
    #[serde(deserialize_with = "nullable")]
    pub node_short_ids: Vec<String>,
    /// The account's balance.
    pub balance: Balance,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Go writes a nil slice as null.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pool/pool.go`, Protocol2ConnectRequest and `ethnode/rpc.go`, UserAgent, as an agent of 2.3 sends them.
    #[test]
    fn a_connect_as_the_original_sends_it() {
        let text = r#"{"vipnode_version":"vipnode/dev","node_info":{"version":"Geth/v1.9.20","eth_protocol":"0x40","kind":1,"network":1,"is_full_node":true},"node_uri":"enode://ab@1.2.3.4:30303","payout":""}"#;
        let request: Protocol2ConnectRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.node_info.kind, Kind::Geth);
        assert!(request.node_info.is_full_node);
        assert_eq!(super::super::go_json(&request).unwrap(), text);
    }

    #[test]
    fn an_answer_as_the_original_gives_it() {
        let text = r#"{"balance":{"account":"0xabc","deposit":100000000000000000000,"credit":-5,"next_withdraw":"0001-01-01T00:00:00Z"},"invalid_peers":null,"active_peers":["enode://ab@1.2.3.4:30303"],"latest_block_number":7}"#;
        let reply: UpdateReply = serde_json::from_str(text).unwrap();
        let balance = reply.balance.unwrap();
        assert_eq!((balance.deposit, balance.credit), (100_000_000_000_000_000_000, -5));
        assert_eq!((reply.invalid_peers.len(), reply.active_peers.len(), reply.latest_block_number), (0, 1, 7));
    }

    #[test]
    fn d37_a_kind_that_nobody_knows_is_unknown() {
        for text in ["0", "-1", "99"] {
            assert_eq!(serde_json::from_str::<Kind>(text).unwrap(), Kind::Unknown);
        }
        assert_eq!(Kind::named("Geth"), Kind::Geth);
        assert_eq!(Kind::named("nethermind"), Kind::Unknown);
        for (version, kind) in [
            ("Geth/v1.17.5-stable/linux-amd64/go1.26", Kind::Geth),
            ("Parity-Ethereum//v2.7.2-stable", Kind::Parity),
            ("OpenEthereum//v3.3.5", Kind::Parity),
            ("besu/v24.1.0/linux-x86_64", Kind::Pantheon),
            ("pantheon/1.3.0", Kind::Pantheon),
            ("reth/v1.0.0", Kind::Unknown),
            ("", Kind::Unknown),
        ] {
            assert_eq!(Kind::of_client(version), kind, "{version}");
        }
    }
}
